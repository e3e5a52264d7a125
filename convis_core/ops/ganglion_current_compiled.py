"""The loop of `convis_core.ops.ganglion_current`, compiled for the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, cut, share_work
from convis_core.ops.smooth_rectification import SATURATION

__all__ = ["ganglion_current_compiled"]

_Array = NDArray[Any]
_WORTH_A_THREAD = 500_000  # pixel-steps, about half a millisecond


@compile_loop
def _step(x: _Array, slow: _Array, out: _Array, numbers: Any) -> None:
    """One step of the pixels ``[pixel]``, in the precision of the numbers, without a branch."""
    keep, take, weight, gain, threshold, level, square, room, fraction, least, zero = numbers
    for i in range(x.size):
        slow[i] = keep * slow[i] + take * x[i]
        u = gain * (x[i] - weight * slow[i]) - threshold
        below = u if u < zero else zero
        above = u if u > zero else zero
        depth = level - below
        depth = depth if depth > least else least
        out[i] = square / depth + room * above / (room + above * fraction)


@compile_loop
def _run(x: _Array, slow: _Array, out: _Array, numbers: Any, low: int, high: int) -> None:
    """Fill out ``[time, pixel]`` and advance slow ``[pixel]``, for the pixels from `low` to `high`."""
    part = slow[low:high]
    for t in range(x.shape[0]):
        _step(x[t, low:high], part, out[t, low:high], numbers)


def ganglion_current_compiled(
    x: Tensor,
    slow: Tensor,
    keep: Tensor | float,
    weight: Tensor | float,
    gain: Tensor | float,
    threshold: Tensor | float,
    level: Tensor | float,
) -> tuple[Tensor, Tensor]:
    """Run the loop, large images in pieces."""
    planes, time, pixels = x.shape[0] * x.shape[1], x.shape[2], x.shape[3] * x.shape[4]
    movie = x.detach().contiguous().view(planes, time, pixels)
    memory = slow.detach().reshape(planes, pixels).clone()
    out = torch.empty_like(movie)
    e, w, g, t, i = (v.item() if isinstance(v, Tensor) else v for v in (keep, weight, gain, threshold, level))
    kind = movie.numpy().dtype
    values = e, 1 - e, w, g, t, i, i * i, 1 - i / SATURATION, 1 / SATURATION, np.finfo(kind).tiny, 0.0
    numbers = tuple(kind.type(value) for value in values)
    pieces = cut(pixels, movie.numel(), _WORTH_A_THREAD, planes)
    arrays = [(a.numpy(), b.numpy(), c.numpy()) for a, b, c in zip(movie, memory, out, strict=True)]
    share_work(_run, [(*plane, numbers, low, high) for plane in arrays for low, high in pieces])
    return out.view(x.shape), memory.view(slow.shape)
