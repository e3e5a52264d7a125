"""Spiking neurons, one model a file."""

from convis_core.filters.spiking.integrate_and_fire import (
    LeakyIntegrateAndFireNeuron,
    RefractoryLeakyIntegrateAndFireNeuron,
)
from convis_core.filters.spiking.izhikevich import Izhikevich
from convis_core.filters.spiking.poisson import Poisson

__all__ = ["Izhikevich", "LeakyIntegrateAndFireNeuron", "Poisson", "RefractoryLeakyIntegrateAndFireNeuron"]
