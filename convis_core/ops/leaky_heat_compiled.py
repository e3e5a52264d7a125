"""The loop of `convis_core.ops.leaky_heat`, compiled for the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, share_work
from convis_core.ops.deriche_compiled import Tables, blur_frame, tables
from convis_core.ops.deriche_recursion import Recursion

__all__ = ["leaky_heat_compiled"]

_Array = NDArray[Any]


@compile_loop
def _mix(out: _Array, before: _Array, x: _Array, keep: float, take: float) -> None:
    for i in range(out.size):
        out[i] = keep * before[i] + take * x[i]


@compile_loop
def _run(x: _Array, last: _Array, y: _Array, scratch: _Array, keep: float, take: float, coefficients: Tables) -> None:
    """Fill y ``[time, x, y]`` from last ``[pixel]``; the scratch is that of `blur_frame` and a frame more."""
    _, n, m = x.shape
    mixed = scratch[3, : n * m]
    before = last
    for t in range(x.shape[0]):
        _mix(mixed, before, x[t].reshape(n * m), keep, take)
        blur_frame(mixed.reshape(n, m), y[t], scratch, coefficients)
        before = y[t].reshape(n * m)


def leaky_heat_compiled(
    x: Tensor, last: Tensor, keep: float, along: tuple[Recursion, Recursion]
) -> tuple[Tensor, Tensor]:
    """Run the loop over every image of the batch and channel."""
    n, m = x.shape[3:]
    movie, before = x.detach().contiguous().flatten(0, 1), last.detach().contiguous().flatten(0, 1).flatten(1)
    out = torch.empty_like(movie)
    kind = movie.numpy().dtype.type
    numbers = kind(keep), kind(1.0 - keep), tables(along, x.dtype)
    arrays = [tuple(part[k].numpy() for part in (movie, before, out)) for k in range(len(movie))]
    size = 4, n * m + 2 * max(n, m)
    share_work(_run, [(*plane, np.empty(size, kind), *numbers) for plane in arrays])
    y = out.view(x.shape)
    return y, y[:, :, -1].clone()
