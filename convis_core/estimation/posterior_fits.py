"""Filters as posterior means: ridge, ARD, ASD and ALD, their hyper-parameters set by the evidence.

Each takes the same data and gives the same: weights, their covariance, and the directions these are about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.coordinates import Coordinates, every_direction, likely_directions
from convis_core.estimation.evidence import (
    PseudoData,
    log_evidence,
    maximise_evidence,
    posterior_covariance,
    pseudo_data,
)
from convis_core.estimation.filter_priors import FilterPrior, Local, Smooth
from convis_core.estimation.nonlinearity import Nonlinearity
from convis_core.estimation.priors import Pullback
from convis_core.estimation.ridge import best_ridge

__all__ = ["Along", "Data", "Posterior", "fit_ald", "fit_ard", "fit_asd", "fit_ridge"]

ROUNDS: Final = 3
"""Newton steps, each with the evidence climbed anew."""

ROUNDS_IN_FULL: Final = 2
"""Newton steps where every weight counts: they take seconds each, and the third changes little."""

PRUNED: Final = 1e-4
"""Prior variance, as a share of the mean one, below which a weight of ARD counts as 0."""


@dataclass(frozen=True)
class Data:
    """What a fit stands on: stimulus ``[time, function]``, counts ``[time]`` and functions of time ``[lag, function]``.

    `grid` is the number of functions along lag, x and y.
    """

    stimulus: Tensor
    counts: Tensor
    time_basis: Tensor
    grid: tuple[int, int, int]
    shape: Nonlinearity

    @property
    def power(self) -> float:
        """Variance of a weight with which all together drive the cell with about unit variance."""
        total = float(self.stimulus.var(dim=0).sum()) * float(self.time_basis.square().sum())
        return 1.0 / max(total, torch.finfo(torch.float64).tiny)


@dataclass(frozen=True)
class Posterior:
    """Mean and covariance of the weights along some directions, and the offset."""

    coordinates: Coordinates
    weights: Tensor
    covariance: Tensor
    offset: float


def fit_ridge(data: Data) -> Posterior:
    r"""Independent weights of one variance, :math:`w \sim N(0, \rho I)`.

    References
    ----------
    MacKay (1992) Bayesian interpolation. doi:10.1162/neco.1992.4.3.415
    """
    steps = _Newton(data, every_direction(data.grid[0], data.grid[1] * data.grid[2]))
    place, step = math.log(data.power), 2.0
    for _ in range(ROUNDS_IN_FULL):
        seen = steps.look()
        place, weights, root = best_ridge(seen, place, step)
        step = 0.5  # it hardly moves any more
        steps.step(seen, weights)
    return steps.posterior(torch.cholesky_inverse(root))


def fit_ard(data: Data) -> Posterior:
    r"""Independent weights, each of a variance of its own: most turn out to be 0.

    References
    ----------
    Tipping (2001) Sparse Bayesian learning and the relevance vector machine, J. Mach. Learn. Res. 1, 211-244;
    MacKay (1996) Bayesian non-linear modeling for the prediction competition. doi:10.1007/978-94-015-8729-7_18
    """
    everything = every_direction(data.grid[0], data.grid[1] * data.grid[2])
    steps = _Newton(data, everything)
    variance = torch.full((len(everything.first),), 10 * data.power, dtype=torch.float64)
    for _ in range(ROUNDS_IN_FULL):
        seen = steps.look()
        weights = torch.zeros_like(variance)
        for _ in range(15):
            kept = variance > PRUNED * variance.mean()
            variance = torch.where(kept, variance, 0.0)
            at = kept.nonzero()[:, 0]
            sharp = seen.information[at[:, None], at] + torch.diag(1 / variance[kept])
            covariance = torch.cholesky_inverse(torch.linalg.cholesky(sharp))
            mean = covariance @ seen.pull[kept]
            determined = (1 - covariance.diagonal() / variance[kept]).clamp_min(1e-6)
            weights = torch.zeros_like(variance).masked_scatter(kept, mean)
            variance = torch.zeros_like(variance).masked_scatter(kept, mean.square() / determined)
        steps.step(seen, weights)
    whole = torch.zeros(len(variance), len(variance), dtype=torch.float64)
    whole[at[:, None], at] = covariance
    return steps.posterior(whole)


def fit_asd(data: Data) -> Posterior:
    """Smooth filters; see `Smooth`."""
    return _climbed(data, Smooth(data.grid, 30 * data.power))[0]


def fit_ald(data: Data) -> Posterior:
    """Local filters; see `Local`. They are first sought among smooth ones."""
    smooth, _ = _climbed(data, Smooth(data.grid, 30 * data.power), rounds=1)
    prior = Local(data.grid, 100 * data.power)
    steps = _Newton(data, smooth.coordinates)
    seen, reduced = steps.look(), Along(prior, smooth.coordinates)
    starts = prior.starts(smooth.coordinates.whole(smooth.weights).reshape(data.grid))
    promise = [log_evidence(seen, reduced.at(start)[0]) for start in starts]
    best = sorted(range(len(starts)), key=lambda k: -promise[k])[:2]
    climbed = [maximise_evidence(reduced, seen, starts[k], max_steps=15) for k in best]
    hyper, weights, _ = max(climbed, key=lambda found: found[2])
    steps.step(seen, weights)
    return _climbed(data, prior, hyper, steps)[0]


def _climbed(
    data: Data, prior: FilterPrior, hyper: Tensor | None = None, steps: _Newton | None = None, rounds: int = ROUNDS
) -> tuple[Posterior, Tensor]:
    """Newton steps along the directions that the prior makes likely, these chosen anew before each."""
    hyper = prior.expected if hyper is None else hyper
    for _ in range(rounds):
        coordinates = likely_directions(*prior.factors(hyper)[:2])
        steps = _Newton(data, coordinates) if steps is None else steps.along(coordinates)
        seen, reduced = steps.look(), Along(prior, coordinates)
        hyper, weights, _ = maximise_evidence(reduced, seen, hyper, max_steps=20)
        steps.step(seen, weights)
    assert steps is not None
    return steps.posterior(posterior_covariance(seen, reduced.at(hyper)[0])), hyper


class Along:
    """A prior as it is along some directions."""

    def __init__(self, prior: FilterPrior, coordinates: Coordinates) -> None:
        self._prior, self._coordinates = prior, coordinates
        self.expected, self.spread = prior.expected, prior.spread

    def at(self, hyper: Tensor) -> tuple[Tensor, Pullback]:
        over_time, over_space, pullback = self._prior.factors(hyper)
        covariance, factors = self._coordinates.covariance(over_time, over_space)
        return covariance, lambda slope: pullback(*factors(slope))


class _Newton:
    """Weights along some directions, and steps towards better ones."""

    def __init__(self, data: Data, coordinates: Coordinates) -> None:
        self.data, self.coordinates = data, coordinates
        self.design = coordinates.design(data.stimulus, data.time_basis)
        self.weights = data.stimulus.new_zeros(len(coordinates.first))
        self.offset = float(data.shape.inverse(data.counts.mean()))

    def along(self, coordinates: Coordinates) -> _Newton:
        """The same filter along other directions."""
        other = _Newton(self.data, coordinates)
        other.weights, other.offset = coordinates.of(self.coordinates.whole(self.weights)), self.offset
        return other

    def look(self) -> PseudoData:
        drive = self.design @ self.weights + self.offset
        return pseudo_data(self.design, self.weights, drive, self.data.counts, self.data.shape)

    def step(self, seen: PseudoData, new: Tensor) -> None:
        """Go to new weights, half the way while that explains the spikes worse than a constant rate."""
        shape, counts = self.data.shape, self.data.counts
        floor = shape.log_likelihood(shape.inverse(counts.mean()).expand_as(counts), counts)
        floor = min(floor, shape.log_likelihood(self.design @ self.weights + self.offset, counts))
        share, change = 1.0, seen.offset_change(new)
        while share > 1e-3:
            weights, offset = self.weights + share * (new - self.weights), self.offset + share * change
            if shape.log_likelihood(self.design @ weights + offset, counts) >= floor:
                self.weights, self.offset = weights, offset
                return
            share /= 2

    def posterior(self, covariance: Tensor) -> Posterior:
        return Posterior(self.coordinates, self.weights, covariance, self.offset)
