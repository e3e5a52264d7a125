"""Speed of whole layers as a user runs them: ``python -m benchmarks.bench_layers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer, Resolution, models
from convis_core.filters.spiking import LeakyIntegrateAndFireNeuron


def running(make: Callable[[], Layer], shape: tuple[int, int, int], dt: int | None, scale: float = 1.0) -> Any:
    """Run a layer over random frames ``[time, x, y]``."""
    model, frames = make(), torch.rand(shape) * scale

    def run() -> None:
        model.run(frames, dt=dt)

    return run


def convolving_with_torch(size: tuple[int, int, int], dt: int, *, learn: bool) -> Callable[[], Any]:
    """Do by hand, with torch's 3-D convolution, what `running` or `fitting` do with a linear-nonlinear model."""
    (lags, rows, columns), frames = size, torch.randn(1, 1, 2000, 20, 20)
    conv, wanted = torch.nn.Conv3d(1, 1, size), torch.rand(1, 1, 2000, 20, 20)
    border = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2, 0, 0)
    optimizer = torch.optim.Adam(conv.parameters(), lr=1e-3)

    def run() -> None:
        past = frames[:, :, :1].expand(-1, -1, lags - 1, -1, -1)
        for start in range(0, 2000, dt):
            x = torch.cat([past, frames[:, :, start : start + dt]], dim=2)
            past = x[:, :, dt:]
            with torch.set_grad_enabled(learn):
                y = torch.relu(conv(torch.nn.functional.pad(x, border, mode="replicate")))
            if learn:
                optimizer.zero_grad()
                (y - wanted[:, :, start : start + dt]).square().sum().backward()
                optimizer.step()

    return run


def fitting(dt: int) -> Callable[[], Any]:
    """Make one epoch of Adam on a linear-nonlinear model."""
    model, frames, wanted = models.LN(kernel_dim=(12, 10, 10)), torch.randn(2000, 20, 20), torch.rand(2000, 20, 20)
    model.set_optimizer.Adam(lr=1e-3)

    def run() -> None:
        model.optimize(frames, wanted, dt=dt)

    return run


def neuron(noise: float) -> LeakyIntegrateAndFireNeuron:
    return LeakyIntegrateAndFireNeuron(noise_sigma=noise)


def linear_nonlinear() -> Layer:
    return models.LN(kernel_dim=(10, 10, 10))


def centre_surround() -> Layer:
    return models.CentreSurround(resolution=Resolution(pixel_per_degree=30.0, steps_per_second=1000.0))


CELLS, FILM = (1000, 50, 50), (2000, 20, 20)
CASES = [
    Case("integrate and fire 50x50, one call", lambda: running(lambda: neuron(0.0), CELLS, 1000, 120), 1000, 60_000),
    Case("integrate and fire 50x50, dt 100", lambda: running(lambda: neuron(0.0), CELLS, 100, 120), 1000),
    Case("integrate and fire 50x50, noise", lambda: running(lambda: neuron(0.1), CELLS, 1000, 120), 1000, 25_000),
    Case("integrate and fire 50x50, noise, dt 100", lambda: running(lambda: neuron(0.1), CELLS, 100, 120), 1000),
    Case("LN 10x10x10 on 20x20, dt 500", lambda: running(linear_nonlinear, FILM, 500), 2000, 150_000),
    Case(
        "LN 10x10x10 with torch's conv3d, dt 500", lambda: convolving_with_torch((10, 10, 10), 500, learn=False), 2000
    ),
    Case("LN 10x10x10 on 20x20, dt 100", lambda: running(linear_nonlinear, FILM, 100), 2000),
    Case("LN 10x10x10 on 20x20, one call", lambda: running(linear_nonlinear, FILM, 2000), 2000),
    Case("LN 12x10x10, one epoch of Adam, dt 500", lambda: fitting(500), 2000),
    Case(
        "LN 12x10x10 with torch's conv3d, one epoch of Adam, dt 500",
        lambda: convolving_with_torch((12, 10, 10), 500, learn=True),
        2000,
    ),
    Case("centre-surround 60x60, dt 20", lambda: running(centre_surround, (400, 60, 60), 20), 400),
    Case("centre-surround 60x60, dt 200", lambda: running(centre_surround, (400, 60, 60), 200), 400),
]

if __name__ == "__main__":
    run_cases(CASES)
