"""Centre-surround receptive field: a difference of Gaussians in space, biphasic in time."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ResolutionError
from convis_core.layer import Layer
from convis_core.ops.kernels import cascade, convolved, gaussian, unit_sum
from convis_core.ops.separable import convolve_space, convolve_time
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["CentreSurroundFilter"]

SOURCE = "doi:10.1016/0042-6989(65)90033-7"


class CentreSurroundFilter(Layer):
    r"""Difference of Gaussians in space, biphasic in time, the surround later than the centre.

    .. math::

        w(t, r) = G(r; \sigma_c) \, T(t) - w_s \, G(r; \sigma_s) \, (T * E_{\tau_s})(t),
        \qquad T = E_{\tau_c} * E_{\tau_c} - w_u \, E_{\tau_c} * E_{\tau_c} * E_{\tau_u}

    with Gaussians `G` and exponentials `E` of unit sum; what `duration` and `extent` cut off
    of them is made up for by scaling, so that a constant input is answered by
    :math:`(1 - w_u)(1 - w_s)` times its value whatever the parameters. The filter is a sum of two
    separable ones and is applied as such.

    Parameters
    ----------
    duration : float
        Length of the filter in s.
    extent : float
        Half width of the filter in deg.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> CentreSurroundFilter(duration=0.05, extent=0.5).kernel().shape
    torch.Size([1, 1, 50, 11, 11])

    References
    ----------
    Rodieck R. W. (1965), Quantitative analysis of cat retinal ganglion cell response to visual
    stimuli, Vision Res. 5, 583-601, doi:10.1016/0042-6989(65)90033-7.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"duration": 0.02, "extent": 0.3}
    in_channels = 1

    sigma_center = parameter(
        0.05,
        unit="deg",
        bounds=(1e-3, 10.0),
        slider=(0.02, 0.2),
        scale="log",
        doc="standard deviation of the centre Gaussian",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.center-sigma__deg",
    )
    sigma_surround = parameter(
        0.15,
        unit="deg",
        bounds=(1e-3, 30.0),
        slider=(0.05, 0.3),
        scale="log",
        doc="standard deviation of the surround Gaussian",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.surround-sigma__deg",
    )
    weight_surround = parameter(
        1.0,
        bounds=(0.0, 10.0),
        slider=(0.0, 1.5),
        doc="strength of the surround relative to the centre; 1 ignores uniform light",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.opl-relative-weight",
    )
    tau_center = parameter(
        0.01,
        unit="s",
        bounds=(1e-4, 1.0),
        slider=(0.002, 0.02),
        scale="log",
        doc="time constant of the centre",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.center-tau__sec",
    )
    tau_surround = parameter(
        0.004,
        unit="s",
        bounds=(1e-4, 1.0),
        slider=(0.001, 0.02),
        scale="log",
        doc="additional delay of the surround",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.surround-tau__sec",
    )
    tau_undershoot = parameter(
        0.02,
        unit="s",
        bounds=(1e-4, 10.0),
        slider=(0.005, 0.05),
        scale="log",
        doc="time constant of the undershoot that makes the response transient",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.undershoot.tau__sec",
    )
    weight_undershoot = parameter(
        0.8,
        bounds=(0.0, 1.0),
        doc="strength of the undershoot; 1 ignores what does not change",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.undershoot.relative-weight",
    )
    history_center = state_variable("blurred frames before the chunk", shape="[batch, 1, lag - 1, x, y]")
    history_surround = state_variable("blurred frames before the chunk", shape="[batch, 1, lag - 1, x, y]")

    def __init__(
        self,
        duration: float = 0.1,
        extent: float = 0.5,
        *,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(resolution=resolution, **values)
        if not (0 < duration < 100 and 0 < extent < 1000):
            raise ResolutionError(
                f"duration must lie between 0 and 100 s and extent between 0 and 1000 deg, got {duration}, {extent}."
            )
        self.n_lags = max(1, round(self.resolution.seconds_to_steps(duration)))
        self.radius = max(1, round(self.resolution.degrees_to_pixels(extent)))

    def temporal_kernels(self) -> tuple[Tensor, Tensor]:
        """Time courses of centre and surround, ``[lag]``."""
        rate = self.resolution.steps_per_second
        fast = cascade(self.tau_center * rate, self.n_lags, poles=2)
        slow = unit_sum(convolved(fast, cascade(self.tau_undershoot * rate, self.n_lags)))
        delay = cascade(self.tau_surround * rate, self.n_lags)
        late_fast, late_slow = unit_sum(convolved(fast, delay)), unit_sum(convolved(slow, delay))
        weight = self.weight_undershoot
        return fast - weight * slow, late_fast - weight * late_slow

    def spatial_kernels(self) -> tuple[Tensor, Tensor]:
        """Profiles of centre and surround along one axis, ``[2 * radius + 1]``, each of unit sum."""
        scale = self.resolution.pixel_per_degree
        return gaussian(self.sigma_center * scale, self.radius), gaussian(self.sigma_surround * scale, self.radius)

    def kernel(self) -> Tensor:
        """Return the whole filter, differentiable in every parameter."""
        (t_c, t_s), (g_c, g_s) = self.temporal_kernels(), self.spatial_kernels()
        centre = torch.einsum("t,x,y->txy", t_c, g_c, g_c)
        surround = torch.einsum("t,x,y->txy", t_s, g_s, g_s)
        return (centre - self.weight_surround * surround)[None, None]

    def forward(self, x: Tensor) -> Tensor:
        (t_c, t_s), (g_c, g_s) = self.temporal_kernels(), self.spatial_kernels()
        centre, self.history_center = convolve_time(convolve_space(x, g_c), t_c, self.history_center)
        surround, self.history_surround = convolve_time(convolve_space(x, g_s), t_s, self.history_surround)
        return centre - self.weight_surround * surround
