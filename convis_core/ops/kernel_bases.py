"""Kernels as sums of few smooth functions of time and of space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.ops.lags import raised_cosines
from convis_core.ops.splines import cubic_splines
from convis_core.scalars import is_number

__all__ = ["KERNEL_BASES", "KernelBasis", "kernel_basis"]

FEWEST_SPLINES: Final = 4
"""A cubic spline has no fewer."""


@dataclass(frozen=True)
class KernelBasis:
    """Functions of time times functions of either axis of space, and how many there are of each.

    Parameters
    ----------
    time : callable
        ``time(n_lags, count)`` gives ``[lag, count]``.
    counts : (int, int, int), optional
        Functions along lag, x and y, None along an axis whose points are all for themselves; by default
        about half as many as there are points.

    Examples
    --------
    >>> [tuple(matrix.shape) for matrix in KernelBasis().matrices((10, 15, 15))]
    [(10, 6), (15, 9), (15, 9)]
    """

    time: Callable[[int, int], Tensor] = cubic_splines
    counts: tuple[int | None, int | None, int | None] | None = None

    def __post_init__(self) -> None:
        if not callable(self.time):
            raise ParameterError(
                f"The functions of time are made by time(n_lags, count), got {self.time!r:.80}.",
                "Give e.g. convis_core.ops.lags.raised_cosines.",
            )
        given = self.counts
        if given is not None and (not isinstance(given, (tuple, list)) or [*map(_may_be_count, given)] != [True] * 3):
            raise ParameterError(
                f"There are three counts of functions, along lag, x and y, got {given!r:.80}.",
                "Give e.g. (5, None, None), with None for an axis that is to have no basis.",
            )

    def matrices(self, size: tuple[int, int, int]) -> list[Tensor]:
        """Values of the functions along each axis, ``[point, function]``."""
        counts = self.counts or tuple(min(n, max(4, n // 2 + 1 + (n % 2))) for n in size)
        makers = (self.time, cubic_splines, cubic_splines)
        return [_functions(make, n, count) for make, n, count in zip(makers, size, counts, strict=True)]


def _may_be_count(value: Any) -> bool:
    return value is None or (is_number(value) and value % 1 == 0)


def _functions(make: Callable[[int, int], Tensor], n: int, count: int | None) -> Tensor:
    if count is None or count == n < FEWEST_SPLINES:
        return torch.eye(n, dtype=torch.float64)
    fewest = FEWEST_SPLINES if make is cubic_splines else 2
    if not fewest <= count <= n:
        raise ParameterError(
            f"{n} points of a kernel cannot be described by {count} functions, at least {fewest} are needed and "
            f"at most {n}.",
            "Give None for an axis that is to have no basis.",
        )
    return make(n, int(count))


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
    if not isinstance(chosen, KernelBasis):
        raise ParameterError(
            f"A basis is a name or a KernelBasis, got {chosen!r}.", f"Give e.g. {next(iter(KERNEL_BASES))!r}."
        )
    return chosen.matrices(size)
