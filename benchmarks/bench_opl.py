"""Speed of the outer plexiform layer, however computed, and of its filters: ``python -m benchmarks.bench_opl``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core import Layer, filters, retina

TITLE = "Outer plexiform layer and its filters, dt 200"
DT, CHUNKS = 200, 5


def running(make: Callable[[], Layer], size: int) -> Callable[[], Any]:
    """Run a layer over noise in chunks, as a user does with a film."""
    layer, frames = make(), torch.rand(DT * CHUNKS, size, size)

    def run() -> None:
        for _ in layer.stream(frames, DT):
            pass

    return run


def case(name: str, make: Callable[[], Layer], size: int = 50, **known: Any) -> Case:
    return Case(f"{name}, {size}x{size}", lambda: running(make, size), DT * CHUNKS, **known)


# The filter of 100 lags and 11x11 pixels that the original convis has; by itself each is as long as its time constants
# ask for, 600 lags.
LIKE_CONVIS = {"duration": 0.1}


def full() -> Layer:
    return retina.FullConvolutionOPLFilter(extent=0.5, **LIKE_CONVIS)


def separable() -> Layer:
    return retina.SeparableOPLFilter(**LIKE_CONVIS)


CASES = [
    case("recursive", retina.RecursiveOPLFilter, wanted=30_000, convis="6 200-7 900", virtual_retina="20 700"),
    case("half-recursive", retina.HalfRecursiveOPLFilter, wanted=30_000, convis="6 200-7 900", virtual_retina="20 700"),
    case("separable, 100 lags", separable, wanted=20_000, convis="240"),
    case("separable, 600 lags", retina.SeparableOPLFilter),
    case("full convolution (100, 11, 11)", full, wanted=3_000, convis="1 400 (20x20)"),
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
    run_cases(CASES, TITLE)
