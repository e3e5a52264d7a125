"""Output nonlinearities of a Poisson neuron: the rate at a drive, and how it changes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from convis_core.errors import UnknownNameError

__all__ = ["NONLINEARITIES", "Nonlinearity", "nonlinearity_named"]

SILENCE: Final = 1e-12
"""Expected count below which a rate is not let fall, so that its logarithm stays finite."""

FLAT: Final = 1e-9
"""Spread of a drive, as a share of its largest value, below which it is rounding alone."""


@dataclass(frozen=True)
class Nonlinearity:
    """A rate as a function of the drive, with what Newton's method needs to know of it."""

    name: str
    rate: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]

    def log_likelihood(self, drive: Tensor, counts: Tensor) -> float:
        """Poisson log-likelihood of counts, without the term of the counts alone."""
        rate = self.rate(drive)
        return float((counts * rate.log() - rate).sum())

    def newton_terms(self, drive: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Slope of the log-likelihood in the drive, and its expected curvature (Fisher's)."""
        rate, slope = self.rate(drive), self.slope(drive)
        return (counts / rate - 1.0) * slope, slope * slope / rate

    def gain_and_offset(self, drive: Tensor, counts: Tensor) -> tuple[float, float]:
        """Most likely scale of a drive, and what is added to it, by Newton's method."""
        size, level = float(drive.std()), self.inverse(counts.mean().clamp_min(SILENCE))
        if not size > FLAT * float(drive.abs().max()):
            return 0.0, float(level)
        design = torch.stack([drive / size, torch.ones_like(drive)], dim=1)
        weights = torch.stack([design.new_tensor(0.0), level])
        for _ in range(8):
            slope, curvature = self.newton_terms(design @ weights, counts)
            information = design.T @ (curvature[:, None] * design)
            weights = weights + torch.linalg.solve(information, design.T @ slope)
        return float(weights[0]) / size, float(weights[1])


STEEPEST: Final = 20.0
"""Drive above which an exponential no longer grows."""

NONLINEARITIES: Final = {
    "softplus": Nonlinearity(
        "softplus",
        lambda u: torch.nn.functional.softplus(u).clamp_min(SILENCE),
        torch.sigmoid,
        lambda rate: rate + torch.log(-torch.expm1(-rate)),
    ),
    "exponential": Nonlinearity(
        "exponential",
        lambda u: u.clamp(max=STEEPEST).exp().clamp_min(SILENCE),
        lambda u: u.clamp(max=STEEPEST).exp(),
        torch.log,
    ),
}


def nonlinearity_named(name: str) -> Nonlinearity:
    """Return an output nonlinearity by name.

    Examples
    --------
    >>> float(nonlinearity_named("exponential").rate(torch.tensor(0.0)))
    1.0
    """
    if not isinstance(name, str) or name not in NONLINEARITIES:
        raise UnknownNameError(
            f"There is no output nonlinearity called {name!r}.", f"There are: {', '.join(NONLINEARITIES)}."
        )
    return NONLINEARITIES[name]
