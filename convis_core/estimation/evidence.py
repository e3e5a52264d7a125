r"""Evidence of a prior: how probable the data are once the weights are integrated out.

Around a drive, Newton's method sees the likelihood as a Gaussian in the weights, that is, as pseudo-data
:math:`c \sim N(A w, 1)`. With :math:`w \sim N(0, C)` the evidence is that of :math:`c \sim N(0, M)`,
:math:`M = 1 + A C A^T`, and the mean of the weights is :math:`C A^T M^{-1} c`. Neither :math:`C` nor the
curvature is inverted, so directions that the stimulus hardly excites do no harm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import FitError
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
    "times",
]

Array = np.ndarray[Any, Any]

STEADY: Final = 1e-9
"""Share of the largest curvature that every direction has at least, so that there is a root of it."""

ROUNDING: Final = 1e-12
"""Share of the curvature with a known offset that may be lost where the offset is integrated out."""


BLOCK: Final = 48
"""Columns at least whose products with all others are computed at a time: with fewer that would be slower."""


@dataclass(frozen=True)
class PseudoData:
    """The likelihood as a Gaussian in the weights, the offset integrated out with a flat prior.

    Its curvature is the `information`, :math:`A^T A` of the `root` :math:`A`; its slope at weights of 0 the `pull`,
    :math:`A^T c`.
    """

    root: Tensor
    data: Tensor
    information: Tensor
    pull: Tensor
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
        In single precision the sums over time, where the work is, take half as long.
    weights : Tensor, shape [weight]
        In double precision, as the result is. Those that gave the drive, together with whatever else is in it.
    drive, counts : Tensor, shape [time]
    """
    slope, curvature = shape.newton_terms(drive, counts)
    mixed, pull = (torch.stack([curvature, slope]).to(design.dtype) @ design).to(weights.dtype)
    total = curvature.sum()
    if not float(total) > 0.0:
        raise FitError(
            "The fit has lost its way: it expects no spike in any bin, and nothing tells it where they would be.",
            "Look at the counts and the stimulus for a bin or a frame that outweighs all others.",
        )
    products = gram(curvature.sqrt().to(design.dtype)[:, None] * design).to(weights.dtype)
    rounding = ROUNDING * float(products.diagonal().max())  # all that is left where one frame has all the curvature
    information = products - torch.outer(mixed, mixed) / total
    target = information @ weights + pull - mixed * (slope.sum() / total)
    information.diagonal().add_(max(STEADY * float(information.diagonal().max()), rounding, 1e-200))
    share = 8 * math.sqrt(len(weights)) * torch.finfo(design.dtype).eps  # sums in this precision may be off by so much
    information.diagonal().add_(products.diagonal(), alpha=share)
    root = torch.linalg.cholesky(information)
    along = torch.linalg.solve_triangular(root, target[:, None], upper=False)[:, 0]
    return PseudoData(root.T, along, information, target, weights, slope.sum() / total, mixed / total)


def times(columns: Tensor, weights: Tensor) -> Tensor:
    """Product ``columns @ weights`` in the precision of the columns, for that is where the work is."""
    return (columns @ weights.to(columns.dtype)).to(weights.dtype)


def gram(columns: Tensor) -> Tensor:
    """Products of columns with one another, ``[column, column]``, most of them computed only once."""
    n = columns.shape[1]
    products, step = columns.new_empty(n, n), max(BLOCK, -(-n // 4))
    for start in range(0, n, step):
        block = columns[:, start : start + step].T @ columns[:, start:]
        products[start : start + step, start:] = block
        products[start:, start : start + step] = block.T
    return products


def log_evidence(data: PseudoData, covariance: Tensor) -> float:
    """Log evidence of a covariance of the weights, up to a constant."""
    return _solved(data, covariance)[0]


def posterior(data: PseudoData, covariance: Tensor) -> tuple[float, Tensor, Callable[[], Tensor]]:
    """Log evidence (up to a constant), mean of the weights, and slope of the evidence in the covariance.

    The slope comes when it is called: it takes as long as the others, and a climb's last step needs none.
    """
    evidence, solved, factor = _solved(data, covariance)
    back = data.root.T @ solved

    def slope() -> Tensor:
        half = torch.linalg.solve_triangular(factor, data.root, upper=False)
        return torch.outer(back, 0.5 * back).addmm_(half.T, half, alpha=-0.5)

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

    expected, spread = prior.expected.numpy(), prior.spread.numpy()  # so few numbers are quicker in numpy

    def look(at: Array) -> tuple[float, Callable[[], Array], Tensor]:
        covariance, pullback = prior.at(torch.from_numpy(at))
        try:
            evidence, weights, slope = posterior(data, covariance)
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # a wild step: shorten it
            return math.inf, lambda: at, data.weights
        away = (at - expected) / spread
        return 0.5 * float(away @ away) - evidence, lambda: away / spread - pullback(slope()).numpy(), weights

    place = hyper.numpy()
    cost, slope, weights = look(place)
    gradient, inverse = slope(), np.diag(0.1 * np.square(spread).clip(max=1.0))
    for step in range(max_steps):
        move = -inverse @ gradient
        move = move / max(1.0, float(np.max(np.abs(move) / spread)))
        fall = float(gradient @ move)
        if -fall < tolerance:
            break
        scale, found = 1.0, look(place + move)
        while not found[0] <= cost + 1e-4 * scale * fall and scale > 1e-3:
            scale *= 0.3
            found = look(place + scale * move)
        if not found[0] < cost:
            break
        place = place + scale * move
        cost, slope, weights = found
        if step + 1 < max_steps:
            before, gradient = gradient, slope()
            inverse = _updated(inverse, scale * move, gradient - before, rescale=step == 0)
    return torch.from_numpy(place), weights, -cost


def _updated(inverse: Array, move: Array, change: Array, rescale: bool) -> Array:
    """Inverse curvature of BFGS after a move that changed the gradient."""
    product = float(move @ change)
    if product <= 1e-10:
        return inverse
    if rescale:
        inverse = inverse * (product / float(change @ inverse @ change))
    shear = np.eye(len(move)) - np.outer(move, change) / product
    updated: Array = shear @ inverse @ shear.T + np.outer(move, move) / product
    return updated
