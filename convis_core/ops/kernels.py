"""Sampled kernels of unit sum, differentiable in their parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cascade", "convolved", "gaussian"]


def gaussian(sigma: Tensor, radius: int) -> Tensor:
    r"""Sample :math:`e^{-i^2 / 2 \sigma^2}` at ``i = -radius .. radius``, scaled to unit sum.

    Parameters
    ----------
    sigma : Tensor, scalar
        Standard deviation in pixels.
    radius : int
        Pixels on either side of the middle.

    Examples
    --------
    >>> profile = gaussian(torch.tensor(1.5), 8)
    >>> positions = torch.arange(-8, 9)
    >>> round(float((profile * positions**2).sum().sqrt()), 3)
    1.5
    """
    positions = torch.arange(-radius, radius + 1, dtype=sigma.dtype, device=sigma.device)
    return torch.softmax(-0.5 * (positions / sigma).square(), dim=0)


def cascade(tau: Tensor, length: int, poles: int = 1) -> Tensor:
    r"""Impulse response of identical exponential filters in series, scaled to unit sum.

    Each is :math:`y_t = e y_{t-1} + (1 - e) x_t` with :math:`e = \exp(-1 / \tau)`, so that
    `p` of them answer an impulse with :math:`\binom{t + p - 1}{p - 1} (1 - e)^p e^t`. What the window cuts
    off is made up for by scaling.

    Parameters
    ----------
    tau : Tensor, scalar
        Time constant of each, in steps.
    length : int
        Number of samples.
    poles : int
        How many filters are in series.

    Examples
    --------
    >>> kernel = cascade(torch.tensor(5.0), 100, poles=2)
    >>> int(kernel.argmax()) in (4, 5), round(float(kernel.sum()), 6)
    (True, 1.0)
    """
    t = torch.arange(length, dtype=tau.dtype, device=tau.device)
    log_binomial = torch.lgamma(t + poles) - torch.lgamma(t + 1) - math.lgamma(poles)
    return torch.softmax(log_binomial - t / tau, dim=0)


def convolved(first: Tensor, second: Tensor) -> Tensor:
    """Convolve two causal kernels of equal length and keep that length.

    Examples
    --------
    >>> convolved(torch.tensor([1.0, 2.0, 0.0]), torch.tensor([1.0, 1.0, 0.0]))
    tensor([1., 3., 2.])
    """
    padded = functional.pad(first, (first.shape[0] - 1, 0))
    return functional.conv1d(padded[None, None], second.flip(0)[None, None])[0, 0]
