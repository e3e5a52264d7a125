"""Speed and quality of a receptive field: ``python -m benchmarks.bench_estimation``.

On the reference cells, where ``../shared/reference/fitting`` (or ``CONVIS_SHARED``) has them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import Case, run_cases
from convis_core.estimation import ReceptiveField, correlation, fit_receptive_field

TITLE = "Receptive field of a reference cell, 6000 frames, in at most 2.5 s"
FOLDER = Path(os.environ.get("CONVIS_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "reference" / "fitting"
FRAMES, SECONDS = 6000, 2.5


def fitting(path: Path) -> Callable[[], Callable[[], ReceptiveField]]:
    """Fit one cell with the defaults."""

    def prepare() -> Callable[[], ReceptiveField]:
        cell = np.load(path)
        return lambda: fit_receptive_field(cell["stimulus"], cell["spikes"])

    return prepare


def many_against_one(path: Path, n_cells: int = 200) -> str:
    """Time of one call for many cells, as a multiple of that for one; all see the stimulus of a reference cell."""
    stimulus = np.load(path)["stimulus"].astype(float)
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(*map(np.arange, stimulus.shape[1:]), indexing="ij")
    course = np.array([0.0, 0.5, 1.0, 0.7, 0.2, -0.2, -0.4, -0.3, -0.1, 0.0])
    drives, place = [], rng.uniform(3, 11, (n_cells, 2))
    for cx, cy in place:
        field = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * rng.uniform(1.2, 2.5) ** 2))
        drive = np.convolve(np.tensordot(stimulus, field, axes=2), course)[: len(stimulus)]
        drives.append(1.5 * drive / drive.std() - 1.0)
    spikes = rng.poisson(np.logaddexp(0.0, np.stack(drives, axis=1)))
    times = []
    fit_receptive_field(stimulus, spikes[:, 0])  # the first call loads and compiles
    for counts in (spikes[:, 0], spikes):
        start = time.perf_counter()
        fit_receptive_field(stimulus, counts)
        times.append(time.perf_counter() - start)
    line = f"{path.stem:20}  one cell {times[0]:.2f} s, {n_cells} cells in one call {times[1]:.1f} s"
    return f"{line}: {times[1] / times[0]:.1f} times as long (wanted: at most 10)"


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

if __name__ == "__main__":
    run_cases(CASES, TITLE)
