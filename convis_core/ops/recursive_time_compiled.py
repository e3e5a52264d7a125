"""The filter of `convis_core.ops.recursive_time` as a loop, compiled for the processor."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, cut, share_work

__all__ = ["exponential_compiled"]

_Array = NDArray[Any]
_WORTH_A_THREAD = 1_000_000  # pixel-steps, about half a millisecond


@compile_loop
def _step(x: _Array, before: _Array, y: _Array, keep: float, take: float) -> None:
    for i in range(x.size):
        y[i] = keep * before[i] + take * x[i]


@compile_loop
def _run(x: _Array, last: _Array, y: _Array, keep: float, take: float, low: int, high: int) -> None:
    """Fill y ``[time, pixel]`` for the pixels from `low` to `high`."""
    before = last[low:high]
    for t in range(x.shape[0]):
        _step(x[t, low:high], before, y[t, low:high], keep, take)
        before = y[t, low:high]


def exponential_compiled(x: Tensor, last: Tensor, keep: float) -> tuple[Tensor, Tensor]:
    """Run the loop, large images in pieces."""
    planes, time, pixels = x.shape[0] * x.shape[1], x.shape[2], x.shape[3] * x.shape[4]
    movie = x.detach().contiguous().view(planes, time, pixels)
    memory = last.detach().contiguous().view(planes, pixels)
    out = torch.empty_like(movie)
    kind = movie.numpy().dtype.type
    pieces = cut(pixels, movie.numel(), _WORTH_A_THREAD, planes)
    arrays = [(a.numpy(), b.numpy(), c.numpy()) for a, b, c in zip(movie, memory, out, strict=True)]
    numbers = kind(keep), kind(1.0 - keep)
    share_work(_run, [(*plane, *numbers, low, high) for plane in arrays for low, high in pieces])
    y = out.view(x.shape)
    return y, y[:, :, -1].clone()  # a view would keep the whole chunk
