"""Gaussian priors over a whole filter, each a covariance in time times one in space."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from convis_core.estimation.priors import LocalStripes

__all__ = ["FactorPullback", "FilterPrior", "Local", "Smooth"]

FactorPullback = Callable[[Tensor, Tensor], Tensor]
"""From the slopes of some number in both covariances to its slope in the hyper-parameters."""

JITTER = 1e-6
"""Share of the variance that is not smooth, so that a covariance has a root."""


class FilterPrior(Protocol):
    """Two covariances with hyper-parameters, and what these are expected to be."""

    expected: Tensor
    spread: Tensor

    def factors(self, hyper: Tensor) -> tuple[Tensor, Tensor, FactorPullback]:
        """Covariances over time ``[lag, lag]`` and space ``[pixel, pixel]``, and their pullback."""


class Smooth:
    r"""Automatic smoothness determination: neighbours in time and space are alike.

    .. math:: C = \rho \, e^{-\Delta l^2 / 2 \ell_t^2 - \Delta x^2 / 2 \ell_x^2 - \Delta y^2 / 2 \ell_y^2}

    Hyper-parameters: :math:`\log\rho, \log\ell_t, \log\ell_x, \log\ell_y`, lengths in points.

    References
    ----------
    Sahani & Linden (2002) Evidence optimization techniques for estimating stimulus-response functions,
    NIPS 15; Park & Pillow (2011) doi:10.1371/journal.pcbi.1002219

    Examples
    --------
    >>> prior = Smooth((6, 5, 4), power=1.0)
    >>> [tuple(c.shape) for c in prior.factors(prior.expected)[:2]]
    [(6, 6), (20, 20)]
    """

    def __init__(self, size: tuple[int, int, int], power: float) -> None:
        self._squares = [(torch.arange(n).double()[:, None] - torch.arange(n)).square() for n in size]
        self.expected = torch.tensor([math.log(power), *[math.log(1.5)] * 3]).double()
        self.spread = torch.tensor([3.0, 0.7, 0.7, 0.7]).double()

    def factors(self, hyper: Tensor) -> tuple[Tensor, Tensor, FactorPullback]:
        power, *lengths = hyper.exp().tolist()
        time, over_x, over_y = (_smooth(square, length) for square, length in zip(self._squares, lengths, strict=True))
        nx, ny = len(over_x), len(over_y)

        def pullback(of_time: Tensor, of_space: Tensor) -> Tensor:
            apart = of_space.reshape(nx, ny, nx, ny)
            of_x, of_y = torch.einsum("iajb,ab->ij", apart, over_y), torch.einsum("iajb,ij->ab", apart, over_x)
            smooth = zip((power * of_time, of_x, of_y), (time, over_x, over_y), self._squares, lengths, strict=True)
            return torch.stack([power * (of_time * time).sum(), *(_of_length(*axis) for axis in smooth)])

        return power * time, torch.kron(over_x, over_y), pullback


class Local:
    r"""Automatic locality determination: smooth, at some place in time and space, perhaps striped.

    `LocalStripes` in space times :math:`a(l) \, a(l') \, e^{-(l - l')^2 / 2 \ell_t^2}` in time,
    :math:`a(l) = e^{-(l - \mu_t)^2 / 4 \sigma_t^2}`. Hyper-parameters: those of `LocalStripes`, then
    :math:`\log\ell_t, \mu_t, \log\sigma_t`.

    References
    ----------
    Park & Pillow (2011) Receptive field inference with localized priors.
    doi:10.1371/journal.pcbi.1002219

    Examples
    --------
    >>> prior = Local((6, 5, 4), power=1.0)
    >>> [tuple(c.shape) for c in prior.factors(prior.expected)[:2]]
    [(6, 6), (20, 20)]
    """

    def __init__(self, size: tuple[int, int, int], power: float) -> None:
        n = size[0]
        self.space = LocalStripes(size[1:], power)
        self._lag = torch.arange(n).double()
        self._square = (self._lag[:, None] - self._lag).square()
        in_time = torch.tensor([math.log(1.5), (n - 1) / 2, math.log(n / 2)]).double()
        self.expected = torch.cat([self.space.expected, in_time])
        self.spread = torch.cat([self.space.spread, torch.tensor([0.7, n / 2, 0.7]).double()])

    def factors(self, hyper: Tensor) -> tuple[Tensor, Tensor, FactorPullback]:
        log_length, middle, log_width = hyper[-3:].tolist()
        length, sharpness, late = math.exp(log_length), math.exp(-2 * log_width), self._lag - middle
        envelope = torch.exp(-0.25 * sharpness * late.square())
        smooth = _smooth(self._square, length)
        time = envelope[:, None] * envelope * smooth
        space, of_space_in = self.space.at(hyper[:-3])

        def pullback(of_time: Tensor, of_space: Tensor) -> Tensor:
            share = (of_time * time).sum(dim=1)
            in_time = [
                _of_length(envelope[:, None] * envelope * of_time, smooth, self._square, length),
                sharpness * (share @ late),
                sharpness * (share @ late.square()),
            ]
            return torch.cat([of_space_in(of_space), torch.stack(in_time)])

        return time, space, pullback

    def starts(self, smooth: Tensor) -> list[Tensor]:
        """Hyper-parameters to start from, around the place of a first estimate ``[lag, x, y]``."""
        energy = smooth.square()
        place = energy.sum(dim=0)
        near = torch.nn.functional.avg_pool2d(place[None, None], 3, 1, 1)[0, 0]
        lag = (energy.sum(dim=(1, 2)) * self._lag).sum() / energy.sum()
        found = []
        for start in self.space.starts(self.space.pixels[int(near.argmax())]):
            in_time = self.expected[-3:].clone()
            in_time[1] = lag
            found.append(torch.cat([start, in_time]))
        return found


def _smooth(square: Tensor, length: float) -> Tensor:
    return torch.exp(square * (-0.5 / length**2)) + JITTER * torch.eye(len(square)).double()


def _of_length(slope: Tensor, smooth: Tensor, square: Tensor, length: float) -> Tensor:
    """Slope in the logarithm of a length; the jitter is on the diagonal, where the square is 0."""
    return (slope * smooth * square).sum() / length**2
