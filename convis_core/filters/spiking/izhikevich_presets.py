"""The twenty kinds of firing of Izhikevich (2004), each with the input that brings it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import UnknownNameError
from convis_core.resolution import Resolution, used_resolution

__all__ = ["PRESETS", "IzhikevichPreset", "find_preset"]

_Array = NDArray[np.float64]
Protocol = Callable[[_Array], _Array]
"""Input in mV/ms as a function of time in ms."""


@dataclass(frozen=True)
class IzhikevichPreset:
    """One kind of firing.

    Attributes
    ----------
    name : str
        As in figure 1 of the paper.
    parameters : dict
        Values of the parameters of `Izhikevich` that differ from its defaults.
    start : tuple of float
        `v` in mV and `u` in mV/ms before the input.
    duration : float
        Of the recommended input, in s.
    protocol : callable
        The input in mV/ms as a function of time in ms.
    longest_step : float
        Step that brings the kind out reliably, in s.
    """

    name: str
    parameters: dict[str, float]
    start: tuple[float, float]
    duration: float
    protocol: Protocol = field(repr=False)
    longest_step: float = 0.0001

    def current(self, resolution: Resolution | None = None) -> NDArray[np.float32]:
        """Return the recommended input ``[time]``, in mV/ms, at the rate of a resolution.

        Examples
        --------
        >>> PRESETS["tonic spiking"].current(Resolution(steps_per_second=500.0)).shape
        (50,)
        """
        used = used_resolution(resolution)
        frames = np.arange(round(self.duration * used.steps_per_second))
        middles = np.asarray((frames + 0.5) * used.step * 1e3, dtype=np.float64)
        return self.protocol(middles).astype(np.float32)


def _step(onset: float, height: float, base: float = 0.0) -> Protocol:
    return lambda t: np.where(t > onset, height, base)


def _ramp(onset: float, slope: float, base: float = 0.0) -> Protocol:
    return lambda t: base + slope * np.maximum(t - onset, 0.0)


def _pulses(*pulses: tuple[float, float, float], base: float = 0.0) -> Protocol:
    """Pulses (onset in ms, duration in ms, height above the base in mV/ms)."""

    def protocol(t: _Array) -> _Array:
        return base + sum((np.where((t > on) & (t < on + length), height, 0.0) for on, length, height in pulses), 0 * t)

    return protocol


def _accommodation(t: _Array) -> _Array:
    """A slow ramp that it ignores, and one of the same height and a sixteenth of the duration."""
    return np.where(t < 200, t / 25, 0.0) + np.where((t >= 300) & (t < 312.5), (t - 300) / 12.5 * 4, 0.0)


def _preset(
    name: str,
    abcd: tuple[float, float, float, float],
    v: float,
    milliseconds: float,
    protocol: Protocol,
    u: float | None = None,
    **more: float,
) -> IzhikevichPreset:
    parameters = dict(zip("abcd", abcd, strict=True)) | more
    start = (v, abcd[1] * v if u is None else u)
    return IzhikevichPreset(name, parameters, start, milliseconds / 1e3, protocol)


_CLASS_1 = {"linear": 4.1, "constant": 108.0}

PRESETS: dict[str, IzhikevichPreset] = {
    preset.name: preset
    for preset in (
        _preset("tonic spiking", (0.02, 0.2, -65, 6), -70, 100, _step(10, 14)),
        _preset("phasic spiking", (0.02, 0.25, -65, 6), -64, 200, _step(20, 0.5)),
        _preset("tonic bursting", (0.02, 0.2, -50, 2), -70, 220, _step(22, 15)),
        _preset("phasic bursting", (0.02, 0.25, -55, 0.05), -64, 200, _step(20, 0.6)),
        _preset("mixed mode", (0.02, 0.2, -55, 4), -70, 160, _step(16, 10)),
        _preset("spike frequency adaptation", (0.01, 0.2, -65, 8), -70, 85, _step(8.5, 30)),
        _preset("class 1", (0.02, -0.1, -55, 6), -60, 300, _ramp(30, 0.075), **_CLASS_1),
        _preset("class 2", (0.2, 0.26, -65, 0), -64, 300, _ramp(30, 0.015, -0.5)),
        _preset("spike latency", (0.02, 0.2, -65, 6), -70, 100, _pulses((10, 3, 7.04))),
        _preset("subthreshold oscillations", (0.05, 0.26, -60, 0), -62, 200, _pulses((20, 5, 2))),
        _preset(
            "resonator",
            (0.1, 0.26, -60, -1),
            -62,
            400,
            _pulses((40, 4, 0.65), (60, 4, 0.65), (280, 4, 0.65), (320, 4, 0.65)),
        ),
        _preset(
            "integrator",
            (0.02, -0.1, -55, 6),
            -60,
            100,
            _pulses((9.1, 2, 9), (14.1, 2, 9), (70, 2, 9), (80, 2, 9)),
            **_CLASS_1,
        ),
        _preset("rebound spike", (0.03, 0.25, -60, 4), -64, 200, _pulses((20, 5, -15))),
        _preset("rebound burst", (0.03, 0.25, -52, 0), -64, 200, _pulses((20, 5, -15))),
        _preset("threshold variability", (0.03, 0.25, -60, 4), -64, 100, _pulses((10, 5, 1), (70, 5, -6), (80, 5, 1))),
        # published with the second pulse at 216 ms: it must come a little after a spike to end the spiking
        _preset("bistability", (0.1, 0.26, -60, 0), -61, 300, _pulses((37.5, 5, 1), (208, 5, 1), base=0.24)),
        # published with d = -21, whose single spike becomes a train of them in fine steps
        _preset("depolarizing after-potential", (1, 0.2, -60, -18), -70, 50, _pulses((9, 2, 20))),
        _preset(
            "accommodation",
            (0.02, 1, -55, 4),
            -65,
            400,
            _accommodation,
            u=-16.0,
            recovery_offset=65.0,
            recovery_leak=0.0,
        ),
        _preset("inhibition-induced spiking", (-0.02, -1, -60, 8), -63.8, 350, _pulses((50, 200, -5), base=80)),
        # published with d = -2, which needs steps of 0.5 ms; in fine ones it would never pause
        _preset("inhibition-induced bursting", (-0.026, -1, -45, 0), -63.8, 350, _pulses((50, 200, -5), base=80)),
    )
}
"""The twenty kinds by name: `parameters`, `start`, and ``current(resolution)``, the input that brings each out."""

_OTHER_SPELLINGS = {
    "accomodation": "accommodation",
    "class 1 excitability": "class 1",
    "class 2 excitability": "class 2",
    "class 1 excitable": "class 1",
    "class 2 excitable": "class 2",
    "dap": "depolarizing after-potential",
    "inh ind spiking": "inhibition-induced spiking",
    "inh ind bursting": "inhibition-induced bursting",
    "sf adaptation": "spike frequency adaptation",
    "thresh variability": "threshold variability",
    "subthresh osc": "subthreshold oscillations",
}


def find_preset(name: str) -> IzhikevichPreset:
    """Find one of the twenty kinds, however its name is spelled.

    Examples
    --------
    >>> find_preset("Inh-ind_spiking").name
    'inhibition-induced spiking'
    """
    plain = _plain(name)
    known = {_plain(kind): preset for kind, preset in PRESETS.items()}
    plain = _plain(_OTHER_SPELLINGS.get(plain, plain))
    if plain not in known:
        raise UnknownNameError(f"There is no Izhikevich neuron {name!r}.", f"There are: {', '.join(PRESETS)}.")
    return known[plain]


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())
