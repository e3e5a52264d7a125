"""Speed of the spiking neurons on 50x50 cells: ``python -m benchmarks.bench_spiking``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer
from convis_core.filters import spiking

CELLS = 50, 50


def running(make: Callable[[], Layer], strength: float, *, frames: int = 1000, dt: int = 1000) -> Any:
    """Run a neuron over random input from 0 to `strength`."""
    neuron, film = make(), torch.rand(frames, *CELLS) * strength

    def run() -> None:
        neuron.run(film, dt=dt)

    return run


def training(make: Callable[[], Layer], strength: float) -> Any:
    """Run 50 frames forward and the gradient of the spikes back to the input."""
    neuron, film = make(), (torch.rand(1, 1, 50, *CELLS) * strength).requires_grad_()

    def run() -> None:
        neuron.detach_state()
        film.grad = None
        neuron(film).sum().backward()

    return run


def case(name: str, make: Callable[[], Layer], strength: float, target: float | None = None, **how: Any) -> Case:
    return Case(name, lambda: running(make, strength, **how), how.get("frames", 1000), target)


CASES = [
    case("Izhikevich", spiking.Izhikevich, 20.0, 60_000),
    case("Izhikevich, dt 100", spiking.Izhikevich, 20.0, dt=100),
    case("Izhikevich, noise", lambda: spiking.Izhikevich(noise_strength=5.0), 20.0),
    case("Izhikevich, Runge-Kutta", lambda: spiking.Izhikevich(method="rk4"), 20.0),
    case("Izhikevich, spikes, v and u", lambda: spiking.Izhikevich(outputs=("spikes", "v", "u")), 20.0),
    case("FitzHugh-Nagumo", spiking.FitzHughNagumo, 1.0, 60_000),
    case("FitzHugh-Nagumo, dt 100", spiking.FitzHughNagumo, 1.0, dt=100),
    case("FitzHugh-Nagumo, Runge-Kutta", lambda: spiking.FitzHughNagumo(method="rk4", longest_step=0.5), 1.0),
    case("Hodgkin-Huxley", spiking.HodgkinHuxley, 20.0, frames=100),
    case("Hodgkin-Huxley, Euler", lambda: spiking.HodgkinHuxley(method="euler"), 20.0, frames=100),
    case("adaptive exponential", spiking.AdaptiveExponential, 1500.0, frames=300),
    case("integrative motion sensor, log", lambda: spiking.IntegrativeMotionSensor("log"), 1.0),
    case("event camera", spiking.EventCamera, 1.0),
    Case("integrate and fire, gradient", lambda: training(lambda: lif("superspike"), 120.0), 50),
    Case("Izhikevich, gradient", lambda: training(lambda: spiking.Izhikevich(surrogate="superspike"), 20.0), 50),
]


def lif(surrogate: Any) -> Layer:
    return spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0, surrogate=surrogate)


if __name__ == "__main__":
    run_cases(CASES)
