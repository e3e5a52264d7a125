"""Most likely curve from a number to the count expected at it, with how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

from convis_core.estimation.nonlinearity import SILENCE

__all__ = ["Curve", "FittedCurve", "centre_and_spread", "fit_curve", "log_likelihood"]

STEPS: Final = 100
CONVERGED: Final = 1e-5
"""Gain in log-likelihood below which a fit has arrived: weights are then within a hundredth of their errors."""

FULL_STEP: Final = 0.1
"""Damping below which a step is nearly Newton's, and a small gain means that there is no more to be had."""

LEAST_DAMPING: Final = 1e-9
MOST_DAMPING: Final = 1e8


class Curve(Protocol):
    """A family of curves: the rate at each drive for given weights, and its slope in each of them."""

    def rate_and_slopes(self, weights: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        """Rate ``[n]`` and slopes ``[n, weight]``."""


@dataclass(frozen=True)
class FittedCurve:
    """A curve with its most likely weights, their covariance and what they explain.

    `n_parameters` is the effective number where a penalty holds weights together.
    """

    curve: Curve
    weights: Tensor
    covariance: Tensor
    log_likelihood: float
    n_parameters: float

    def rate(self, drive: Tensor) -> Tensor:
        """Expected count at each drive."""
        return self.curve.rate_and_slopes(self.weights, drive)[0]

    def error(self, drive: Tensor) -> Tensor:
        """Standard error of the expected count."""
        slopes = self.curve.rate_and_slopes(self.weights, drive)[1]
        return torch.einsum("ni,ij,nj->n", slopes, self.covariance, slopes).clamp_min(0.0).sqrt()

    def interval(self, drive: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Confidence interval of the expected count, symmetric in its logarithm."""
        rate = self.rate(drive).clamp_min(SILENCE)
        quantile = float(torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=torch.float64)))
        factor = torch.exp((quantile * self.error(drive) / rate).clamp_max(700.0))
        return rate / factor, rate * factor

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * (self.n_parameters - self.log_likelihood)


def centre_and_spread(drive: Tensor) -> tuple[float, float]:
    """Median, and what is the standard deviation of a Gaussian drive: an outlier moves neither.

    Examples
    --------
    >>> centre_and_spread(torch.tensor([1.0, 2.0, 3.0, 4.0, 1e9]).double())[0]
    3.0
    """
    low, centre, high = torch.quantile(drive, drive.new_tensor([0.16, 0.5, 0.84])).tolist()
    return centre, 0.5 * (high - low) or float(drive.std())


def log_likelihood(rate: Tensor, counts: Tensor) -> float:
    """Poisson log-likelihood, the term of the counts alone included."""
    rate = rate.clamp_min(SILENCE)
    return float((counts * rate.log() - rate - torch.lgamma(counts + 1.0)).sum())


def fit_curve(curve: Curve, drive: Tensor, counts: Tensor, start: Tensor, penalty: Tensor | None = None) -> FittedCurve:
    """Climb the Poisson likelihood by Fisher's scoring, damped as by Levenberg and Marquardt.

    The covariance is that of counts whose variance is proportional to their mean (quasi-likelihood); the
    factor is estimated from the residuals.

    Parameters
    ----------
    curve : Curve
    drive, counts : Tensor, shape [time]
    start : Tensor, shape [weight]
    penalty : Tensor, shape [weight, weight], optional
        Its quadratic form, halved, is taken off the log-likelihood.
    """
    penalty = torch.zeros(len(start), len(start), dtype=start.dtype) if penalty is None else penalty

    def height(weights: Tensor, rate: Tensor) -> float:
        return log_likelihood(rate, counts) - 0.5 * float(weights @ penalty @ weights)

    weights, damping = start, 1e-3
    rate, slopes = curve.rate_and_slopes(weights, drive)
    reached = height(weights, rate)
    for _ in range(STEPS):
        before = reached
        expected = rate.clamp_min(SILENCE)
        uphill = slopes.T @ (counts / expected - 1.0) - penalty @ weights
        information = slopes.T @ (slopes / expected[:, None])
        size = information.diagonal()
        brake = torch.diag(size.clamp_min(LEAST_DAMPING * float(size.max()) + SILENCE))
        while damping < MOST_DAMPING:
            step, singular = torch.linalg.solve_ex(information + penalty + damping * brake, uphill)
            if int(singular):
                damping *= 10.0
                continue
            tried = weights + step
            new_rate, new_slopes = curve.rate_and_slopes(tried, drive)
            new = height(tried, new_rate)
            if new >= reached and math.isfinite(new):
                weights, rate, slopes, reached = tried, new_rate, new_slopes, new
                damping = max(LEAST_DAMPING, 0.2 * damping)
                break
            damping *= 10.0
        if reached - before < CONVERGED and (damping < FULL_STEP or damping >= MOST_DAMPING):
            break
    expected = rate.clamp_min(SILENCE)
    seen = slopes.T @ (slopes / expected[:, None])
    covariance = torch.linalg.pinv(seen + penalty, rtol=1e-10, hermitian=True)
    used = float((covariance @ seen).trace()) if bool(penalty.any()) else float(len(weights))
    dispersion = float((counts - rate).square().sum() / rate.sum()) * len(counts) / max(1.0, len(counts) - used)
    return FittedCurve(curve, weights, dispersion * covariance, log_likelihood(rate, counts), used)
