"""The adaptive exponential integrate-and-fire neuron of Brette and Gerstner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from convis_core.filters.spiking.neuron import NeuronLayer, white_noise
from convis_core.ops.adaptive_exponential import AdaptiveExponentialMethod, adaptive_exponential
from convis_core.ops.surrogate import Surrogate, check_surrogate
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["AdaptiveExponential"]

SOURCE = "doi:10.1152/jn.00686.2005"


class AdaptiveExponential(NeuronLayer):
    r"""The adaptive exponential integrate-and-fire neuron, one per channel and pixel.

    .. math::

        C \frac{dv}{dt} = -g_L (v - E_L) + g_L \Delta_T e^{(v - V_T) / \Delta_T} - w + I, \qquad
        \tau_w \frac{dw}{dt} = a (v - E_L) - w, \qquad
        v \ge V_{peak}: \; v \to V_{reset}, \; w \to w + b

    The input is a current in pA. The output is the number of spikes in each frame. A fresh
    neuron rests at ``E_L``. The defaults are the regularly spiking cell of the paper, which
    fires again and again under a constant current above about 630 pA.

    Parameters
    ----------
    outputs : sequence of {"spikes", "v", "w"}
        What to return.
    method : {"exponential_euler", "euler"}
        How to integrate; "exponential_euler" solves the linear part exactly.
    longest_step : float
        Longest step in s; at most one spike falls into each.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient that spikes pass to the potential in training; the output is the same.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> [int(AdaptiveExponential().run(np.full(500, current)).array().sum()) for current in (400.0, 1000.0)]
    [0, 17]

    References
    ----------
    Brette R., Gerstner W. (2005), Adaptive exponential integrate-and-fire model as an effective description
    of neuronal activity, J. Neurophysiol. 94, 3637-3642, doi:10.1152/jn.00686.2005.
    """

    choices = ("spikes", "v", "w")
    output_names = ("spikes",)
    spiking = True
    example_arguments: ClassVar[dict[str, Any]] = {"noise_strength": 2000.0}

    C = parameter(
        281.0, unit="pF", bounds=(1.0, 1e4), slider=(50.0, 500.0), scale="log", doc="capacitance", citation=SOURCE
    )
    g_L = parameter(
        30.0, unit="nS", bounds=(0.1, 1e3), slider=(1.0, 100.0), scale="log", doc="leak conductance", citation=SOURCE
    )
    E_L = parameter(
        -70.6, unit="mV", bounds=(-150.0, 0.0), slider=(-80.0, -50.0), doc="resting potential", citation=SOURCE
    )
    V_T = parameter(
        -50.4, unit="mV", bounds=(-150.0, 50.0), slider=(-60.0, -40.0), doc="threshold potential", citation=SOURCE
    )
    delta_T = parameter(
        2.0,
        unit="mV",
        bounds=(0.05, 50.0),
        slider=(0.5, 5.0),
        scale="log",
        doc="range over which a spike sets in",
        citation=SOURCE,
    )
    tau_w = parameter(
        0.144,
        unit="s",
        bounds=(1e-4, 10.0),
        slider=(0.01, 0.5),
        scale="log",
        doc="time constant of the adaptation",
        citation=SOURCE,
    )
    a = parameter(
        4.0,
        unit="nS",
        bounds=(-100.0, 1e3),
        slider=(-10.0, 20.0),
        doc="adaptation that follows the potential",
        citation=SOURCE,
    )
    b = parameter(
        80.5,
        unit="pA",
        bounds=(-100.0, 1e4),
        slider=(0.0, 200.0),
        doc="adaptation that a spike adds",
        citation=SOURCE,
    )
    V_reset = parameter(
        -70.6, unit="mV", bounds=(-150.0, 0.0), slider=(-80.0, -45.0), doc="potential after a spike", citation=SOURCE
    )
    V_peak = parameter(20.0, unit="mV", bounds=(0.0, 100.0), doc="potential at which a spike ends", citation=SOURCE)
    noise_strength = white_noise("pA", 1e5, 1000.0)
    v = state_variable("membrane potential, in mV", shape="[batch, channel, x, y]")
    w = state_variable("adaptation current, in pA", shape="[batch, channel, x, y]")

    def __init__(
        self,
        *,
        outputs: Sequence[str] = ("spikes",),
        method: AdaptiveExponentialMethod = "exponential_euler",
        longest_step: float = 1e-4,
        surrogate: Surrogate | None = None,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(outputs=outputs, longest_step=longest_step, seed=seed, resolution=resolution, **values)
        check_surrogate(surrogate)
        self.method: AdaptiveExponentialMethod = method
        self.surrogate: Surrogate | None = surrogate

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.v is None:
            self.v, self.w = self.at_start(x, self.E_L), self.at_start(x, 0.0)
        spikes, recorded, (self.v, self.w) = adaptive_exponential(
            self.noisy(x),
            self.v,
            self.w,
            step=self.resolution.step,
            **{name: getattr(self, name) for name in _SHARED},
            longest_step=self.longest_step,
            method=self.method,
            surrogate=self.surrogate,
            traces=self.traces,
        )
        return self.chosen(spikes, recorded)


_SHARED = tuple(name for name in AdaptiveExponential.declarations() if name != "noise_strength")
