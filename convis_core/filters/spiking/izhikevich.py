"""Izhikevich's neuron, with its twenty named kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import Self

from convis_core.filters.spiking.izhikevich_presets import PRESETS, IzhikevichPreset, find_preset
from convis_core.filters.spiking.neuron import NeuronLayer, white_noise
from convis_core.ops.izhikevich import IzhikevichMethod, izhikevich
from convis_core.ops.surrogate import Surrogate, check_surrogate
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["Izhikevich"]

SOURCE = "doi:10.1109/TNN.2003.820440"
KINDS = "doi:10.1109/TNN.2004.832719"


class Izhikevich(NeuronLayer):
    r"""Izhikevich's two-variable neuron, one per channel and pixel.

    .. math::

        \frac{dv}{dt} = q v^2 + l v + k - u + I, \qquad \frac{du}{dt} = a (b (v + r) - e u), \qquad
        v \ge v_{th}: \; v \to c, \; u \to u + d

    with `t` in ms, `v` in mV, and ``q = 0.04``, ``l = 5``, ``k = 140``, ``r = 0``, ``e = 1``
    but for a few kinds. The input is a current `I` in mV/ms, of the order of 10. The output
    is the number of spikes in each frame. A fresh neuron starts at ``v = c``, ``u = b c``.

    Parameters
    ----------
    outputs : sequence of {"spikes", "v", "u"}
        What to return.
    method : {"euler", "rk4"}
        How to integrate.
    longest_step : float
        Longest step in s, made of two halves; at most one spike falls into each.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient that spikes pass to the potential in training; the output is the same.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    start : tuple of float, optional
        `v` and `u` of a fresh neuron, where they are not ``c`` and ``b c``.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> neuron = Izhikevich.preset("tonic bursting")
    >>> current = PRESETS["tonic bursting"].current(neuron.resolution)
    >>> int(neuron.run(current).array().sum()) > 20
    True

    References
    ----------
    Izhikevich E. M. (2003), Simple model of spiking neurons, IEEE Trans. Neural Netw. 14, 1569-1572,
    doi:10.1109/TNN.2003.820440. The kinds: Izhikevich E. M. (2004), Which model to use for cortical
    spiking neurons?, IEEE Trans. Neural Netw. 15, 1063-1070, doi:10.1109/TNN.2004.832719.
    """

    choices = ("spikes", "v", "u")
    output_names = ("spikes",)
    spiking = True
    example_arguments: ClassVar[dict[str, Any]] = {"noise_strength": 5.0}

    a = parameter(0.02, unit="1/ms", bounds=(-1.0, 2.0), slider=(0.0, 0.2), doc="rate of the recovery", citation=SOURCE)
    b = parameter(
        0.2, unit="1/ms", bounds=(-2.0, 2.0), slider=(-0.2, 0.3), doc="how the recovery follows v", citation=SOURCE
    )
    c = parameter(
        -65.0, unit="mV", bounds=(-100.0, 0.0), slider=(-70.0, -40.0), doc="potential after a spike", citation=SOURCE
    )
    d = parameter(
        8.0,
        unit="mV/ms",
        bounds=(-50.0, 50.0),
        slider=(-2.0, 10.0),
        doc="what a spike adds to the recovery",
        citation=SOURCE,
    )
    threshold = parameter(
        30.0, unit="mV", bounds=(0.0, 100.0), doc="peak of a spike, where the potential is reset", citation=SOURCE
    )
    quadratic = parameter(
        0.04, unit="1/(ms mV)", bounds=(0.0, 1.0), slider=(0.01, 0.1), doc="factor of v squared", citation=SOURCE
    )
    linear = parameter(5.0, unit="1/ms", bounds=(-20.0, 20.0), slider=(3.0, 6.0), doc="factor of v", citation=SOURCE)
    constant = parameter(
        140.0,
        unit="mV/ms",
        bounds=(-1e3, 1e3),
        slider=(100.0, 150.0),
        doc="input without which it has no rest",
        citation=SOURCE,
    )
    recovery_offset = parameter(
        0.0, unit="mV", bounds=(-100.0, 100.0), doc="added to v where it drives the recovery", citation=KINDS
    )
    recovery_leak = parameter(
        1.0, bounds=(0.0, 2.0), doc="how fast the recovery decays, relative to a; 0 for not at all", citation=KINDS
    )
    noise_strength = white_noise("mV/ms", 1e3, 20.0)
    v = state_variable("membrane potential, in mV", shape="[batch, channel, x, y]")
    u = state_variable("recovery, in mV/ms", shape="[batch, channel, x, y]")

    def __init__(
        self,
        *,
        outputs: Sequence[str] = ("spikes",),
        method: IzhikevichMethod = "euler",
        longest_step: float = 0.001,
        surrogate: Surrogate | None = None,
        start: tuple[float, float] | None = None,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(outputs=outputs, longest_step=longest_step, seed=seed, resolution=resolution, **values)
        check_surrogate(surrogate)
        self.method: IzhikevichMethod = method
        self.surrogate: Surrogate | None = surrogate
        self.start = start

    @classmethod
    def preset(cls, name: str, **options: Any) -> Self:
        """Make one of the twenty named kinds; its input is ``filters.spiking.PRESETS[name].current(resolution)``.

        Parameters
        ----------
        name : str
            As in the paper, e.g. ``"rebound spike"``; see `presets`. Spelling of spaces,
            hyphens and capitals is free.
        **options
            As of the constructor.

        Raises
        ------
        UnknownNameError
            For another name.
        """
        found: IzhikevichPreset = find_preset(name)
        return cls(
            **{"method": "rk4", "longest_step": found.longest_step, "start": found.start, **found.parameters, **options}
        )

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names of the twenty kinds."""
        return tuple(PRESETS)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.v is None:
            v, u = (self.c, self.b * self.c) if self.start is None else self.start
            self.v, self.u = self.at_start(x, v), self.at_start(x, u)
        spikes, recorded, (self.v, self.u) = izhikevich(
            self.noisy(x),
            self.v,
            self.u,
            step=self.resolution.step,
            **{name: getattr(self, name) for name in _SHARED},
            longest_step=self.longest_step,
            method=self.method,
            surrogate=self.surrogate,
            traces=self.traces,
        )
        return self.chosen(spikes, recorded)


_SHARED = tuple(name for name in Izhikevich.declarations() if name != "noise_strength")
