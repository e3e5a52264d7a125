"""Cubic B-splines, to describe what is smooth by few numbers."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cubic_splines"]


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
    knots = torch.cat([inner[:1].repeat(3), inner, inner[-1:].repeat(3)])
    at = torch.linspace(0.0, 1.0, n, dtype=dtype)[:, None]
    values = ((at >= knots[:-1]) & (at < knots[1:])).to(dtype)
    values[-1, count - 1] = 1.0  # the last point belongs to the last interval that is not empty
    for degree in (1, 2, 3):
        rise, fall = knots[degree:-1] - knots[: -degree - 1], knots[degree + 1 :] - knots[1:-degree]
        up = torch.where(rise > 0, (at - knots[: -degree - 1]) / rise.clamp_min(1e-12), 0.0)
        down = torch.where(fall > 0, (knots[degree + 1 :] - at) / fall.clamp_min(1e-12), 0.0)
        values = up * values[:, :-1] + down * values[:, 1:]
    return values
