"""Losses between a response and a target, each summed over everything it is given unless it says mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor

from convis_core.errors import FitError
from convis_core.scalars import is_number

__all__ = [
    "Loss",
    "PointwiseLoss",
    "bernoulli_loss",
    "mean_squared_error",
    "negative_binomial_loss",
    "poisson_loss",
    "sum_squared_error",
    "weighted",
]

Loss = Callable[[Tensor, Tensor], Tensor]
"""What any function is that takes response and target and returns one number to make small."""

LEAST: Final = 1e-12
"""Rates and probabilities are not let fall below this, so that one silent bin is no infinite loss."""


@dataclass(frozen=True)
class PointwiseLoss:
    """A loss that is a sum, or a mean, over points, and can therefore weight them.

    Parameters
    ----------
    name : str
    each : callable
        Loss of every point, given response and target.
    mean : bool
        Whether to divide by the number of points, or by the sum of the weights.
    check : callable, optional
        Raises for a target that it is not made for; for likelihoods of events.
    """

    name: str
    each: Callable[[Tensor, Tensor], Tensor]
    mean: bool = False
    check: Callable[[Tensor], None] | None = None

    def __call__(self, response: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Loss of a response, ``[batch, channel, time, x, y]``, with weights that broadcast against it."""
        if weights is not None:
            target = torch.where(weights > 0, target, 0.0)  # what is masked may be anything, NaN too
        if self.check is not None:
            self.check(target)
        loss = self.each(response, target)
        if weights is None:
            return loss.mean() if self.mean and loss.numel() else loss.sum()  # no points, no loss
        weights = weights.expand_as(loss)
        loss = loss * weights
        return loss.sum() / weights.sum().clamp_min(LEAST) if self.mean else loss.sum()

    def __repr__(self) -> str:
        return self.name


def weighted(loss_fn: Loss, response: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
    """Loss with weights, where there are any; a loss of somebody else's making cannot weight points."""
    if weights is None:
        return loss_fn(response, target)
    if not isinstance(loss_fn, PointwiseLoss):
        raise FitError(
            f"Points cannot be weighted in {getattr(loss_fn, '__name__', type(loss_fn).__name__)}.",
            "Use one of convis_core.loops.losses, or PointwiseLoss(name, loss of every point).",
        )
    return loss_fn(response, target, weights)


def _squared(response: Tensor, target: Tensor) -> Tensor:
    return (response - target).square()


def _poisson(rate: Tensor, counts: Tensor) -> Tensor:
    return rate - counts * rate.clamp_min(LEAST).log()


def _bernoulli(probability: Tensor, events: Tensor) -> Tensor:
    p = probability.clamp(LEAST, 1 - 1e-7)
    return -(events * p.log() + (1 - events) * torch.log1p(-p))


def _check_probabilities(events: Tensor) -> None:
    if bool((events.detach() < 0).any()) or bool((events.detach() > 1).any()):
        raise FitError("A Bernoulli likelihood takes targets from 0 to 1.", "Use the Poisson one for counts.")


def check_counts(counts: Tensor, likelihood: str = "Poisson") -> None:
    """Refuse counts that are none."""
    bad = counts.detach()
    bad = bad[(bad < 0) | (bad != bad.round())]
    if bad.numel():
        raise FitError(
            f"A {likelihood} likelihood takes counts, whole numbers of at least 0, got {float(bad[0]):g}.",
            "Count the spikes in each bin, or use sum_squared_error for a rate.",
        )


sum_squared_error: Final = PointwiseLoss("sum_squared_error", _squared)
r"""Sum of squared errors, :math:`\sum (r - y)^2`.

>>> float(sum_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])))
4.0
"""

mean_squared_error: Final = PointwiseLoss("mean_squared_error", _squared, mean=True)
r"""Mean of squared errors, :math:`\frac1n \sum (r - y)^2`.

In a fit the mean is that of one chunk, also of a last one that is shorter than the others. An optimiser that makes
one update from several chunks, LBFGS, has them count by their frames and weights: what it makes small is the mean
over all their points, times their number, however time is cut.

>>> float(mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])))
2.0
"""

poisson_loss: Final = PointwiseLoss("poisson_loss", _poisson, check=check_counts)
r"""Negative Poisson log-likelihood :math:`\sum r - y \log r`, without the term of the counts alone."""

bernoulli_loss: Final = PointwiseLoss("bernoulli_loss", _bernoulli, check=_check_probabilities)
r"""Negative Bernoulli log-likelihood :math:`-\sum y \log p + (1 - y) \log (1 - p)`."""


def negative_binomial_loss(dispersion: float) -> PointwiseLoss:
    r"""Negative log-likelihood of counts with variance :math:`r + \alpha r^2`.

    :math:`\sum (y + 1/\alpha) \log (1 + \alpha r) - y \log (\alpha r)`, without the terms of the counts
    alone. As :math:`\alpha \to 0` it is the Poisson one, up to a constant.

    Parameters
    ----------
    dispersion : float
        :math:`\alpha`, more than 0.

    Examples
    --------
    >>> float(negative_binomial_loss(1.0)(torch.tensor([1.0]), torch.tensor([0.0])))  # log 2
    0.6931...
    """
    if not (is_number(dispersion) and 0 < dispersion < math.inf):
        raise FitError(
            f"The dispersion must be finite and more than 0, got {dispersion!r:.80}.", "Use poisson_loss for none."
        )

    def each(rate: Tensor, counts: Tensor) -> Tensor:
        scaled = dispersion * rate
        return (counts + 1 / dispersion) * torch.log1p(scaled) - counts * scaled.clamp_min(LEAST).log()

    return PointwiseLoss(
        f"negative_binomial_loss({dispersion:g})", each, check=partial(check_counts, likelihood="negative-binomial")
    )
