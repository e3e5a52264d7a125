"""An outer plexiform layer whose receptors adapt to luminance by the feedback of horizontal cells."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from convis_core.layer import Layer
from convis_core.ops.gain_control import CustomLaw, Memory, contrast_gain_control
from convis_core.ops.smooth_rectification import SATURATION
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme, scale_in_pixels
from convis_core.state import state_variable

__all__ = ["LuminanceGainControlOPLFilter"]

GROUP = "outer-plexiform-layer.luminance-gain-control-version"


class LuminanceGainControlOPLFilter(Layer):
    r"""Outer plexiform layer with luminance gain control (experimental).

    .. math::

        \frac{dV}{dt} &= x(t) + A h \, E_h - (g_L + A h) \, V, \\
        h &= E_\tau * G_\sigma * [V]_+, \qquad y = V - w h

    with receptors `V`, horizontal cells `h`, an exponential `E` and a spatial kernel `G` of unit
    sum. Bright light opens conductances in the receptors, so that a constant `x` is answered by
    about :math:`\sqrt{x / A}`. The input is raw luminance; a fresh start begins with `V` and `h` at 0,
    whatever the luminance was.

    Parameters
    ----------
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> opl = LuminanceGainControlOPLFilter()
    >>> o = opl.run(np.full((500, 3, 3), 210.0))  # 210 = (10 + 200 V) V
    >>> round(float(o.array()[0, 0, -1].mean()), 2)
    1.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"relative_weight": 0.5}

    g_leak = parameter(
        10.0,
        unit="Hz",
        bounds=(1e-3, 1e5),
        slider=(1.0, 200.0),
        scale="log",
        doc="leak conductance over capacitance of receptors in the dark",
        key=f"{GROUP}.inert-leak-in-receptors",
    )
    feedback = parameter(
        200.0,
        unit="Hz",
        bounds=(1e-3, 1e6),
        slider=(1.0, 1000.0),
        scale="log",
        doc="conductance that horizontal cells open in receptors",
        key=f"{GROUP}.horizontal-feedback-amplification",
    )
    reversal = parameter(
        0.0,
        bounds=(-1e3, 1e3),
        slider=(-1.0, 1.0),
        doc="potential that the feedback of horizontal cells pulls to",
        key=f"{GROUP}.horizontal-feedback-nernst-potential",
    )
    sigma_horizontal = parameter(
        1.0,
        unit="deg",
        bounds=(0.0, 100.0),
        slider=(0.0, 2.0),
        doc="scale of the neighbourhood that horizontal cells see",
        key=f"{GROUP}.sigma-horizontal-cells__deg",
    )
    tau_horizontal = parameter(
        0.01,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.001, 0.5),
        scale="log",
        doc="time constant of horizontal cells",
        key=f"{GROUP}.additional-tau-horizontal-cells__sec",
    )
    relative_weight = parameter(
        0.0,
        bounds=(0.0, 10.0),
        slider=(0.0, 1.5),
        doc="strength of the surround relative to the centre",
        key=f"{GROUP}.relative-weight-surround-center",
    )
    v = state_variable("potential of receptors", shape="[batch, channel, x, y]")
    conductance = state_variable("opened by horizontal cells, in Hz", shape="[batch, channel, x, y]")

    def __init__(
        self, *, log_polar: LogPolarScheme | None = None, resolution: Resolution | None = None, **values: Any
    ) -> None:
        super().__init__(resolution=resolution, **values)
        self.log_polar = log_polar

    def settle(self, luminance: float | None) -> None:
        """Begin anew; this layer begins in the dark whatever it was adapted to."""
        self.clear_state()

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x)[2]

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors, horizontal cells (not weighted), and the weighted difference."""
        dark = x.new_zeros(*x.shape[:2], *x.shape[3:])
        before = (dark if self.v is None else self.v), (dark if self.conductance is None else self.conductance)
        receptor, conductance, after = contrast_gain_control(
            x,
            Memory(*before, dark),
            step=self.resolution.step,
            leak=self.g_leak,
            feedback=self.feedback,
            tau=self.tau_horizontal,
            sigma_px=scale_in_pixels(self.sigma_horizontal, x, self.resolution, self.log_polar),
            custom=CustomLaw(exponent=1.0, reversal=self.reversal, symmetric=False),
            saturation=SATURATION * self.feedback,
            virtual_retina_logpolar=self.log_polar is not None and self.log_polar.virtual_retina,
            record=True,
        )
        self.v, self.conductance = after.v, after.adaptation
        assert conductance is not None  # it was asked for
        horizontal = conductance / self.feedback
        return receptor, horizontal, receptor - self.relative_weight * horizontal
