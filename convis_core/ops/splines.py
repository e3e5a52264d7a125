"""Cubic B-splines, to describe what is smooth by few numbers."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cubic_splines", "open_knots", "spline_values"]


def cubic_splines(n: int, count: int, *, dtype: torch.dtype = torch.float64) -> Tensor:
    """Cubic B-splines on evenly spread knots, from the first of `n` points to the last.

    They add up to 1 at every point; with as many knots as points at the borders as in between.

    Parameters
    ----------
    n : int
        Points at which they are evaluated.
    count : int
        Number of splines, at least 4.

    Returns
    -------
    Tensor, shape [n, count]

    References
    ----------
    de Boor (1972) On calculating with B-splines. doi:10.1016/0021-9045(72)90080-9

    Examples
    --------
    >>> tuple(cubic_splines(7, 4).shape)
    (7, 4)
    >>> cubic_splines(7, 4)[0]  # the first one alone reaches the border
    tensor([1., 0., 0., 0.], dtype=torch.float64)
    """
    inner = torch.linspace(0.0, 1.0, count - 2, dtype=dtype)
    return spline_values(torch.linspace(0.0, 1.0, n, dtype=dtype), inner)


def spline_values(at: Tensor, breaks: Tensor) -> Tensor:
    """Cubic B-splines between breaks that may be spread unevenly; they add up to 1 from the first to the last.

    Parameters
    ----------
    at : Tensor, shape [n]
        Points from the first break to the last.
    breaks : Tensor, shape [m]
        In rising order, at least two.

    Returns
    -------
    Tensor, shape [n, m + 2]

    Examples
    --------
    >>> spline_values(torch.tensor([0.0, 1.0, 5.0]), torch.tensor([0.0, 1.0, 5.0])).sum(dim=1)
    tensor([1., 1., 1.])
    """
    knots, at = open_knots(breaks), at[:, None]
    values = ((at >= knots[:-1]) & (at < knots[1:])).to(breaks.dtype)
    values[:, len(breaks) + 1] += at[:, 0] == knots[-1]  # the last point belongs to the last interval that is not empty
    for degree in (1, 2, 3):
        rise, fall = knots[degree:-1] - knots[: -degree - 1], knots[degree + 1 :] - knots[1:-degree]
        up = torch.where(rise > 0, (at - knots[: -degree - 1]) / rise.clamp_min(1e-12), 0.0)
        down = torch.where(fall > 0, (knots[degree + 1 :] - at) / fall.clamp_min(1e-12), 0.0)
        values = up * values[:, :-1] + down * values[:, 1:]
    return values


def open_knots(breaks: Tensor) -> Tensor:
    """Breaks with the first and the last of them four times, as cubic splines need them."""
    return torch.cat([breaks[:1].repeat(3), breaks, breaks[-1:].repeat(3)])
