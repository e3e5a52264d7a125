"""Bipolar cells: leaky integrators whose leak grows with the contrast around them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.layer import Layer
from convis_core.ops.gain_control import CustomLaw, Memory, contrast_gain_control
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme, scale_in_pixels
from convis_core.state import state_variable

__all__ = ["Bipolar", "CustomBipolar"]

SOURCE = "doi:10.1007/s10827-008-0108-4"


class Bipolar(Layer):
    r"""Bipolar cells with contrast gain control, one per pixel.

    .. math::

        \frac{dV}{dt} &= A \, x(t) - (g_L + a) \, V, \\
        a &= E_\tau * G_\sigma * \lambda V^2

    with an exponential `E` and a spatial kernel `G` of unit sum (Deriche's, of standard deviation
    :math:`1.18 \, \sigma`). The input is the output of the outer plexiform layer, a pure number,
    and so is the output. A constant input `x` is answered by the `V` that solves
    :math:`A x = (g_L + \lambda V^2) V`; without feedback by :math:`A x / g_L`. A fresh start
    begins with :math:`V = a = 0`. `a` at step `t` follows `V` at step `t - 1`, and acts on `V`
    at step `t + 1`.

    Parameters
    ----------
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> cells = Bipolar(lambda_amp=100.0)
    >>> v = cells.run(np.full((500, 3, 3), 10.0)).array()[0, 0, -1]  # 500 = (50 + 100 V^2) V
    >>> round(float(v.mean()), 2)
    1.61

    References
    ----------
    Wohrer A., Kornprobst P. (2009), Virtual Retina: a biological retina model and simulator,
    with contrast gain control, J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"lambda_amp": 100.0}

    input_amp = parameter(
        50.0,
        unit="Hz",
        bounds=(0.0, 1e4),
        slider=(0.0, 300.0),
        doc="current over capacitance for an input of 1",
        citation=SOURCE,
        key="contrast-gain-control.opl-amplification__Hz",
    )
    g_leak = parameter(
        50.0,
        unit="Hz",
        bounds=(1e-3, 1e4),
        slider=(1.0, 200.0),
        scale="log",
        doc="leak conductance over capacitance of a cell at rest",
        citation=SOURCE,
        key="contrast-gain-control.bipolar-inert-leaks__Hz",
    )
    lambda_amp = parameter(
        0.0,
        unit="Hz",
        bounds=(0.0, 1e6),
        slider=(0.0, 1000.0),
        doc="strength of the gain control: leak that a potential of 1 adds; 0 switches it off",
        citation=SOURCE,
        key="contrast-gain-control.adaptation-feedback-amplification__Hz",
    )
    tau = parameter(
        0.005,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.001, 0.1),
        scale="log",
        doc="time constant with which the leak follows the contrast",
        citation=SOURCE,
        key="contrast-gain-control.adaptation-tau__sec",
    )
    adaptation_sigma = parameter(
        0.2,
        unit="deg",
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="scale of the neighbourhood whose contrast counts",
        citation=SOURCE,
        key="contrast-gain-control.adaptation-sigma__deg",
    )
    v = state_variable("potential", shape="[batch, channel, x, y]")
    adaptation = state_variable("leak added by contrast, in Hz", shape="[batch, channel, x, y]")

    def __init__(
        self, *, log_polar: LogPolarScheme | None = None, resolution: Resolution | None = None, **values: Any
    ) -> None:
        super().__init__(resolution=resolution, **values)
        self.log_polar = log_polar

    def forward(self, x: Tensor) -> Tensor:
        return self.respond(x)[0]

    def respond(self, x: Tensor, record: bool = False) -> tuple[Tensor, Tensor | None]:
        """Answer a chunk; with `record` also with the leak added by contrast, in Hz, at every step."""
        rest = x.new_zeros(*x.shape[:2], *x.shape[3:])
        before = Memory(*(rest if part is None else part for part in self._memory()))
        potential, adaptation, after = contrast_gain_control(
            x,
            before,
            step=self.resolution.step,
            leak=self.g_leak,
            feedback=self.lambda_amp,
            tau=self.tau,
            sigma_px=scale_in_pixels(self.adaptation_sigma, x, self.resolution, self.log_polar),
            amplification=self.input_amp,
            custom=self._law(),
            virtual_retina_logpolar=self.log_polar is not None and self.log_polar.virtual_retina,
            record=record,
        )
        self._remember(after)
        return potential, adaptation

    def _memory(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        return self.v, self.adaptation, None

    def _remember(self, memory: Memory) -> None:
        self.v, self.adaptation = memory.v, memory.adaptation

    def _law(self) -> CustomLaw | None:
        return None


class CustomBipolar(Bipolar):
    r"""Bipolar cells with contrast gain control of another law.

    As `Bipolar`, with

    .. math::

        \frac{dV}{dt} = A \, x + a E + w \, (E_{\tau_w} * V) - (g_L + a) \, V, \qquad
        a = E_\tau * G_\sigma * \lambda \left[ (V - v_0)_+^p + (-V - v_0)_+^p \right]

    and the second term of `a` only if `symmetric`. The default values are those of `Bipolar`.

    Parameters
    ----------
    symmetric : bool
        Whether contrast of both signs counts.
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    **values
        Initial values of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> cells = CustomBipolar(lambda_amp=100.0, exponent=1.0, symmetric=False)
    >>> off = cells.run(np.full((500, 3, 3), -10.0)).array()[0, 0, -1, 1, 1]  # nothing counts: A x / g_L
    >>> float(off.round(2))
    -10.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249,
    doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {
        "symmetric": False,
        "lambda_amp": 100.0,
        "threshold": 0.1,
        "transient_weight": 10.0,
    }

    exponent = parameter(
        2.0,
        bounds=(0.1, 10.0),
        slider=(0.5, 4.0),
        doc="power of the potential that the leak follows",
        citation=SOURCE,
        key="contrast-gain-control-custom.adaptation-powerlaw-exponent",
    )
    threshold = parameter(
        0.0,
        bounds=(0.0, 1e3),
        slider=(0.0, 1.0),
        doc="potential below which contrast does not count",
        citation=SOURCE,
        key="contrast-gain-control-custom.bipolar-to-adaptation-threshold",
    )
    reversal = parameter(
        0.0,
        bounds=(-1e3, 1e3),
        slider=(-1.0, 1.0),
        doc="potential that the leak added by contrast pulls to",
        citation=SOURCE,
        key="contrast-gain-control-custom.adaptation-E-inh",
    )
    transient_weight = parameter(
        0.0,
        unit="Hz",
        bounds=(-1e4, 1e4),
        slider=(-100.0, 100.0),
        doc="current that a slow copy of the potential adds",
        citation=SOURCE,
        key="contrast-gain-control-custom.transient-relative-weight",
    )
    transient_tau = parameter(
        0.03,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.001, 0.5),
        scale="log",
        doc="time constant of the slow copy",
        citation=SOURCE,
        key="contrast-gain-control-custom.transient-tau__sec",
    )
    slow = state_variable("slow copy of the potential", shape="[batch, channel, x, y]")

    def __init__(
        self,
        symmetric: bool = True,
        *,
        log_polar: LogPolarScheme | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(log_polar=log_polar, resolution=resolution, **values)
        self.symmetric = symmetric

    def _memory(self) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        return self.v, self.adaptation, self.slow

    def _remember(self, memory: Memory) -> None:
        self.v, self.adaptation, self.slow = memory

    def _law(self) -> CustomLaw | None:
        return CustomLaw(
            self.exponent,
            self.threshold,
            self.reversal,
            self.symmetric,
            self.transient_weight,
            torch.exp(-self.resolution.step / self.transient_tau),
        )
