"""Speed and quality of a receptive field: ``python -m benchmarks.bench_estimation``.

On the reference cells, where ``../shared/reference/fitting`` (or ``CONVIS_SHARED``) has them.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Case, run_cases
from convis_core.estimation import ReceptiveField, correlation, fit_receptive_field

TITLE = "Receptive field, 6000 frames; of a reference cell in at most 2.5 s"
FOLDER = Path(os.environ.get("CONVIS_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "reference" / "fitting"
WHITE = FOLDER / "ln_poisson_white.npz"
FRAMES, SECONDS, N_CELLS = 6000, 2.5, 200
_seconds: dict[int, list[float]] = {}


def fitting(path: Path) -> Callable[[], Callable[[], ReceptiveField]]:
    """Fit one cell with the defaults."""

    def prepare() -> Callable[[], ReceptiveField]:
        cell = np.load(path)
        return lambda: fit_receptive_field(cell["stimulus"], cell["spikes"])

    return prepare


def many(n_cells: int) -> Callable[[], Callable[[], Any]]:
    """Fit so many cells that see the white noise of a reference cell, in one call."""

    def prepare() -> Callable[[], Any]:
        stimulus = np.load(WHITE)["stimulus"].astype(float)
        spikes = _spikes_of_many(stimulus)

        def work() -> Any:
            start = time.perf_counter()
            found = fit_receptive_field(stimulus, spikes[:, 0] if n_cells == 1 else spikes[:, :n_cells])
            _seconds.setdefault(n_cells, []).append(time.perf_counter() - start)
            return found

        return work

    return prepare


def _spikes_of_many(stimulus: Any) -> Any:
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(*map(np.arange, stimulus.shape[1:]), indexing="ij")
    course = np.array([0.0, 0.5, 1.0, 0.7, 0.2, -0.2, -0.4, -0.3, -0.1, 0.0])
    drives = []
    for cx, cy in rng.uniform(3, 11, (N_CELLS, 2)):
        field = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * rng.uniform(1.2, 2.5) ** 2))
        drive = np.convolve(np.tensordot(stimulus, field, axes=2), course)[: len(stimulus)]
        drives.append(1.5 * drive / drive.std() - 1.0)
    return rng.poisson(np.logaddexp(0.0, np.stack(drives, axis=1)))


def times_one(_: object) -> str:
    """Time of one call for all cells over the median of calls for one."""
    if 1 not in _seconds:
        return ""
    return (
        f"{_seconds[N_CELLS][-1] / statistics.median(_seconds[1]):.1f} times as long as one cell (wanted: at most 10)"
    )


def quality(path: Path) -> Callable[[ReceptiveField], str]:
    """Tell the similarity with the truth and the bits per spike on the test part."""

    def tell(found: ReceptiveField) -> str:
        cell = np.load(path)
        line = f"correlation with the true filter {correlation(found.filter, cell['true_filter']):.3f}"
        line += f", test bits/spike {found.scores['test bits/spike']:.3f}"
        if cell["true_history"].any():
            line += f", correlation with the true history {correlation(found.history, cell['true_history']):.3f}"
        return line

    return tell


CASES = [
    Case(path.stem.replace("_", " "), fitting(path), FRAMES, FRAMES / SECONDS, remark=quality(path))
    for path in sorted(FOLDER.glob("*.npz"))
]
if WHITE.exists():
    CASES += [
        Case("one simulated cell", many(1), FRAMES),
        Case(f"{N_CELLS} simulated cells, one call", many(N_CELLS), N_CELLS * FRAMES, remark=times_one, slow=True),
    ]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
