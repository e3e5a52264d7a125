"""A rectification without a corner, as of the input of ganglion cells."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["SATURATION", "smooth_rectification"]

SATURATION = 5e5
"""Hz towards which the current saturates; it keeps a wild input from overflowing."""


def smooth_rectification(u: Tensor, level: Tensor | float) -> Tensor:
    r"""Rectify smoothly: linear above 0, a hyperbola that falls to 0 below.

    .. math::

        N(u) = \begin{cases} i_0^2 / (i_0 - u) & u \le 0 \\ i_0 + u & u > 0 \end{cases}

    where, exactly, the second saturates: with :math:`S` = 5e5 Hz and :math:`\eta = i_0 / S` it
    is :math:`i_0 + (1 - \eta) \, u / (1 - \eta + u / S)`. For :math:`i_0 = 0` it is a plain
    rectification.

    Parameters
    ----------
    u : Tensor
        What to rectify, in Hz.
    level : Tensor or float
        Its value :math:`i_0` at 0, in Hz.

    Returns
    -------
    Tensor, shape of `u`

    Examples
    --------
    >>> smooth_rectification(torch.tensor([-40.0, 0.0, 40.0]), 40.0).round(decimals=1)
    tensor([20., 40., 80.])
    """
    below, above = u.clamp(max=0.0), torch.relu(u)  # at 0 itself the gradient comes from the first
    least = torch.finfo(u.dtype).tiny
    room = 1.0 - level / SATURATION
    return level * level / (level - below).clamp(min=least) + room * above / (room + above / SATURATION)
