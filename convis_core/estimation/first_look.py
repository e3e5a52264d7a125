"""What each of many cells sees, at first sight: one linear estimate for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.estimation.windows import Window, window_around

__all__ = ["FirstLook", "first_looks"]

SMOOTH: Final = 1.5
"""Standard deviation in pixels of the smoothness that the first look expects of a map."""

STRENGTHS: Final = torch.logspace(-3, 5, 33, dtype=torch.float64)
"""Variances of a map, in units of the noise, among which the evidence chooses."""

FAINT: Final = 0.03
"""Share of the largest local energy of a map below which a pixel may be left out."""


@dataclass(frozen=True)
class FirstLook:
    """A time course ``[lag]`` of unit norm, the window in which a cell sees anything, and a map ``[pixel]`` of it."""

    time: Tensor
    window: Window
    map: Tensor


def first_looks(stimulus: Tensor, counts: Tensor, size: tuple[int, int], n_lags: int) -> list[FirstLook]:
    r"""Estimate the maps of all cells from their spike-triggered averages, under one smooth prior.

    An average :math:`a` over the stimulus of covariance :math:`\Sigma = L L^T` is taken for
    :math:`\Sigma w` with noise of covariance :math:`s \Sigma`, and :math:`w \sim N(0, \rho K)`. In the
    eigenvectors of :math:`L^T K L`, which are the same for all cells, the pixels of :math:`L^{-1} a` are
    independent, with variances :math:`\rho d_k + s`: the evidence of every :math:`\rho / s` costs one pass.

    Parameters
    ----------
    stimulus : Tensor, shape [time, pixel]
        Of zero mean and unit variance.
    counts : Tensor, shape [time, cell]
    size : (int, int)
    n_lags : int

    Examples
    --------
    >>> movie = torch.randn(4000, 144, generator=torch.Generator().manual_seed(0)).double()
    >>> spikes = (movie[:, 3 * 12 + 8] > 1).double()[:, None]
    >>> look = first_looks(movie, spikes, (12, 12), 2)[0]
    >>> seen = look.window
    >>> seen.top <= 3 < seen.bottom, seen.left <= 8 < seen.right, seen.size < (12, 12)
    (True, True, True)
    """
    place = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float64) for n in size))
    prior = torch.exp(-0.5 * torch.cdist(place, place).square() / SMOOTH**2)
    excess, length = counts - counts.mean(dim=0), len(stimulus)
    averages = torch.stack([excess[lag:].T @ stimulus[: length - lag] for lag in range(n_lags)], dim=1) / length
    _, courses = torch.linalg.eigh(averages @ prior @ averages.mT)
    time = courses[:, :, -1]
    maps = _most_probable(torch.einsum("cl,clp->cp", time, averages), stimulus.T @ stimulus / length, prior)
    energy = functional.avg_pool2d(maps.square().reshape(-1, 1, *size), 3, stride=1, padding=1)[:, 0]
    windows = [window_around(image >= FAINT * image.max()) for image in energy]
    return [
        FirstLook(course, window, window.cut(image[None], size)[0])
        for course, window, image in zip(time, windows, maps, strict=True)
    ]


def _most_probable(averages: Tensor, seen: Tensor, prior: Tensor) -> Tensor:
    """Posterior means ``[cell, pixel]`` at the strength with the largest evidence, the noise's variance the best."""
    seen.diagonal().add_(1e-6 * seen.diagonal().mean())
    root = torch.linalg.cholesky(seen)
    values, vectors = torch.linalg.eigh(root.T @ prior @ root)
    white = torch.linalg.solve_triangular(root, averages.T, upper=False)
    along, best, shrunk = vectors.T @ white, averages.new_full((len(averages),), -torch.inf), torch.zeros_like(white)
    for strength in STRENGTHS:
        spread = (1 + strength * values.clamp_min(0.0))[:, None]
        noise = (along.square() / spread).mean(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
        evidence = -0.5 * (len(values) * noise.log() + spread.log().sum())
        better = evidence > best
        best = torch.where(better, evidence, best)
        shrunk = torch.where(better, strength * along / spread, shrunk)
    weights: Tensor = prior @ root @ (vectors @ shrunk)
    return weights.T
