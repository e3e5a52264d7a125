"""Distances between two spike trains, given as times in seconds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from convis_core.errors import ShapeError
from convis_core.scalars import is_number
from convis_core.tensors import to_tensor

__all__ = ["van_rossum_distance", "victor_purpura_distance"]

Array = np.ndarray[Any, Any]


def victor_purpura_distance(first: Any, second: Any, cost: float) -> float:
    r"""Least cost of turning one spike train into the other.

    Adding or deleting a spike costs 1, moving one by :math:`\Delta t` costs :math:`q |\Delta t|`.

    Parameters
    ----------
    first, second : array, shape [spike]
        Spike times in s.
    cost : float
        :math:`q` in 1/s, at least 0; for 0 the distance is the difference of the counts.

    References
    ----------
    Victor & Purpura (1996) Nature and precision of temporal coding in visual cortex.
    doi:10.1152/jn.1996.76.2.1310

    Examples
    --------
    >>> victor_purpura_distance([0.1, 0.5], [0.2], cost=5.0)  # move one by 0.1 s, delete the other
    1.5
    """
    a, b = _times(first), _times(second)
    if not is_number(cost) or not 0 <= cost < math.inf:
        raise ShapeError(
            f"The cost of moving a spike must be finite and at least 0, got {cost!r:.80}.", "Give it in 1/s."
        )
    row = [float(j) for j in range(len(b) + 1)]
    for i, spike in enumerate(a.tolist()):
        moves = (cost * np.abs(b - spike)).tolist()
        left, new = float(i + 1), [float(i + 1)]
        for j, move in enumerate(moves):
            left = min(row[j + 1] + 1.0, left + 1.0, row[j] + move)
            new.append(left)
        row = new
    return row[-1]


def van_rossum_distance(first: Any, second: Any, tau: float) -> float:
    r"""Distance of two spike trains after smoothing each by a causal exponential.

    :math:`D^2 = \frac1\tau \int (f - g)^2 dt` with :math:`f(t) = \sum_i e^{-(t - t_i) / \tau}` after
    each spike, computed in closed form: a single spike is :math:`1 / \sqrt 2` away from none.

    Parameters
    ----------
    first, second : array, shape [spike]
        Spike times in s.
    tau : float
        Time constant in s.

    References
    ----------
    van Rossum (2001) A novel spike distance. doi:10.1162/089976601300014321

    Examples
    --------
    >>> round(van_rossum_distance([0.3], [], tau=0.01), 4)
    0.7071
    """
    if not is_number(tau) or not 0 < tau < math.inf:
        raise ShapeError(f"The time constant must be finite and more than 0, got {tau!r:.80}.", "Give it in s.")
    a, b = _times(first), _times(second)

    def overlap(x: Array, y: Array) -> float:
        return float(np.exp(-np.abs(x[:, None] - y) / tau).sum()) / 2

    square = overlap(a, a) + overlap(b, b) - 2 * overlap(a, b)
    return math.sqrt(max(square, 0.0))


def _times(spikes: Any) -> Array:
    try:
        times = to_tensor(spikes, dtype=torch.float64).detach().cpu().numpy()
    except ShapeError:
        raise ShapeError(f"A spike train is a list of finite times in s, got {spikes!r:.80}.") from None
    if times.ndim != 1 or not np.isfinite(times).all():
        raise ShapeError(
            f"A spike train is a list of finite times in s, got an array of shape {times.shape}.",
            "For spike counts in bins take numpy.repeat(numpy.arange(n) * step, counts).",
        )
    return np.sort(times)
