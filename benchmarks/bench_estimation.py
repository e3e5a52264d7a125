"""Speed and quality of a receptive field: ``python -m benchmarks.bench_estimation``.

On the reference cells where ``../shared/reference/fitting`` is there; quality is printed below the table.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.harness import Case, run_cases
from convis_core.estimation import correlation, fit_receptive_field

FOLDER = Path(os.environ.get("CONVIS_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "reference" / "fitting"
FRAMES = 6000
SECONDS = 2.5
"""What a fit may take."""


def fitting(path: Path) -> Callable[[], Callable[[], object]]:
    """Fit one cell with the defaults."""

    def prepare() -> Callable[[], object]:
        cell = np.load(path)
        return lambda: fit_receptive_field(cell["stimulus"], cell["spikes"])

    return prepare


def quality(path: Path) -> str:
    """Similarity with the truth and bits per spike on the test part."""
    cell = np.load(path)
    found = fit_receptive_field(cell["stimulus"], cell["spikes"])
    line = f"{path.stem:20}  filter correlation {correlation(found.filter, cell['true_filter']):.3f}"
    line += f"  test bits/spike {found.scores['test bits/spike']:.3f}"
    if cell["true_history"].any():
        line += f"  history correlation {correlation(found.history, cell['true_history']):.3f}"
    return line


if __name__ == "__main__":
    cells = sorted(FOLDER.glob("*.npz"))
    if not cells:
        raise SystemExit(f"there are no reference cells in {FOLDER} (set CONVIS_SHARED)")
    run_cases([Case(f"receptive field of {path.stem}", fitting(path), FRAMES, FRAMES / SECONDS) for path in cells])
    print(*map(quality, cells), sep="\n")
