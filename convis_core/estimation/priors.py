"""Gaussian priors over a filter's factors, each a covariance that depends on a few numbers.

A prior says before any data what a filter looks like: of some size, at some place, smooth, perhaps
striped. The numbers (hyper-parameters) are chosen by the evidence, held by a wide Gaussian of their own.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["LocalStripes", "Prior", "SmoothInTime"]


class Prior(Protocol):
    """A covariance with hyper-parameters, and what these are expected to be."""

    @property
    def expected(self) -> Tensor:
        """Mean of every hyper-parameter."""

    @property
    def spread(self) -> Tensor:
        """Standard deviation of every hyper-parameter around its mean."""

    def covariance(self, hyper: Tensor) -> Tensor:
        """Covariance of the weights, ``[weight, weight]``, differentiable in the hyper-parameters."""


class LocalStripes:
    r"""Prior of a map in space that is local, smooth, and may have a preferred spatial frequency.

    .. math::

        C(x, x') = \rho \, a(x) \, a(x') \, e^{-|x - x'|^2 / 2 \ell^2} \cos 2 \pi f (x - x'), \quad
        a(x) = e^{-|R (x - \mu)|^2 / 4}

    Local in space by the envelope and local in frequency by the stationary part, as in automatic
    locality determination. For :math:`f = 0` it is a plain smooth blob.

    Parameters
    ----------
    size : (int, int)
        Pixels along x and y.
    power : float
        Expected variance :math:`\rho` of a weight at the centre.

    Notes
    -----
    The hyper-parameters are :math:`\log\rho`, the centre :math:`\mu` (2), :math:`\log R_{xx}`,
    :math:`R_{yx}`, :math:`\log R_{yy}`, :math:`\log \ell` and :math:`f` in cycles a pixel (2).

    References
    ----------
    Park & Pillow (2011) Receptive field inference with localized priors.
    doi:10.1371/journal.pcbi.1002219

    Examples
    --------
    >>> prior = LocalStripes((5, 4), power=2.0)
    >>> tuple(prior.covariance(prior.expected).shape)
    (20, 20)
    """

    def __init__(self, size: tuple[int, int], power: float) -> None:
        nx, ny = size
        axes = [torch.arange(n, dtype=torch.float64) for n in size]
        grid = torch.meshgrid(*axes, indexing="ij")
        self.pixels = torch.stack([axis.flatten() for axis in grid], dim=1)
        difference = self.pixels[:, None] - self.pixels
        self._difference, self._distance = difference, difference.square().sum(-1)
        centre = [(nx - 1) / 2, (ny - 1) / 2]
        sharpness = [-math.log(nx / 5), 0.0, -math.log(ny / 5)]
        self.expected = torch.tensor([math.log(power), *centre, *sharpness, math.log(2.0), 0.0, 0.0]).double()
        self.spread = torch.tensor([3.0, nx / 2, ny / 2, 0.7, 0.5, 0.7, 0.5, 0.22, 0.22]).double()

    def covariance(self, hyper: Tensor) -> Tensor:
        """Covariance of the pixels, ``[pixel, pixel]``."""
        x, y = (self.pixels - hyper[1:3]).unbind(dim=1)
        across, along = x * hyper[3].exp(), x * hyper[4] + y * hyper[5].exp()
        envelope = -0.25 * (across.square() + along.square())
        exponent = hyper[0] + envelope[:, None] + envelope - 0.5 * self._distance * torch.exp(-2 * hyper[6])
        return exponent.exp() * torch.cos(2 * math.pi * (self._difference @ hyper[7:9]))

    def starts(self, centre: Tensor) -> list[Tensor]:
        """Hyper-parameters to start from: no stripes, and stripes of three widths and six directions."""
        waves = [(f * math.cos(a), f * math.sin(a)) for f in (0.1, 0.17, 0.25) for a in torch.arange(6) * math.pi / 6]
        starts = []
        for wave in [(0.0, 0.0), *waves]:
            start = self.expected.clone()
            start[1:3] = centre
            start[7:9] = torch.tensor(wave)
            starts.append(start)
        return starts


class SmoothInTime:
    r"""Prior of a time course that is smooth, beside independent weights of the spike history.

    :math:`C = \rho (e^{-(i - j)^2 / 2 \ell^2} + 10^{-4} \delta_{ij})` over the lags, and
    :math:`\rho_h \delta_{ij}` over the history (ridge). Hyper-parameters: :math:`\log\rho`,
    :math:`\log \ell` in steps, :math:`\log \rho_h`; the last only where there is a history.

    Examples
    --------
    >>> prior = SmoothInTime(3, n_history=2)
    >>> tuple(prior.covariance(prior.expected).shape)
    (5, 5)
    """

    def __init__(self, n_lags: int, n_history: int) -> None:
        lag = torch.arange(n_lags, dtype=torch.float64)
        self._distance = (lag[:, None] - lag).square()
        self._n_history = n_history
        used = 3 if n_history else 2
        self.expected = torch.tensor([0.0, math.log(1.5), 0.0]).double()[:used]
        self.spread = torch.tensor([3.0, 0.5, 3.0]).double()[:used]

    def covariance(self, hyper: Tensor) -> Tensor:
        """Covariance of time course and history weights."""
        smooth = (-0.5 * self._distance * torch.exp(-2 * hyper[1])).exp() + 1e-4 * torch.eye(len(self._distance))
        if not self._n_history:
            return hyper[0].exp() * smooth
        ridge = hyper[2].exp() * torch.eye(self._n_history, dtype=torch.float64)
        whole: Tensor = torch.block_diag(hyper[0].exp() * smooth, ridge)  # type: ignore[no-untyped-call]
        return whole
