"""What a smooth time course makes of the far past, as a product of two thin matrices."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled_choice import can_run_compiled

__all__ = ["RANK", "thin_tail"]

RANK = 8
"""Numbers that stand for the far past of a pixel: a sum of `n` exponentials needs `n` of them."""
_WORTH_IT = 3
"""How many times longer than a block a time course must be."""

Factors = tuple[Tensor, Tensor]


def thin_tail(profile: Tensor, n: int) -> Factors | None:
    r"""Split the weights of the past in a block of steps, where the time course allows it to rounding.

    .. math:: w(i + L - 1 - k) = \sum_{r} U_{ir} \, V_{rk}, \qquad 0 \le i < n, \quad n \le k < L - 1

    A time course made of a few exponentials does; with it, `n` steps read the far past once and not `n` times.

    Parameters
    ----------
    profile : Tensor, shape [lag]
        Time course; index 0 acts in the same frame.
    n : int
        Steps in a block.

    Returns
    -------
    tuple of Tensor, shapes [n, rank] and [rank, lag - 1 - n], or None
        None where it is not worth it, where the time course does not split, and where a gradient
        is asked for or another device.

    Examples
    --------
    >>> course = torch.exp(-torch.arange(400.0) / 60)
    >>> after, before = thin_tail(course, 100)
    >>> bool(torch.allclose((after @ before)[3], course.flip(0)[97:396], atol=1e-6))
    True
    >>> thin_tail(torch.rand(400), 100) is None
    True
    """
    if profile.shape[0] < _WORTH_IT * n or n < 2 * RANK or not can_run_compiled(profile):
        return None
    found = _factors(profile.detach().numpy().tobytes(), str(profile.dtype).removeprefix("torch."), n)
    return None if found is None else (torch.from_numpy(found[0]), torch.from_numpy(found[1]))


@lru_cache(maxsize=16)
def _factors(data: bytes, kind: str, n: int) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
    """Project on the range of a few mixtures of the columns, which holds all of a matrix of low rank."""
    profile = np.frombuffer(data, kind).astype(np.float64)
    lags = len(profile)
    weights = profile[np.arange(n)[:, None] + np.arange(lags - 1 - n, 0, -1)]
    mixtures = np.random.default_rng(0).standard_normal((weights.shape[1], RANK))
    after = np.linalg.qr(weights @ mixtures)[0]
    before = after.T @ weights
    missed = np.linalg.norm(after @ before - weights)
    if missed > 16 * np.finfo(kind).eps * np.linalg.norm(profile):
        return None
    return after.astype(kind), before.astype(kind)
