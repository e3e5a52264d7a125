"""What running in chunks of 100 frames costs beside one call: ``python -m benchmarks.bench_chunks``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer, models
from convis_core.filters import spiking
from convis_core.retina import RecursiveOPLFilter, Retina

TITLE = "Chunks of 100 frames, in turns with one call"
DT = 100


def running(make: Callable[[], Layer], shape: tuple[int, int, int], strength: float, dt: int) -> Callable[[], Any]:
    """Run a layer over random frames ``[time, x, y]`` from 0 to `strength`."""
    model, frames = make(), torch.rand(shape) * strength
    return lambda: model.run(frames, dt=dt)


def case(name: str, make: Callable[[], Layer], frames: int, size: int, strength: float = 1.0) -> Case:
    shape = (frames, size, size)
    return Case(
        f"{name}, on {size}x{size}",
        lambda: running(make, shape, strength, DT),
        frames,
        one_call=lambda: running(make, shape, strength, frames),
    )


def retina(*, spikes: bool) -> Layer:
    """Give a retina with gain control and two layers of ganglion cells."""
    made = Retina(spikes=spikes, seed=1)
    made.p.bipolar.lambda_amp.set(100.0)
    return made


CASES = [
    case("integrate and fire", lambda: spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0), 1000, 50, 120.0),
    case("integrate and fire, noise", lambda: spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.1), 1000, 50, 120.0),
    case("Izhikevich", spiking.Izhikevich, 1000, 50, 20.0),
    case("FitzHugh-Nagumo", spiking.FitzHughNagumo, 1000, 50),
    case("LN 10x10x10", lambda: models.LN(kernel_dim=(10, 10, 10), population=True), 2000, 20),
    case("outer plexiform layer", RecursiveOPLFilter, 1000, 50),
    case("retina without spikes", lambda: retina(spikes=False), 600, 50),
    case("retina without spikes", lambda: retina(spikes=False), 600, 100),
    case("retina, spiking, with noise", lambda: retina(spikes=True), 600, 50),
    case("retina, spiking, with noise", lambda: retina(spikes=True), 600, 100),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
