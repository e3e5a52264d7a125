"""Deriche's recursions along both axes of a frame, compiled for the processor.

They run from row to row, so that a whole row is computed at once; the other axis is blurred
in the transposed frame. The work for a pixel is the same for frames of any size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, cut, share_work
from convis_core.ops.deriche_recursion import Recursion

__all__ = ["Tables", "blur_frame", "blur_frames", "tables"]

_Array = NDArray[Any]
Tables = tuple[_Array, _Array, _Array, _Array, int, _Array]
"""Coefficients along x, forth and back, and along y; how far ahead the newest input is, going back; and, where
scales vary from pixel to pixel, by what the result is multiplied ``[x, y]`` for a uniform frame to stay so."""

_WORTH_A_THREAD = 250_000  # pixels, about half a millisecond
_TILE = 16


@compile_loop
def _blur_along_rows(x: _Array, causal: _Array, blurred: _Array, forth: _Array, back: _Array, lead: int) -> None:
    """Blur a frame ``[row, pixel]`` along its first axis; the result are the first rows of `blurred`.

    Both `causal` (scratch) and `blurred` have two rows more. The coefficients forth and back are
    ``[row or 1, 5, pixel or 1]``: of x and the x before, of the output before and the one before
    that, and what part of the edge the recursion starts from. Going back, the newest x is the
    one `lead` rows ahead.
    """
    n, width = x.shape
    many = 0 if forth.shape[0] == 1 else 1
    alike = forth.shape[2] == 1
    for j in range(width):
        first = forth[0, 4, j % forth.shape[2]] * x[0, j]
        last = back[many * (n - 1), 4, j % back.shape[2]] * x[n - 1, j]
        causal[0, j] = causal[1, j] = first
        blurred[n, j] = blurred[n + 1, j] = last
    for i in range(n):
        k = forth[many * i]
        older = max(i - 1, 0)
        if alike:
            k0, k1, k2, k3 = k[0, 0], k[1, 0], k[2, 0], k[3, 0]
            for j in range(width):
                causal[i + 2, j] = k0 * x[i, j] + k1 * x[older, j] + k2 * causal[i + 1, j] + k3 * causal[i, j]
        else:
            for j in range(width):
                recent = k[0, j] * x[i, j] + k[1, j] * x[older, j]
                causal[i + 2, j] = recent + k[2, j] * causal[i + 1, j] + k[3, j] * causal[i, j]
    for i in range(n - 1, -1, -1):
        k = back[many * i]
        newest, older = min(i + lead, n - 1), min(i + lead + 1, n - 1)
        if alike:
            k0, k1, k2, k3 = k[0, 0], k[1, 0], k[2, 0], k[3, 0]
            for j in range(width):
                recent = k0 * x[newest, j] + k1 * x[older, j]
                blurred[i, j] = recent + k2 * blurred[i + 1, j] + k3 * blurred[i + 2, j]
        else:
            for j in range(width):
                recent = k[0, j] * x[newest, j] + k[1, j] * x[older, j]
                blurred[i, j] = recent + k[2, j] * blurred[i + 1, j] + k[3, j] * blurred[i + 2, j]
    for i in range(n):
        for j in range(width):
            blurred[i, j] += causal[i + 2, j]


@compile_loop
def _transpose(x: _Array, y: _Array) -> None:
    """Copy the first rows of x into y, turned, a few at a time to stay in the cache."""
    m, n = y.shape
    for start in range(0, n, _TILE):
        stop = min(start + _TILE, n)
        for j in range(m):
            for i in range(start, stop):
                y[j, i] = x[i, j]


@compile_loop
def blur_frame(frame: _Array, blurred: _Array, scratch: _Array, tables: Tables) -> None:
    """Blur a frame ``[x, y]``, along y first; it is lost. The scratch is flat, ``[3, x * y + 2 * max(x, y)]``."""
    n, m = frame.shape
    rows_forth, rows_back, columns_forth, columns_back, lead, gain = tables
    tall, wide = (n + 2) * m, (m + 2) * n
    turned = scratch[0, : m * n].reshape(m, n)
    causal, anticausal = scratch[1, :wide].reshape(m + 2, n), scratch[2, :wide].reshape(m + 2, n)
    _transpose(frame, turned)
    _blur_along_rows(turned, causal, anticausal, columns_forth, columns_back, lead)
    _transpose(anticausal, frame)
    causal, anticausal = scratch[1, :tall].reshape(n + 2, m), scratch[2, :tall].reshape(n + 2, m)
    _blur_along_rows(frame, causal, anticausal, rows_forth, rows_back, lead)
    if gain.size:
        for i in range(n):
            for j in range(m):
                blurred[i, j] = anticausal[i, j] * gain[i, j]
    else:
        for i in range(n):
            for j in range(m):
                blurred[i, j] = anticausal[i, j]


@compile_loop
def _blur_some(movie: _Array, blurred: _Array, tables: Tables) -> None:
    _, n, m = movie.shape
    scratch = np.empty((4, n * m + 2 * max(n, m)), movie.dtype)
    frame = scratch[3, : n * m].reshape(n, m)
    for t in range(movie.shape[0]):
        for i in range(n):
            for j in range(m):
                frame[i, j] = movie[t, i, j]
        blur_frame(frame, blurred[t], scratch, tables)


def tables(along: tuple[Recursion, Recursion], dtype: torch.dtype) -> Tables:
    """Coefficients as the loops take them, in their precision."""
    parts = [part.detach().to(dtype).contiguous().numpy() for r in along for part in (r.forth, r.back)]
    n, m = along[0].forth.shape[0], along[0].forth.shape[2]
    kind = parts[0].dtype
    plain = parts[0], parts[1], parts[2], parts[3], along[0].lead, np.empty((0, 0), kind)
    if not along[0].keeps_sums:
        return plain
    ones, blurred = np.ones((n, m), kind), np.empty((n, m), kind)
    blur_frame(ones, blurred, np.empty((3, n * m + 2 * max(n, m)), kind), plain)
    return (*plain[:5], 1.0 / blurred)


def blur_frames(x: Tensor, along: tuple[Recursion, Recursion]) -> Tensor:
    """Blur every frame of ``[batch, channel, time, x, y]``, without a gradient."""
    movie = x.detach().contiguous().flatten(0, 2)
    blurred = torch.empty_like(movie)
    pieces = cut(movie.shape[0], movie.numel(), _WORTH_A_THREAD)
    arrays, numbers = (movie.numpy(), blurred.numpy()), tables(along, x.dtype)
    share_work(_blur_some, [(*(a[low:high] for a in arrays), numbers) for low, high in pieces])
    return blurred.view(x.shape)
