"""Kernels as sums of few smooth functions of time and of space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from convis_core.errors import FitError, UnknownNameError
from convis_core.ops.lags import raised_cosines
from convis_core.ops.splines import cubic_splines

__all__ = ["KERNEL_BASES", "KernelBasis", "kernel_basis"]


@dataclass(frozen=True)
class KernelBasis:
    """Functions of time times functions of either axis of space, and how many there are of each.

    Parameters
    ----------
    time : callable
        ``time(n_lags, count)`` gives ``[lag, count]``.
    counts : (int, int, int), optional
        Functions along lag, x and y; by default about half as many as there are points.

    Examples
    --------
    >>> [tuple(matrix.shape) for matrix in KernelBasis().matrices((10, 15, 15))]
    [(10, 6), (15, 9), (15, 9)]
    """

    time: Callable[[int, int], Tensor] = cubic_splines
    counts: tuple[int, int, int] | None = None

    def matrices(self, size: tuple[int, int, int]) -> list[Tensor]:
        """Values of the functions along each axis, ``[point, function]``."""
        counts = self.counts or tuple(min(n, max(4, n // 2 + 1 + (n % 2))) for n in size)
        if any(not 0 < count <= n for count, n in zip(counts, size, strict=True)):
            raise FitError(
                f"A kernel of {size} points cannot be described by {counts} functions along its axes.",
                "Take at least one and at most as many as there are points.",
            )
        makers = (self.time, cubic_splines, cubic_splines)
        # fewer than four make no cubic spline: then every point is for itself
        return [
            make(n, count) if count >= 4 else torch.eye(n, dtype=torch.float64)
            for make, n, count in zip(makers, size, counts, strict=True)
        ]


KERNEL_BASES: Final = {"spline": KernelBasis(), "raised_cosine": KernelBasis(raised_cosines)}
"""Cubic splines along all axes; raised cosines along the lag, narrow at first and wider later."""


def kernel_basis(chosen: KernelBasis | str | None, size: tuple[int, int, int]) -> list[Tensor]:
    """Matrices ``[point, function]`` along lag, x and y of a basis by name; of None, every point for itself."""
    if chosen is None:
        return [torch.eye(n, dtype=torch.float64) for n in size]
    if isinstance(chosen, str):
        if chosen not in KERNEL_BASES:
            raise UnknownNameError(f"There is no basis {chosen!r}.", f"There are: {', '.join(KERNEL_BASES)}.")
        chosen = KERNEL_BASES[chosen]
    return chosen.matrices(size)
