"""The neuron of FitzHugh and Nagumo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from convis_core.filters.spiking.neuron import NeuronLayer, white_noise
from convis_core.ops.fitzhugh_nagumo import FitzHughNagumoMethod, fitzhugh_nagumo, fitzhugh_nagumo_rest
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["FitzHughNagumo"]

SOURCE = "doi:10.1016/S0006-3495(61)86902-6"


class FitzHughNagumo(NeuronLayer):
    r"""The two-variable neuron of FitzHugh and Nagumo, one per channel and pixel.

    .. math::

        T \frac{dv}{dt} = v - \frac{v^3}{3} - w + I, \qquad T \frac{dw}{dt} = \tau (v + a - b w)

    All are pure numbers but the unit of time `T`. The output is the potential `v`. A fresh
    neuron rests, at ``v = -1.199``; with the default parameters it fires under a constant
    input between about 0.33 and 1.42. FitzHugh's paper and the original convis count `v`, `w`
    and `I` with the opposite sign, in which depolarisation is negative; ``a=-0.7`` gives that.

    Parameters
    ----------
    outputs : sequence of {"spikes", "v", "w"}
        What to return; a spike is counted when `v` rises through `threshold`.
    method : {"euler", "rk4"}
        How to integrate.
    longest_step : float
        Longest step, in units of `time_constant`.
    threshold : float
        Potential at which spikes are counted.
    start : tuple of float, optional
        `v` and `w` of a fresh neuron, where it is not at rest.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> neuron = FitzHughNagumo(outputs="spikes")
    >>> [int(neuron.run(np.full(400, current)).array().sum()) for current in (0.1, 0.6)]
    [0, 11]

    References
    ----------
    FitzHugh R. (1961), Impulses and physiological states in theoretical models of nerve membrane,
    Biophys. J. 1, 445-466, doi:10.1016/S0006-3495(61)86902-6.
    """

    choices = ("spikes", "v", "w")
    output_names = ("v",)
    differentiable: ClassVar[bool] = True
    example_arguments: ClassVar[dict[str, Any]] = {"noise_strength": 0.1, "seed": 1, "time_constant": 0.00105}

    a = parameter(0.7, bounds=(-2.0, 2.0), doc="offset of the recovery", citation=SOURCE)
    b = parameter(0.8, bounds=(0.01, 0.99), doc="how fast the recovery decays, relative to tau", citation=SOURCE)
    tau = parameter(
        0.08,
        bounds=(1e-4, 10.0),
        slider=(0.01, 1.0),
        scale="log",
        doc="rate of the recovery, relative to that of v",
        citation=SOURCE,
    )
    time_constant = parameter(
        0.001, unit="s", bounds=(1e-5, 1.0), slider=(1e-4, 0.1), scale="log", doc="unit of time", citation=SOURCE
    )
    noise_strength = white_noise("", 10.0, 1.0)
    v = state_variable("membrane potential", shape="[batch, channel, x, y]")
    w = state_variable("recovery", shape="[batch, channel, x, y]")

    def __init__(
        self,
        *,
        outputs: Sequence[str] = ("v",),
        method: FitzHughNagumoMethod = "euler",
        longest_step: float = 0.1,
        threshold: float = 1.0,
        start: tuple[float, float] | None = None,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(outputs=outputs, longest_step=longest_step, seed=seed, resolution=resolution, **values)
        self.method: FitzHughNagumoMethod = method
        self.threshold = threshold
        self.start = start

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.v is None:
            v, w = fitzhugh_nagumo_rest(self.a, self.b) if self.start is None else self.start
            self.v, self.w = self.at_start(x, v), self.at_start(x, w)
        spikes, recorded, (self.v, self.w) = fitzhugh_nagumo(
            self.noisy(x),
            self.v,
            self.w,
            step=self.resolution.step,
            a=self.a,
            b=self.b,
            tau=self.tau,
            time_constant=self.time_constant,
            threshold=self.threshold,
            longest_step=self.longest_step,
            method=self.method,
            traces=self.traces,
        )
        return self.chosen(spikes, recorded)
