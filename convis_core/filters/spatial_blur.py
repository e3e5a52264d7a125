"""Filters that blur every frame: Deriche's recursion and a true Gaussian."""

from __future__ import annotations

import math

from torch import Tensor

from convis_core.layer import Layer
from convis_core.ops.kernels import gaussian
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.separable import convolve_space
from convis_core.parameters import parameter

__all__ = ["GaussianFilter", "SpatialRecursiveFilter"]

_REACH = 4.0
"""Standard deviations at which a Gaussian is cut off."""


class SpatialRecursiveFilter(Layer):
    r"""Recursive blur of every frame, as fast for wide kernels as for narrow ones.

    .. math:: k \, (1 + \alpha |n|) \, e^{-\alpha |n|}, \qquad \alpha = 1.695 / \sigma

    along either axis (`n` and :math:`\sigma` in pixels), of unit sum and a standard deviation of about
    :math:`1.18 \, \sigma`. The edge of a frame goes on for ever beyond it, so that a uniform
    frame stays uniform. A scale below 0.1 pixel leaves the frames as they are.

    Parameters
    ----------
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> blur = SpatialRecursiveFilter()
    >>> blur.gaussian(0.05)
    >>> blur.run(np.eye(5)[None, 2:3]).array()[0, 0, 0].round(3)
    array([[0.007, 0.113, 0.761, 0.113, 0.007]], dtype=float32)

    References
    ----------
    Deriche R. (1993), Recursively implementing the Gaussian and its derivatives, INRIA research
    report 1893.
    """

    sigma = parameter(0.1, unit="deg", bounds=(0.0, 100.0), slider=(0.0, 1.0), doc="scale of the blur")

    def gaussian(self, sigma: float) -> None:
        """Blur about as a Gaussian of this scale in deg would."""
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        return recursive_blur(x, self.sigma * self.resolution.pixel_per_degree)


class GaussianFilter(Layer):
    r"""Gaussian blur of every frame, along one axis and then the other.

    .. math:: G(x, y) \propto \exp\left(-\frac{x^2}{2 \sigma_x^2} - \frac{y^2}{2 \sigma_y^2}\right)

    sampled at whole pixels to four standard deviations and scaled to unit sum. The edge of a
    frame goes on for ever beyond it, so that a uniform frame stays uniform.

    Parameters
    ----------
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> GaussianFilter(sigma_x=0.1, sigma_y=0.3).kernel().shape
    torch.Size([1, 1, 1, 9, 25])
    """

    sigma_x = parameter(
        0.1,
        unit="deg",
        bounds=(1e-3, 100.0),
        slider=(0.01, 1.0),
        scale="log",
        doc="standard deviation along the first axis",
    )
    sigma_y = parameter(
        0.1,
        unit="deg",
        bounds=(1e-3, 100.0),
        slider=(0.01, 1.0),
        scale="log",
        doc="standard deviation along the second axis",
    )

    def gaussian(self, sigma: float) -> None:
        """Set both standard deviations, in deg."""
        self.sigma_x, self.sigma_y = sigma, sigma

    def profiles(self) -> tuple[Tensor, Tensor]:
        """Profiles along either axis, ``[2 * radius + 1]``, each of unit sum."""
        scales = [sigma * self.resolution.pixel_per_degree for sigma in (self.sigma_x, self.sigma_y)]
        along_x, along_y = (gaussian(s, max(1, math.ceil(_REACH * float(s.detach()) - 1e-4))) for s in scales)
        return along_x, along_y

    def kernel(self) -> Tensor:
        """Return the kernel, ``[1, 1, 1, x, y]``, differentiable in both standard deviations."""
        along_x, along_y = self.profiles()
        return (along_x[:, None] * along_y)[None, None, None]

    def forward(self, x: Tensor) -> Tensor:
        return convolve_space(x, *self.profiles())
