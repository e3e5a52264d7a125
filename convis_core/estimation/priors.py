"""Gaussian priors over a filter's factors, each a covariance that depends on a few numbers.

A prior says before any data what a filter looks like: of some size, at some place, smooth, perhaps
striped. The numbers (hyper-parameters) are chosen by the evidence, held by a wide Gaussian of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from convis_core.ops.stripes import stripes_covariance, stripes_slope

__all__ = ["LocalStripes", "Prior", "Pullback", "SmoothInTime"]

Pullback = Callable[[Tensor], Tensor]
"""From the slope of some number in a covariance to its slope in the hyper-parameters."""


class Prior(Protocol):
    """A covariance with hyper-parameters, and what these are expected to be."""

    @property
    def expected(self) -> Tensor:
        """Mean of every hyper-parameter."""

    @property
    def spread(self) -> Tensor:
        """Standard deviation of every hyper-parameter around its mean."""

    def at(self, hyper: Tensor) -> tuple[Tensor, Pullback]:
        """Covariance of the weights, ``[weight, weight]``, and how slopes in it are slopes in the hyper-parameters."""


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
    >>> covariance, _ = prior.at(prior.expected)
    >>> tuple(covariance.shape)
    (20, 20)
    """

    def __init__(self, size: tuple[int, int], power: float) -> None:
        nx, ny = size
        axes = [torch.arange(n, dtype=torch.float64) for n in size]
        self._size, self.pixels = size, torch.cartesian_prod(*axes)
        self._middle = ((nx - 1) / 2, (ny - 1) / 2)
        x, y = (self.pixels - torch.tensor(self._middle).double()).unbind(dim=1)
        self._powers = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=1)
        self._squares = [(axis[:, None] - axis).square() for axis in axes]
        sharpness = [-math.log(nx / 5), 0.0, -math.log(ny / 5)]
        self.expected = torch.tensor([math.log(power), *self._middle, *sharpness, math.log(2.0), 0.0, 0.0]).double()
        self.spread = torch.tensor([3.0, nx / 2, ny / 2, 0.7, 0.5, 0.7, 0.5, 0.22, 0.22]).double()

    def at(self, hyper: Tensor) -> tuple[Tensor, Pullback]:
        """Covariance of the pixels, ``[pixel, pixel]``, and its pullback."""
        numbers, size = hyper.numpy(), self._size

        def pullback(slope: Tensor) -> Tensor:
            return torch.from_numpy(stripes_slope(numbers, size, slope.contiguous().numpy()))

        return torch.from_numpy(stripes_covariance(numbers, size)), pullback

    def first_sight(self, starts: Tensor, pull: Tensor, information: Tensor) -> Tensor:
        r"""Signal over noise of data along each of some hyper-parameters ``[start, hyper]`` that differ in frequency.

        That is :math:`g^T C g` for a slope :math:`g` of the likelihood, over its mean where there is
        nothing but noise, :math:`\mathrm{tr}(H C)` for a curvature :math:`H`.
        """
        near, waves = self._near(float(starts[0, 6])), torch.view_as_real(self._waves(starts)).flatten(1)
        pulled = pull[:, None] * waves
        signal, noise = (near @ pulled * pulled).sum(dim=0), ((near * information) @ waves * waves).sum(dim=0)
        return signal.reshape(-1, 2).sum(dim=1) / noise.reshape(-1, 2).sum(dim=1)

    def _near(self, log_length: float) -> Tensor:
        """Gaussian of the distance of two pixels."""
        decay = -0.5 * math.exp(-2 * log_length)
        near_x, near_y = (torch.exp(decay * square) for square in self._squares)
        return (near_x[:, None, :, None] * near_y[:, None, :]).flatten(2).flatten(0, 1)

    def _waves(self, hypers: Tensor) -> Tensor:
        """Envelope, with the root of the power, times the complex wave; ``[pixel, hyper]``."""
        polynomials = []
        for log_power, x0, y0, log_xx, yx, log_yy, _, fx, fy in hypers.tolist():
            x0, y0, xx, yy = x0 - self._middle[0], y0 - self._middle[1], math.exp(log_xx), math.exp(log_yy)
            of_x2, of_xy, of_y2 = -0.25 * (xx * xx + yx * yx), -0.5 * yx * yy, -0.25 * yy * yy
            constant = 0.5 * log_power + of_x2 * x0 * x0 + of_xy * x0 * y0 + of_y2 * y0 * y0
            of_x, of_y = -2 * of_x2 * x0 - of_xy * y0, -2 * of_y2 * y0 - of_xy * x0
            polynomials.append([constant, of_x, of_y, of_x2, of_xy, of_y2])
            polynomials.append([0.0, 2 * math.pi * fx, 2 * math.pi * fy, 0.0, 0.0, 0.0])
        exponent, phase = (
            (self._powers @ hypers.new_tensor(polynomials).T).reshape(len(self._powers), -1, 2).unbind(dim=2)
        )
        return torch.polar(exponent.exp(), phase)

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
    >>> covariance, _ = prior.at(prior.expected)
    >>> tuple(covariance.shape)
    (5, 5)
    """

    def __init__(self, n_lags: int, n_history: int) -> None:
        lag = torch.arange(n_lags, dtype=torch.float64)
        self._square = (lag[:, None] - lag).square()
        self._n_lags, self._n_history = n_lags, n_history
        used = 3 if n_history else 2
        self.expected = torch.tensor([0.0, math.log(1.5), 0.0]).double()[:used]
        self.spread = torch.tensor([3.0, 0.5, 3.0]).double()[:used]

    def at(self, hyper: Tensor) -> tuple[Tensor, Pullback]:
        """Covariance of time course and history weights, and its pullback."""
        n, (power, length, *ridge) = self._n_lags, hyper.exp().tolist()
        smooth = power * torch.exp(self._square * (-0.5 / length**2))
        covariance = hyper.new_zeros(n + self._n_history, n + self._n_history)
        covariance[:n, :n] = smooth
        covariance.diagonal()[:n].add_(1e-4 * power)
        covariance.diagonal()[n:].add_(sum(ridge))

        def pullback(slope: Tensor) -> Tensor:
            of = [(slope * covariance)[:n, :n].sum(), (slope[:n, :n] * smooth * self._square).sum() / length**2]
            of += [slope.diagonal()[n:].sum() * size for size in ridge]
            return torch.stack(of)

        return covariance, pullback
