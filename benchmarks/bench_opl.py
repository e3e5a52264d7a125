"""Speed of the outer plexiform layer, however computed, and of its filters: ``python -m benchmarks.bench_opl``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer, filters, retina

DT, CHUNKS = 200, 5


def running(make: Callable[[], Layer], size: int) -> Callable[[], Any]:
    """Run a layer over noise in chunks, as a user does with a film."""
    layer, frames = make(), torch.rand(DT * CHUNKS, size, size)

    def run() -> None:
        for _ in layer.stream(frames, DT):
            pass

    return run


def case(name: str, make: Callable[[], Layer], size: int = 50, target: float | None = None) -> Case:
    return Case(f"{name}, {size}x{size}", lambda: running(make, size), DT * CHUNKS, target)


def full() -> Layer:
    """Make the filter of 100 lags and 11x11 pixels that the original convis has."""
    return retina.FullConvolutionOPLFilter(duration=0.1, extent=0.5)


CASES = [
    case("recursive", retina.RecursiveOPLFilter, target=30_000),
    case("half-recursive", retina.HalfRecursiveOPLFilter, target=30_000),
    case("separable, 600 lags", retina.SeparableOPLFilter, target=20_000),
    case("full convolution (100, 11, 11)", full, target=3_000),
    case("full convolution (600, 17, 17)", retina.FullConvolutionOPLFilter),
    case("recursive, leaky heat equation", lambda: retina.RecursiveOPLFilter(leaky_heat_equation=True)),
    case("luminance gain control", retina.LuminanceGainControlOPLFilter),
    *(case("recursive", retina.RecursiveOPLFilter, size) for size in (100, 200)),
    *(case("half-recursive", retina.HalfRecursiveOPLFilter, size) for size in (100, 200)),
    case("low-pass", filters.TemporalLowPassFilterRecursive),
    case("recursive blur", filters.SpatialRecursiveFilter),
    case("Gaussian blur", filters.GaussianFilter),
]

if __name__ == "__main__":
    run_cases(CASES)
