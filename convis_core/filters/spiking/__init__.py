"""Spiking neurons, one model a file."""

from convis_core.filters.spiking.adaptive_exponential import AdaptiveExponential
from convis_core.filters.spiking.event_camera import EventCamera
from convis_core.filters.spiking.fitzhugh_nagumo import FitzHughNagumo
from convis_core.filters.spiking.hodgkin_huxley import HodgkinHuxley
from convis_core.filters.spiking.integrate_and_fire import (
    LeakyIntegrateAndFireNeuron,
    RefractoryLeakyIntegrateAndFireNeuron,
)
from convis_core.filters.spiking.izhikevich import Izhikevich
from convis_core.filters.spiking.izhikevich_presets import PRESETS
from convis_core.filters.spiking.motion_sensor import IntegrativeMotionSensor
from convis_core.filters.spiking.poisson import Poisson

__all__ = [
    "PRESETS",
    "AdaptiveExponential",
    "EventCamera",
    "FitzHughNagumo",
    "HodgkinHuxley",
    "HogkinHuxley",
    "IntegrativeMotionSensor",
    "Izhikevich",
    "LeakyIntegrateAndFireNeuron",
    "Poisson",
    "RefractoryLeakyIntegrateAndFireNeuron",
]

HogkinHuxley = HodgkinHuxley  # as the original convis spells it
