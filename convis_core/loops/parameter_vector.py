"""Parameters of an optimiser as one vector, each number measured by its size and kept within its bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["Bounds", "ParameterVector", "bounds_by_identity", "sizes_of"]

Bounds = Sequence[tuple[Tensor, float, float]]
"""Parameters with their lowest and highest value."""


def bounds_by_identity(bounds: Bounds) -> dict[int, tuple[float, float]]:
    """Lowest and highest value by the identity of the parameter."""
    return {id(tensor): (low, high) for tensor, low, high in bounds}


def sizes_of(parameters: Sequence[Tensor]) -> Tensor:
    """What each number is measured by: a number that is a parameter on its own by itself, all others by 1."""
    return torch.cat([_size(p.detach().abs().reshape(-1)) for p in parameters])


def _size(value: Tensor) -> Tensor:
    alone = len(value) == 1 and 0.0 < float(value) < math.inf
    return value.clone() if alone else torch.ones_like(value)


class ParameterVector:
    """Reads and writes parameters, and reads their gradient, in units of their sizes.

    Examples
    --------
    >>> tau, weights = torch.tensor(0.02, requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    >>> vector = ParameterVector([tau, weights], bounds_by_identity([(tau, 0.0, 0.03)]), sizes_of([tau, weights]))
    >>> vector.read()
    tensor([1., 3., 4.])
    >>> with torch.no_grad():
    ...     vector.write(torch.tensor([2.0, 5.0, 6.0]))
    >>> round(tau.item(), 3), weights.tolist()
    (0.03, [5.0, 6.0])
    """

    def __init__(self, parameters: Sequence[Tensor], within: Mapping[int, tuple[float, float]], sizes: Tensor) -> None:
        self._parameters, self._sizes = parameters, sizes
        self._within = [within.get(id(p), (-math.inf, math.inf)) for p in parameters]
        self.low, self.high = (
            torch.cat([p.new_full((p.numel(),), side[k]) for p, side in zip(parameters, self._within, strict=True)])
            / sizes
            for k in (0, 1)
        )

    def enter_bounds(self) -> None:
        """Put what lies beyond a bound at it, and leave all else to the last digit as it is."""
        for parameter, (low, high) in zip(self._parameters, self._within, strict=True):
            parameter.clamp_(low, high)

    def read(self) -> Tensor:
        """Where the parameters are."""
        return torch.cat([p.detach().reshape(-1) for p in self._parameters]) / self._sizes

    def gradient(self) -> Tensor:
        """Gradient that the last evaluation left; 0 where it left none."""
        slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters]
        return torch.cat([slope.reshape(-1) for slope in slopes]) * self._sizes

    def write(self, place: Tensor) -> None:
        """Put the parameters there, or at the bound before."""
        numbers = [p.numel() for p in self._parameters]
        values = (place * self._sizes).split_with_sizes(numbers)
        for parameter, value, (low, high) in zip(self._parameters, values, self._within, strict=True):
            parameter.copy_(value.view_as(parameter).clamp(low, high))
