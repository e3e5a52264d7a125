"""Speed of models as a user runs and fits them: ``python -m benchmarks.bench_models``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer, Resolution, models

TITLE = "Models, run and fitted"
FRAMES, ROWS, COLUMNS = FILM = (2000, 20, 20)
Size = tuple[int, int, int]


def running(make: Callable[[], Layer], shape: Size, dt: int) -> Callable[[], Any]:
    """Run a layer over random frames ``[time, x, y]``."""
    model, frames = make(), torch.rand(shape)
    return lambda: model.run(frames, dt=dt)


def fitting(size: Size, dt: int) -> Callable[[], Any]:
    """Make one epoch of Adam on a linear-nonlinear model."""
    model, frames, wanted = models.LN(kernel_dim=size, population=True), torch.randn(FILM), torch.rand(FILM)
    model.set_optimizer.Adam(lr=1e-3)
    return lambda: model.optimize(frames, wanted, dt=dt)


def by_hand(size: Size, dt: int, *, learn: bool) -> Callable[[], Any]:
    """Do with torch's 3-D convolution what `running` or `fitting` do with a linear-nonlinear model."""
    (lags, rows, columns), frames = size, torch.randn(1, 1, *FILM)
    conv, wanted = torch.nn.Conv3d(1, 1, size), torch.rand(1, 1, *FILM)
    border = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2, 0, 0)
    optimizer = torch.optim.Adam(conv.parameters(), lr=1e-3)

    def run() -> None:
        past = frames[:, :, :1].expand(-1, -1, lags - 1, -1, -1)
        for start in range(0, FRAMES, dt):
            x = torch.cat([past, frames[:, :, start : start + dt]], dim=2)
            past = x[:, :, dt:]
            with torch.set_grad_enabled(learn):
                y = torch.relu(conv(torch.nn.functional.pad(x, border, mode="replicate")))
            if learn:
                optimizer.zero_grad()
                (y - wanted[:, :, start : start + dt]).square().sum().backward()
                optimizer.step()

    return run


def linear_nonlinear() -> Layer:
    return models.LN(kernel_dim=(10, 10, 10), population=True)


def centre_surround() -> Layer:
    return models.CentreSurround(resolution=Resolution(pixel_per_degree=30.0, steps_per_second=1000.0))


CASES = [
    Case(
        "LN 10x10x10 on 20x20, dt 500",
        lambda: running(linear_nonlinear, FILM, 500),
        FRAMES,
        150_000,
        convis="15 000-26 000",
        by_hand=lambda: by_hand((10, 10, 10), 500, learn=False),
    ),
    Case(
        "LN 12x10x10 on 20x20, an epoch of Adam, dt 500",
        lambda: fitting((12, 10, 10), 500),
        FRAMES,
        45_000,
        convis="6 000-10 000",
        by_hand=lambda: by_hand((12, 10, 10), 500, learn=True),
    ),
    Case("centre-surround 60x60, dt 20", lambda: running(centre_surround, (400, 60, 60), 20), 400),
    Case("centre-surround 60x60, dt 200", lambda: running(centre_surround, (400, 60, 60), 200), 400),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
