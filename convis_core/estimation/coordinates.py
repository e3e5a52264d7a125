"""The few directions in which a smooth filter can vary, and what the stimulus is along them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from convis_core.ops.lags import delayed_sum

__all__ = ["Coordinates", "every_direction", "likely_directions"]

FactorsOf = Callable[[Tensor], tuple[Tensor, Tensor]]

NEGLIGIBLE: Final = 1e-3
"""Prior variance of a direction, as a share of the largest, below which it is left out."""


@dataclass(frozen=True)
class Coordinates:
    """Pairs of a direction in time and one in space; a filter is a sum of their products.

    Parameters
    ----------
    over_time, over_space : Tensor, shape [function, direction]
        Orthonormal directions, in terms of the functions that the filter is described by.
    first, second : Tensor, shape [coordinate]
        Which direction in time and which in space each coordinate is.
    """

    over_time: Tensor
    over_space: Tensor
    first: Tensor
    second: Tensor

    def design(self, stimulus: Tensor, time_basis: Tensor) -> Tensor:
        """What the stimulus ``[time, function]`` gives each coordinate, ``[time, coordinate]``."""
        along = stimulus @ self.over_space
        columns = along.new_empty(len(along), len(self.first))
        for k in sorted(set(self.first.tolist())):
            mine = self.first == k
            columns[:, mine] = delayed_sum(along[:, self.second[mine]], time_basis @ self.over_time[:, k])
        return columns

    def whole(self, weights: Tensor) -> Tensor:
        """Coefficients ``[function of time, function of space]`` of weights ``[coordinate]``."""
        inner = weights.new_zeros(self.over_time.shape[1], self.over_space.shape[1])
        inner[self.first, self.second] = weights
        return self.over_time @ inner @ self.over_space.T

    def of(self, coefficients: Tensor) -> Tensor:
        """Coordinates of coefficients, as far as these directions go."""
        return (self.over_time.T @ coefficients @ self.over_space)[self.first, self.second]

    def covariance(self, over_time: Tensor, over_space: Tensor) -> tuple[Tensor, FactorsOf]:
        """Covariance of the coordinates where that of the coefficients is a product, ``[coordinate, coordinate]``.

        With it comes what slopes in it are as slopes in both factors.
        """
        first, second = self.first, self.second
        inner_time = (self.over_time.T @ over_time @ self.over_time)[first[:, None], first]
        inner_space = (self.over_space.T @ over_space @ self.over_space)[second[:, None], second]

        def factors(slope: Tensor) -> tuple[Tensor, Tensor]:
            return _outwards(slope * inner_space, first, self.over_time), _outwards(
                slope * inner_time, second, self.over_space
            )

        return inner_time * inner_space, factors

    def variances(self, covariance: Tensor, time_basis: Tensor, space_basis: Tensor) -> Tensor:
        """Variance of every point of the filter, ``[lag, pixel]``."""
        times, places = time_basis @ self.over_time, space_basis @ self.over_space
        rows = []
        for time in times:
            used = time[self.first].nonzero()[:, 0]  # where every lag stands for itself, few
            seen = time[self.first[used]] * places[:, self.second[used]]
            rows.append(((seen @ covariance[used[:, None], used]) * seen).sum(dim=1))
        return torch.stack(rows).clamp_min(0.0)


def every_direction(n_time: int, n_space: int) -> Coordinates:
    """Every coefficient for itself."""
    pairs = torch.cartesian_prod(torch.arange(n_time), torch.arange(n_space))
    return Coordinates(torch.eye(n_time).double(), torch.eye(n_space).double(), pairs[:, 0], pairs[:, 1])


def likely_directions(over_time: Tensor, over_space: Tensor) -> Coordinates:
    """Directions along which a prior lets the filter vary at all."""
    values_time, vectors_time = torch.linalg.eigh(over_time)
    values_space, vectors_space = torch.linalg.eigh(over_space)
    product = values_time[:, None] * values_space
    first, second = (product > NEGLIGIBLE * product.max()).nonzero(as_tuple=True)
    return Coordinates(vectors_time, vectors_space, first, second)


def _outwards(slope: Tensor, which: Tensor, directions: Tensor) -> Tensor:
    """Slopes in a covariance of functions, of those between coordinates that are each along one of the directions."""
    n = directions.shape[1]
    rows = slope.new_zeros(n, len(slope)).index_add_(0, which, slope)
    both = slope.new_zeros(n, n).index_add_(1, which, rows)
    return directions @ both @ directions.T
