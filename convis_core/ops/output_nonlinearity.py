"""From the drive of a cell to the spikes it is expected to fire, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.errors import UnknownNameError

__all__ = ["OUTPUT_NONLINEARITIES", "STEEPEST", "exponential", "output_nonlinearity"]

STEEPEST: Final = 10.0
"""Drive from which the exponential goes on as a straight line."""


def exponential(drive: Tensor) -> Tensor:
    r"""Exponential, :math:`e^u`, continued by its tangent from a drive of 10 on.

    A step of an optimiser that is too long then gives a large loss with a slope back, not an infinite one.

    Examples
    --------
    >>> exponential(torch.tensor([0.0, 1.0, 11.0])) / torch.tensor([1.0, torch.e, torch.e**10])
    tensor([1., 1., 2.])
    """
    return drive.clamp(max=STEEPEST).exp() * (1.0 + (drive - STEEPEST).clamp(min=0.0))


OUTPUT_NONLINEARITIES: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "exponential": exponential,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "rectified": torch.relu,
    "linear": lambda drive: drive,
}


def output_nonlinearity(name: str) -> Callable[[Tensor], Tensor]:
    r"""Return an output nonlinearity by name.

    ``"exponential"`` is :math:`e^u`, ``"softplus"`` :math:`\log(1 + e^u)`, ``"sigmoid"``
    :math:`1 / (1 + e^{-u})`, ``"rectified"`` :math:`\max(0, u)` and ``"linear"`` :math:`u`.

    Raises
    ------
    UnknownNameError
        For any other name.

    Examples
    --------
    >>> output_nonlinearity("sigmoid")(torch.tensor(0.0))
    tensor(0.5000)
    """
    if name not in OUTPUT_NONLINEARITIES:
        raise UnknownNameError(
            f"There is no output nonlinearity called {name!r}.", f"There are: {', '.join(OUTPUT_NONLINEARITIES)}."
        )
    return OUTPUT_NONLINEARITIES[name]
