"""The score of a predicted rate, with how sure it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from convis_core.estimation.resampling import block_bootstrap
from convis_core.loops.metrics import bits_per_spike, correlation

__all__ = ["Score", "score"]

Score = tuple[float, tuple[float, float], float]
"""Bits per spike, their 95 % interval, and the correlation of rate and counts."""

BLOCK = 50
REPEATS = 200


def score(rate: Tensor, counts: Tensor) -> Score:
    """Bits per spike with an interval from a block bootstrap, and correlation.

    Examples
    --------
    >>> import torch
    >>> counts = torch.tensor([0.0, 2.0, 1.0, 0.0, 3.0, 0.0]).double()
    >>> bits, (low, high), r = score(counts + 0.1, counts)
    >>> low <= bits <= high, round(r, 3)
    (True, 1.0)
    """
    level = float(counts.mean())

    def bits(a: Any, b: Any) -> float:
        return bits_per_spike(a, b, baseline=level) if np.any(b) else math.nan

    block = max(1, min(BLOCK, len(counts) // 4))
    interval = block_bootstrap(bits, rate.numpy(), counts.numpy(), block=block, repeats=REPEATS)
    return bits(rate, counts.numpy()), interval, correlation(rate, counts)
