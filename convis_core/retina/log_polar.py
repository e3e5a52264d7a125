"""The density of cells, which falls from the fovea to the periphery."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.resolution import Resolution

__all__ = ["LogPolarScheme", "scale_in_pixels"]


@dataclass(frozen=True)
class LogPolarScheme:
    r"""Density of the retina relative to that of the fovea.

    .. math:: d(r) = \begin{cases} 1 & r \le R_0 \\ 1 / (1 + K (r - R_0)) & r > R_0 \end{cases}

    Spatial scales are those of the fovea divided by it.

    Parameters
    ----------
    fovea_radius : float
        :math:`R_0`, in deg.
    scaling_factor : float
        `K`, per deg.
    virtual_retina : bool
        Whether to blur as Virtual Retina does: skewed by a fraction of a pixel, and darker at the
        border.

    Examples
    --------
    >>> LogPolarScheme(1.0, 1.0).density((1, 61), Resolution(10.0, 1000.0))[0, ::10]
    tensor([0.3333, 0.5000, 1.0000, 1.0000, 1.0000, 0.5000, 0.3333])

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    fovea_radius: float = 1.0
    scaling_factor: float = 1.0
    virtual_retina: bool = False

    def __post_init__(self) -> None:
        for name, value in (("fovea_radius", self.fovea_radius), ("scaling_factor", self.scaling_factor)):
            if not value >= 0:
                raise ParameterError(f"{name} must not be negative, got {value!r}.")

    def density(self, size: tuple[int, int], resolution: Resolution, dtype: torch.dtype = torch.float32) -> Tensor:
        """Density at every pixel of an image, ``[x, y]``; its centre is that of the fovea."""
        x, y = (torch.arange(n, dtype=dtype) - (n - 1) / 2 for n in size)
        radius = torch.hypot(x[:, None], y[None]) / resolution.pixel_per_degree
        return 1.0 / (1.0 + self.scaling_factor * (radius - self.fovea_radius).clamp(min=0.0))

    def at(self, radius: float) -> float:
        """Density at a distance from the centre, in deg."""
        return 1.0 / (1.0 + self.scaling_factor * max(radius - self.fovea_radius, 0.0))


def scale_in_pixels(sigma: Tensor, x: Tensor, resolution: Resolution, scheme: LogPolarScheme | None) -> Tensor:
    """Turn a scale in deg into pixels: a number, or with a scheme one for every pixel of x ``[..., x, y]``."""
    scale = sigma * resolution.pixel_per_degree
    if scheme is None:
        return scale
    return scale / scheme.density((x.shape[-2], x.shape[-1]), resolution, x.dtype).to(x.device)
