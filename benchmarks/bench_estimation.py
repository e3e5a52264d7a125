"""Speed and quality of a receptive field: ``python -m benchmarks.bench_estimation``.

On the reference cells, where ``../shared/reference/fitting`` (or ``CONVIS_SHARED``) has them.
"""

from __future__ import annotations

import os
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
