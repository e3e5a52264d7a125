"""The blur inside `convis_core.ops.gain_control`, compiled: Deriche's recursion along both axes of one frame.

Both recursions run from row to row, so that a whole row is computed at once; the other axis
is blurred in the transposed frame.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from convis_core.ops.compiled import compile_loop

__all__ = ["blur_along_rows", "transpose"]

_Array = NDArray[Any]
_TILE = 16


@compile_loop
def blur_along_rows(x: _Array, causal: _Array, blurred: _Array, forth: _Array, back: _Array, lead: int) -> None:
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
def transpose(x: _Array, y: _Array) -> None:
    """Copy the first rows of x into y, turned, a few at a time to stay in the cache."""
    m, n = y.shape
    for start in range(0, n, _TILE):
        stop = min(start + _TILE, n)
        for j in range(m):
            for i in range(start, stop):
                y[j, i] = x[i, j]
