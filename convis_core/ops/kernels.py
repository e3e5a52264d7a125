"""Sampled kernels of unit sum, differentiable in their parameters, in pixels and steps.

Temporal kernels are impulse responses: index 0 is the frame of the impulse. Gaussians are
sampled at whole pixels around their middle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.errors import ParameterError

__all__ = [
    "biphasic",
    "cascade",
    "convolved",
    "difference_of_gaussians",
    "gabor",
    "gaussian",
    "gaussian_2d",
    "unit_sum",
]


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


def gaussian_2d(sigma: Tensor, radius: int) -> Tensor:
    r"""Sample a round Gaussian of unit sum, :math:`e^{-(x^2 + y^2) / 2 \sigma^2}`.

    Parameters
    ----------
    sigma : Tensor, scalar
        Standard deviation in pixels.
    radius : int
        Pixels on either side of the middle.

    Returns
    -------
    Tensor, shape [2 * radius + 1, 2 * radius + 1]

    Examples
    --------
    >>> kernel = gaussian_2d(torch.tensor(1.5), 6)
    >>> tuple(kernel.shape), round(float(kernel.sum()), 6)
    ((13, 13), 1.0)
    """
    profile = gaussian(sigma, radius)
    return torch.outer(profile, profile)


def difference_of_gaussians(
    sigma_center: Tensor, sigma_surround: Tensor, weight: Tensor | float, radius: int
) -> Tensor:
    r"""Sample a centre minus a weighted surround, :math:`G_{\sigma_c} - w \, G_{\sigma_s}`.

    Parameters
    ----------
    sigma_center, sigma_surround : Tensor, scalar
        Standard deviations in pixels.
    weight : Tensor or float
        Weight of the surround; the kernel sums to ``1 - weight``.
    radius : int
        Pixels on either side of the middle.

    Returns
    -------
    Tensor, shape [2 * radius + 1, 2 * radius + 1]

    References
    ----------
    Rodieck 1965, Quantitative analysis of cat retinal ganglion cell response to visual
    stimuli. DOI 10.1016/0042-6989(65)90033-7

    Examples
    --------
    >>> kernel = difference_of_gaussians(torch.tensor(1.0), torch.tensor(3.0), 0.5, 12)
    >>> round(float(kernel.sum()), 5)
    0.5
    """
    return gaussian_2d(sigma_center, radius) - weight * gaussian_2d(sigma_surround, radius)


def biphasic(tau_first: Tensor, tau_second: Tensor, weight: Tensor | float, length: int, poles: int = 4) -> Tensor:
    r"""Sample a fast lobe minus a weighted slower one, each a `cascade`.

    Parameters
    ----------
    tau_first, tau_second : Tensor, scalar
        Time constants of the filters of either lobe, in steps.
    weight : Tensor or float
        Weight of the second lobe; the kernel sums to ``1 - weight``, so 1 makes it transient.
    length : int
        Number of samples.
    poles : int
        How many filters are in series in either lobe.

    Returns
    -------
    Tensor, shape [length]

    References
    ----------
    Adelson & Bergen 1985, Spatiotemporal energy models for the perception of motion.
    DOI 10.1364/JOSAA.2.000284

    Examples
    --------
    >>> kernel = biphasic(torch.tensor(3.0), torch.tensor(5.0), 1.0, 120)
    >>> bool(kernel.argmax() < kernel.argmin()), round(abs(float(kernel.sum())), 5)
    (True, 0.0)
    """
    return cascade(tau_first, length, poles) - weight * cascade(tau_second, length, poles)


def unit_sum(kernel: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Scale a kernel so that it sums to 1, over all axes or those given.

    Raises
    ------
    ParameterError
        If the kernel sums to 0.

    Examples
    --------
    >>> unit_sum(torch.tensor([1.0, 3.0]))
    tensor([0.2500, 0.7500])
    """
    total = kernel.sum() if dim is None else kernel.sum(dim, keepdim=True)
    if bool((total == 0).any()):
        raise ParameterError("A kernel that sums to 0 cannot be scaled to a unit sum.", "Normalise its parts instead.")
    return kernel / total


def gabor(
    sigma: Tensor, frequency: Tensor, orientation: Tensor, phase: Tensor, radius: int, aspect: Tensor | float = 1.0
) -> Tensor:
    r"""Sample a Gabor function, :math:`e^{-(u^2 + v^2 / a^2) / 2 \sigma^2} \cos(2 \pi f u + \varphi)`.

    The wave runs along :math:`u = x \cos\theta + y \sin\theta`; `v` runs along its stripes. The
    Gaussian has unit sum.

    Parameters
    ----------
    sigma : Tensor, scalar
        Standard deviation of the Gaussian along the wave, in pixels.
    frequency : Tensor, scalar
        Cycles per pixel.
    orientation, phase : Tensor, scalar
        Angle of the wave to the x axis, and its phase in the middle, in rad.
    radius : int
        Pixels on either side of the middle.
    aspect : Tensor or float
        Length of the stripes relative to their extent along the wave.

    Returns
    -------
    Tensor, shape [2 * radius + 1, 2 * radius + 1]

    References
    ----------
    Daugman J. G. (1985), Uncertainty relation for resolution in space, spatial frequency, and
    orientation optimized by two-dimensional visual cortical filters. DOI 10.1364/JOSAA.2.001160

    Examples
    --------
    >>> zero = torch.tensor(0.0)
    >>> kernel = gabor(torch.tensor(2.0), torch.tensor(0.25), zero, zero, 6)
    >>> bool(kernel[6, 6] > 0), bool(kernel[8, 6] < 0), bool(kernel[6, 8] > 0)
    (True, True, True)
    """
    positions = torch.arange(-radius, radius + 1, dtype=sigma.dtype, device=sigma.device)
    x, y = positions[:, None], positions[None]
    along, across = x * orientation.cos() + y * orientation.sin(), y * orientation.cos() - x * orientation.sin()
    envelope = torch.exp(-0.5 * (along.square() + (across / aspect).square()) / sigma.square())
    return envelope / envelope.sum() * torch.cos(2 * math.pi * frequency * along + phase)
