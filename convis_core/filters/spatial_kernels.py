"""Receptive fields in space whose shape is set by a few numbers: difference of Gaussians and Gabor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor

from convis_core.errors import ResolutionError
from convis_core.layer import Layer
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.kernels import difference_of_gaussians, gabor, gaussian
from convis_core.ops.separable import convolve_space
from convis_core.parameters import parameter
from convis_core.resolution import Resolution

__all__ = ["DifferenceOfGaussiansFilter", "GaborFilter"]

RODIECK = "doi:10.1016/0042-6989(65)90033-7"
DAUGMAN = "doi:10.1364/JOSAA.2.001160"


class _Extended(Layer, register=False):
    """A filter in space that reaches `extent` degrees either way."""

    def __init__(self, extent: float, resolution: Resolution | None, **values: Any) -> None:
        super().__init__(resolution=resolution, **values)
        if not 0 < extent < 1000:
            raise ResolutionError(f"extent must lie between 0 and 1000 deg, got {extent}.")
        self.radius = max(1, round(self.resolution.degrees_to_pixels(extent)))


class DifferenceOfGaussiansFilter(_Extended):
    r"""Centre minus surround in every frame, :math:`y = G_{\sigma_c} * x - w \, G_{\sigma_s} * x`.

    Both Gaussians have unit sum, so a uniform image is answered by :math:`1 - w` times its value.

    Parameters
    ----------
    extent : float
        Half width of the filter in deg.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> DifferenceOfGaussiansFilter(extent=1.0, weight_surround=1.0).kernel().sum().abs() < 1e-6
    tensor(True)

    References
    ----------
    Rodieck R. W. (1965), Vision Res. 5, 583-601, doi:10.1016/0042-6989(65)90033-7.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"extent": 0.3}

    sigma_center = parameter(
        0.05,
        unit="deg",
        bounds=(1e-3, 10.0),
        slider=(0.02, 0.2),
        scale="log",
        doc="standard deviation of the centre",
        citation=RODIECK,
    )
    sigma_surround = parameter(
        0.15,
        unit="deg",
        bounds=(1e-3, 30.0),
        slider=(0.05, 0.5),
        scale="log",
        doc="standard deviation of the surround",
        citation=RODIECK,
    )
    weight_surround = parameter(
        1.0, bounds=(0.0, 10.0), slider=(0.0, 1.5), doc="strength of the surround", citation=RODIECK
    )

    def __init__(self, extent: float = 0.5, *, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(extent, resolution, **values)

    def _sigmas(self) -> tuple[Tensor, Tensor]:
        scale = self.resolution.pixel_per_degree
        return self.sigma_center * scale, self.sigma_surround * scale

    def kernel(self) -> Tensor:
        """Return the filter, ``[1, 1, 1, x, y]``, differentiable in every parameter."""
        return difference_of_gaussians(*self._sigmas(), self.weight_surround, self.radius)[None, None, None]

    def forward(self, x: Tensor) -> Tensor:
        centre, surround = (convolve_space(x, gaussian(sigma, self.radius)) for sigma in self._sigmas())
        return centre - self.weight_surround * surround


class GaborFilter(_Extended):
    r"""Oriented receptive field, a wave under a Gaussian, in every frame.

    .. math::

        w(x, y) \propto e^{-(u^2 + v^2 / a^2) / 2 \sigma^2} \cos(2 \pi f u + \varphi),
        \qquad u = x \cos\theta + y \sin\theta

    where the Gaussian has unit sum. It answers gratings of the frequency `f` that change along the
    direction :math:`\theta`, where 0 is along x and so shows stripes along y.

    Parameters
    ----------
    extent : float
        Half width of the filter in deg.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> GaborFilter(extent=0.5).kernel().shape
    torch.Size([1, 1, 1, 11, 11])

    References
    ----------
    Daugman J. G. (1985), J. Opt. Soc. Am. A 2, 1160-1169, doi:10.1364/JOSAA.2.001160.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"extent": 0.2}
    in_channels = 1

    sigma = parameter(
        0.2,
        unit="deg",
        bounds=(1e-3, 10.0),
        slider=(0.05, 1.0),
        scale="log",
        doc="standard deviation of the Gaussian along the wave",
        citation=DAUGMAN,
    )
    frequency = parameter(
        2.0,
        unit="cycles/deg",
        bounds=(0.0, 100.0),
        slider=(0.1, 5.0),
        doc="frequency of the wave",
        citation=DAUGMAN,
    )
    orientation = parameter(
        0.0, unit="rad", bounds=(-2 * math.pi, 2 * math.pi), doc="direction along which the wave runs", citation=DAUGMAN
    )
    phase = parameter(
        0.0, unit="rad", bounds=(-2 * math.pi, 2 * math.pi), doc="phase of the wave in the middle", citation=DAUGMAN
    )
    aspect = parameter(
        1.0,
        bounds=(0.1, 10.0),
        scale="log",
        doc="length of the stripes relative to the extent along the wave",
        citation=DAUGMAN,
    )

    def __init__(self, extent: float = 0.5, *, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(extent, resolution, **values)

    def kernel(self) -> Tensor:
        """Return the filter, ``[1, 1, 1, x, y]``, differentiable in every parameter."""
        scale = self.resolution.pixel_per_degree
        sigma, frequency = self.sigma * scale, self.frequency / scale
        return gabor(sigma, frequency, self.orientation, self.phase, self.radius, self.aspect)[None, None, None]

    def forward(self, x: Tensor) -> Tensor:
        return causal_conv3d(x, self.kernel())[0]
