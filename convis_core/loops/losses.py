"""Losses between a response and a target, each summed over everything it is given."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

__all__ = ["Loss", "sum_squared_error"]

Loss = Callable[[Tensor, Tensor], Tensor]


def sum_squared_error(response: Tensor, target: Tensor) -> Tensor:
    r"""Sum of squared errors, :math:`\sum (r - y)^2`.

    Parameters
    ----------
    response, target : Tensor
        Shapes that broadcast against one another.

    Examples
    --------
    >>> import torch
    >>> float(sum_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])))
    4.0
    """
    return (response - target).square().sum()
