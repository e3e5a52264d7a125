r"""Evidence of a prior: how probable the data are once the weights are integrated out.

Around a drive, Newton's method sees the likelihood as a Gaussian in the weights, that is, as pseudo-data
:math:`c \sim N(A w, 1)`. With :math:`w \sim N(0, C)` the evidence is that of :math:`c \sim N(0, M)`,
:math:`M = 1 + A C A^T`, and the mean of the weights is :math:`C A^T M^{-1} c`. Neither :math:`C` nor the
curvature is inverted, so directions that the stimulus hardly excites do no harm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.nonlinearity import Nonlinearity
from convis_core.estimation.priors import Prior

__all__ = [
    "PseudoData",
    "gram",
    "log_evidence",
    "maximise_evidence",
    "posterior",
    "posterior_covariance",
    "pseudo_data",
]

UNSEEN: Final = 1e-6
"""Share of the largest curvature below which a direction counts as not seen by the data."""


@dataclass(frozen=True)
class PseudoData:
    """The likelihood as a Gaussian in the weights, the offset integrated out with a flat prior."""

    root: Tensor
    data: Tensor
    weights: Tensor
    offset_step: Tensor
    offset_slope: Tensor

    def offset_change(self, weights: Tensor) -> float:
        """Change of the offset that goes with new weights."""
        return float(self.offset_step - self.offset_slope @ (weights - self.weights))


def pseudo_data(design: Tensor, weights: Tensor, drive: Tensor, counts: Tensor, shape: Nonlinearity) -> PseudoData:
    """Gaussian approximation of a Poisson likelihood at the present drive.

    Parameters
    ----------
    design : Tensor, shape [time, weight]
    weights : Tensor, shape [weight]
        Those that gave the drive, together with whatever else is in it.
    drive, counts : Tensor, shape [time]
    """
    slope, curvature = shape.newton_terms(drive, counts)
    mixed, total = design.T @ curvature, curvature.sum()
    information = gram(curvature.sqrt()[:, None] * design) - torch.outer(mixed, mixed) / total
    target = information @ weights + design.T @ slope - mixed * (slope.sum() / total)
    values, vectors = torch.linalg.eigh(information)
    seen = values > UNSEEN * values[-1]
    root = values[seen].sqrt()
    vectors = vectors[:, seen]
    return PseudoData(root[:, None] * vectors.T, vectors.T @ target / root, weights, slope.sum() / total, mixed / total)


def gram(columns: Tensor) -> Tensor:
    """Products of columns with one another, ``[column, column]``; numpy computes every one of them only once."""
    array = columns.numpy()
    products: Tensor = torch.from_numpy(array.T @ array)
    return products


def log_evidence(data: PseudoData, covariance: Tensor) -> float:
    """Log evidence of a covariance of the weights, up to a constant."""
    return _solved(data, covariance)[0]


def posterior(data: PseudoData, covariance: Tensor) -> tuple[float, Tensor, Tensor]:
    """Log evidence (up to a constant), mean of the weights, and slope of the evidence in the covariance."""
    evidence, solved, factor = _solved(data, covariance)
    back = data.root.T @ solved
    half = torch.linalg.solve_triangular(factor, data.root, upper=False)
    slope = torch.outer(back, 0.5 * back).addmm_(half.T, half, alpha=-0.5)
    return evidence, covariance @ back, slope


def posterior_covariance(data: PseudoData, covariance: Tensor) -> Tensor:
    """Covariance that the data leave of the weights."""
    along = data.root @ covariance
    known = torch.linalg.solve_triangular(_solved(data, covariance)[2], along, upper=False)
    return torch.addmm(covariance, known.T, known, alpha=-1.0)


def _solved(data: PseudoData, covariance: Tensor) -> tuple[float, Tensor, Tensor]:
    """Log evidence, :math:`M^{-1} c`, and the lower root of :math:`M`."""
    spread = data.root @ covariance @ data.root.T
    spread.diagonal().add_(1.0)
    factor = torch.linalg.cholesky(spread)
    solved = torch.cholesky_solve(data.data[:, None], factor)[:, 0]
    return -0.5 * float(data.data @ solved) - float(factor.diagonal().log().sum()), solved, factor


def maximise_evidence(
    prior: Prior, data: PseudoData, hyper: Tensor, *, max_steps: int, tolerance: float = 0.01
) -> tuple[Tensor, Tensor, float]:
    """Climb the evidence in the hyper-parameters (BFGS), held by what the prior expects of them.

    Returns
    -------
    hyper, weights : Tensor
    evidence : float
        Log evidence with the log density of the hyper-parameters.
    """

    def look(at: Tensor) -> tuple[float, Tensor, Tensor]:
        covariance, pullback = prior.at(at)
        try:
            evidence, weights, slope = posterior(data, covariance)
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # a wild step: shorten it
            return math.inf, at, at
        away = (at - prior.expected) / prior.spread
        return 0.5 * float(away @ away) - evidence, away / prior.spread - pullback(slope), weights

    cost, gradient, weights = look(hyper)
    inverse = torch.diag(0.1 * prior.spread.square().clamp(max=1.0))
    for step in range(max_steps):
        move = -inverse @ gradient
        move = move / max(1.0, float((move.abs() / prior.spread).max()))
        fall = float(gradient @ move)
        if -fall < tolerance:
            break
        scale, found = 1.0, look(hyper + move)
        while not found[0] <= cost + 1e-4 * scale * fall and scale > 1e-3:
            scale *= 0.3
            found = look(hyper + scale * move)
        if not found[0] < cost:
            break
        inverse = _updated(inverse, scale * move, found[1] - gradient, rescale=step == 0)
        hyper = hyper + scale * move
        cost, gradient, weights = found
    return hyper, weights, -cost


def _updated(inverse: Tensor, move: Tensor, change: Tensor, rescale: bool) -> Tensor:
    """Inverse curvature of BFGS after a move that changed the gradient."""
    product = float(move @ change)
    if product <= 1e-10:
        return inverse
    if rescale:
        inverse = inverse * (product / float(change @ inverse @ change))
    shear = torch.eye(len(move), dtype=move.dtype) - torch.outer(move, change) / product
    return shear @ inverse @ shear.T + torch.outer(move, move) / product
