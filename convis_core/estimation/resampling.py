"""How sure a score is (block bootstrap), and folds for cross-validation that do not leak."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from convis_core.errors import FitError
from convis_core.loops.run import check_steps
from convis_core.scalars import is_number
from convis_core.tensors import to_tensor

__all__ = ["block_bootstrap", "check_level", "folds"]


def block_bootstrap(
    metric: Callable[[Any, Any], float],
    prediction: Any,
    measured: Any,
    *,
    block: int = 50,
    repeats: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Confidence interval of a metric over time, from resampled blocks.

    Neighbouring frames are not independent; blocks longer than the memory of stimulus and cell nearly are. Few blocks
    tell little of what they might have been: of a simulated cell with a memory of 10 frames, intervals at a level of
    0.95 held the true bits per spike in 0.93 of 150 recordings of 1200 frames, the true correlation in 0.86, and
    either in 0.77 of those of 200 frames.

    Parameters
    ----------
    metric : callable
        ``metric(prediction, measured)``, e.g. `bits_per_spike`.
    prediction, measured : array, shape [time]
    block : int
        Frames of a block; each starts anywhere, and the data go on at their start after their end.
    repeats : int
    level : float
        Share of the resampled metrics that lie within.
    seed : int

    Returns
    -------
    (float, float)

    References
    ----------
    Politis & Romano (1994) The stationary bootstrap. doi:10.1080/01621459.1994.10476870

    Examples
    --------
    >>> y = np.arange(200.0)
    >>> block_bootstrap(lambda a, b: float((a - b).mean()), y + 1, y)
    (1.0, 1.0)
    """
    a, b = (to_tensor(series, dtype=torch.float64).detach().cpu().numpy() for series in (prediction, measured))
    block, repeats = check_steps(block, "block"), check_steps(repeats, "repeats", "samples")
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2 * block:
        raise FitError(
            f"The bootstrap needs two equally long series of at least {2 * block} frames, got {a.shape} and {b.shape}.",
            "Choose a shorter block, or score more frames.",
        )
    check_level(level)
    if not callable(metric):
        raise FitError(
            f"A metric is a function of prediction and data, got {metric!r:.80}.", "Use e.g. estimation.correlation."
        )
    rng, n = np.random.default_rng(check_steps(seed, "seed", "the random numbers", least=0)), len(a)
    scores = []
    for _ in range(repeats):
        starts = rng.integers(0, n, size=-(-n // block))
        chosen = ((starts[:, None] + np.arange(block)).ravel() % n)[:n]
        scores.append(metric(a[chosen], b[chosen]))
    low, high = np.nanquantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def check_level(level: Any) -> None:
    """Refuse what is no level of an interval."""
    if not is_number(level) or not 0 < level < 1:
        raise FitError(f"The level of an interval lies between 0 and 1, got {level!r:.80}.", "Give e.g. 0.95.")


def folds(length: int, count: int, gap: int = 0) -> list[tuple[list[slice], slice]]:
    """Contiguous folds: for each, the blocks to train on and the block to test on, a gap between them.

    Parameters
    ----------
    length : int
        Frames of the recording.
    count : int
        Number of folds, at least 2.
    gap : int
        Frames left out on either side of the tested block; as long as the kernel.

    Examples
    --------
    >>> folds(90, 3, gap=5)[1]
    ([slice(0, 25, None), slice(65, 90, None)], slice(30, 60, None))
    """
    length, count = check_steps(length, "length"), check_steps(count, "count", "folds")
    gap = check_steps(gap, "gap", least=0)
    if count < 2 or length // count <= gap:
        raise FitError(
            f"{length} frames cannot be cut into {count} folds with gaps of {gap} frames.",
            "Use at least 2 folds, each longer than the gap.",
        )
    ends = [round(length * k / count) for k in range(count + 1)]
    found = []
    for start, stop in pairwise(ends):
        around = [slice(0, start - gap), slice(stop + gap, length)]
        found.append(([part for part in around if part.stop > part.start], slice(start, stop)))
    return found
