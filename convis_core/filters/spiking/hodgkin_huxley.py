"""The neuron of Hodgkin and Huxley."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.spiking.neuron import NeuronLayer, white_noise
from convis_core.ops.hodgkin_huxley import HodgkinHuxleyMethod, hodgkin_huxley, hodgkin_huxley_gates
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["HodgkinHuxley"]

SOURCE = "doi:10.1113/jphysiol.1952.sp004764"


class HodgkinHuxley(NeuronLayer):
    r"""The neuron of Hodgkin and Huxley, one per channel and pixel.

    .. math::

        C \frac{dv}{dt} = I - g_{Na} m^3 h (v - V_{Na}) - g_K n^4 (v - V_K) - g_L (v - V_L), \qquad
        \frac{dx}{dt} = \alpha_x(v) (1 - x) - \beta_x(v) x, \quad x = m, h, n

    with `t` in ms. The input is a current in uA/cm^2. The output is the potential relative to
    rest, in mV. A fresh neuron is at 0 mV with the gates that belong there, where it rests
    with the default parameters; it then fires again and again under a constant input above 6.3.

    Parameters
    ----------
    outputs : sequence of {"spikes", "v", "m", "h", "n"}
        What to return; a spike is counted when `v` rises through `threshold`.
    method : {"exponential_euler", "euler"}
        How to integrate; "exponential_euler" solves each equation exactly with the others frozen.
    longest_step : float
        Longest step in s.
    threshold : float
        Potential at which spikes are counted, in mV.
    start : tuple of float, optional
        `v`, `m`, `h` and `n` of a fresh neuron, where it is not at rest.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> neuron = HodgkinHuxley(outputs=("v", "spikes"))
    >>> output = neuron.run(np.full(1000, 10.0))
    >>> int(output["spikes"].sum()), bool(output["v"].max() > 90)  # spikes a second, mV
    (69, True)

    References
    ----------
    Hodgkin A. L., Huxley A. F. (1952), A quantitative description of membrane current and its application
    to conduction and excitation in nerve, J. Physiol. 117, 500-544, doi:10.1113/jphysiol.1952.sp004764.
    """

    choices = ("spikes", "v", "m", "h", "n")
    output_names = ("v",)
    differentiable: ClassVar[bool] = True
    example_arguments: ClassVar[dict[str, Any]] = {
        "noise_strength": 0.5,
        "seed": 1,
        "longest_step": 2.5e-4,
    }

    g_K = parameter(
        36.0,
        unit="mS/cm^2",
        bounds=(0.0, 1e3),
        slider=(0.0, 100.0),
        doc="conductance of the potassium channels",
        citation=SOURCE,
    )
    g_Na = parameter(
        120.0,
        unit="mS/cm^2",
        bounds=(0.0, 1e3),
        slider=(0.0, 300.0),
        doc="conductance of the sodium channels",
        citation=SOURCE,
    )
    g_L = parameter(
        0.3, unit="mS/cm^2", bounds=(1e-3, 1e2), slider=(0.01, 2.0), doc="conductance of the leak", citation=SOURCE
    )
    C_m = parameter(
        1.0, unit="uF/cm^2", bounds=(0.01, 1e2), slider=(0.1, 5.0), doc="capacitance of the membrane", citation=SOURCE
    )
    V_K = parameter(-12.0, unit="mV", bounds=(-100.0, 100.0), doc="reversal potential of potassium", citation=SOURCE)
    V_Na = parameter(115.0, unit="mV", bounds=(0.0, 300.0), doc="reversal potential of sodium", citation=SOURCE)
    V_L = parameter(10.613, unit="mV", bounds=(-100.0, 100.0), doc="reversal potential of the leak", citation=SOURCE)
    noise_strength = white_noise("uA/cm^2", 1e3, 10.0)
    v = state_variable("membrane potential relative to rest, in mV", shape="[batch, channel, x, y]")
    m = state_variable("activation of sodium", shape="[batch, channel, x, y]")
    h = state_variable("inactivation of sodium", shape="[batch, channel, x, y]")
    n = state_variable("activation of potassium", shape="[batch, channel, x, y]")

    def __init__(
        self,
        *,
        outputs: Sequence[str] = ("v",),
        method: HodgkinHuxleyMethod = "exponential_euler",
        longest_step: float = 5e-5,
        threshold: float = 50.0,
        start: tuple[float, float, float, float] | None = None,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(outputs=outputs, longest_step=longest_step, seed=seed, resolution=resolution, **values)
        self.method: HodgkinHuxleyMethod = method
        self.threshold = threshold
        self.start = start

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.v is None:
            at_zero = hodgkin_huxley_gates(torch.zeros((), dtype=torch.float64))
            values = self.start or (0.0, *map(float, at_zero))
            self.v, self.m, self.h, self.n = (self.at_start(x, value) for value in values)
        spikes, recorded, (self.v, self.m, self.h, self.n) = hodgkin_huxley(
            self.noisy(x),
            self.v,
            self.m,
            self.h,
            self.n,
            step=self.resolution.step,
            g_K=self.g_K,
            g_Na=self.g_Na,
            g_L=self.g_L,
            C_m=self.C_m,
            V_K=self.V_K,
            V_Na=self.V_Na,
            V_L=self.V_L,
            threshold=self.threshold,
            longest_step=self.longest_step,
            method=self.method,
            traces=self.traces,
        )
        return self.chosen(spikes, recorded)
