"""Speed of the spiking neurons on 50x50 cells: ``python -m benchmarks.bench_spiking``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer
from convis_core.filters import spiking

TITLE = "Spiking neurons, 50x50 cells"
CELLS = 50, 50


def running(make: Callable[[], Layer], strength: float, frames: int, dt: int) -> Any:
    """Run a neuron over random input from 0 to `strength`."""
    neuron, film = make(), torch.rand(frames, *CELLS) * strength
    return lambda: neuron.run(film, dt=dt)


def training(make: Callable[[], Layer], strength: float) -> Any:
    """Run 50 frames forward and the gradient of the spikes back to the input."""
    neuron, film = make(), (torch.rand(1, 1, 50, *CELLS) * strength).requires_grad_()

    def run() -> None:
        neuron.detach_state()
        film.grad = None
        neuron(film).sum().backward()

    return run


def lif(noise: float = 0.0, **options: Any) -> Layer:
    return spiking.LeakyIntegrateAndFireNeuron(noise_sigma=noise, **options)


def case(
    name: str, make: Callable[[], Layer], strength: float, *, frames: int = 1000, dt: int = 1000, **known: Any
) -> Case:
    return Case(name, lambda: running(make, strength, frames, dt), frames, **known)


CASES = [
    case("integrate and fire", lif, 120.0, wanted=60_000),
    case("integrate and fire, Euler", lambda: lif(method="euler"), 120.0),
    case("integrate and fire, noise", lambda: lif(0.1), 120.0, wanted=25_000),
    case("Izhikevich", spiking.Izhikevich, 20.0, wanted=60_000, convis="8 000"),
    case("Izhikevich, noise", lambda: spiking.Izhikevich(noise_strength=5.0), 20.0),
    case("Izhikevich, Runge-Kutta", lambda: spiking.Izhikevich(method="rk4"), 20.0),
    case("Izhikevich, spikes, v and u", lambda: spiking.Izhikevich(outputs=("spikes", "v", "u")), 20.0),
    case("FitzHugh-Nagumo", spiking.FitzHughNagumo, 1.0, wanted=60_000, convis="8 000"),
    case("FitzHugh-Nagumo, Runge-Kutta", lambda: spiking.FitzHughNagumo(method="rk4", longest_step=0.5), 1.0),
    case("Hodgkin-Huxley", spiking.HodgkinHuxley, 20.0, frames=100),
    case("Hodgkin-Huxley, Euler", lambda: spiking.HodgkinHuxley(method="euler"), 20.0, frames=100),
    case("adaptive exponential", spiking.AdaptiveExponential, 1500.0, frames=300),
    case("integrative motion sensor, log", lambda: spiking.IntegrativeMotionSensor("log"), 1.0),
    case("event camera", spiking.EventCamera, 1.0),
    Case("integrate and fire, gradient", lambda: training(lambda: lif(surrogate="superspike"), 120.0), 50),
    Case("Izhikevich, gradient", lambda: training(lambda: spiking.Izhikevich(surrogate="superspike"), 20.0), 50),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
