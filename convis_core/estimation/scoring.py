"""The score of a predicted rate, with how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from torch import Tensor

from convis_core.estimation.resampling import block_bootstrap
from convis_core.loops.metrics import bits_per_spike, correlation, r_squared

__all__ = ["BITS", "R_SQUARED", "Score", "measure_for", "score"]

Score = tuple[float, tuple[float, float], float]
"""Bits per spike or R², their 95 % interval, and the correlation of prediction and data."""

BITS: Final = "bits/spike"
R_SQUARED: Final = "R²"
BLOCK = 50
REPEATS = 200


def measure_for(response: Tensor, wanted: Tensor, *, counted: bool) -> str:
    """Bits per spike for counts, if the response is a rate that gives every spike a chance; else R².

    Examples
    --------
    >>> import torch
    >>> spikes = torch.tensor([0.0, 1.0])
    >>> [measure_for(torch.tensor(rate), spikes, counted=True) for rate in ([0.0, 0.5], [0.5, 0.0], [-0.1, 1.0])]
    ['bits/spike', 'R²', 'R²']
    """
    may_fire = bool((response >= 0).all()) and bool((response[wanted > 0] > 0).all())
    return BITS if counted and may_fire else R_SQUARED


def score(prediction: Tensor, wanted: Tensor, measure: str = BITS) -> Score:
    """Bits per spike or R², with an interval from a block bootstrap, and correlation.

    Examples
    --------
    >>> import torch
    >>> counts = torch.tensor([0.0, 2.0, 1.0, 0.0, 3.0, 0.0]).double()
    >>> bits, (low, high), r = score(counts + 0.1, counts)
    >>> low <= bits <= high, round(r, 3)
    (True, 1.0)
    """
    level = float(wanted.mean())

    def bits(a: Any, b: Any) -> float:
        return bits_per_spike(a, b, baseline=level) if np.any(b) else math.nan

    metric: Callable[[Any, Any], float] = bits if measure == BITS else r_squared
    block = max(1, min(BLOCK, len(wanted) // 4))
    interval = block_bootstrap(metric, prediction, wanted, block=block, repeats=REPEATS)
    return metric(prediction.numpy(), wanted.numpy()), interval, correlation(prediction, wanted)
