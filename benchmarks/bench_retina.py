"""Speed of the retina, with what others reach beside it: ``python -m benchmarks.bench_retina``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core.retina import Bipolar, GanglionInput, RecursiveOPLFilter, Retina

DT, CHUNKS = 200, 3


def whole(size: int, *, spikes: bool) -> Callable[[], Any]:
    """Run a retina with gain control and two layers of ganglion cells, one cell per pixel and layer."""
    retina, frames = Retina(spikes=spikes, seed=1), torch.rand(DT * CHUNKS, size, size)
    retina.p.bipolar.lambda_amp.set(100.0)

    def run() -> None:
        for _ in retina.stream(frames, DT):
            pass

    return run


def stage(layer: Any, size: int, scale: float = 1.0) -> Callable[[], Any]:
    """Run one stage over noise."""
    frames = scale * torch.rand(DT * CHUNKS, size, size)

    def run() -> None:
        for _ in layer.stream(frames, DT):
            pass

    return run


def case(name: str, size: int, prepare: Callable[[], Callable[[], Any]], target: float, convis: str, cpp: str) -> Case:
    """Name a case with the frames per second of the original convis and of Virtual Retina."""
    return Case(f"{name:28} {size:3}x{size:<3}  {convis:>13}  {cpp:>8}", prepare, DT * CHUNKS, target)


SPIKING = ((50, 10_000, "510", "730"), (100, 2_500, "-", "147"), (200, 500, "-", "26"))
CURRENTS = ((50, 16_000, "630", "5 880"), (100, 4_000, "-", "1 460"), (200, 800, "-", "333"))
CASES = [
    *(case("retina, two spiking layers", n, lambda n=n: whole(n, spikes=True), *rest) for n, *rest in SPIKING),
    *(case("retina, two currents", n, lambda n=n: whole(n, spikes=False), *rest) for n, *rest in CURRENTS),
    case("outer plexiform layer", 50, lambda: stage(RecursiveOPLFilter(), 50), 30_000, "6 200-7 900", "20 700"),
    case("bipolar cells", 50, lambda: stage(Bipolar(lambda_amp=100.0), 50), 0, "-", "-"),
    case("ganglion current", 50, lambda: stage(GanglionInput(), 50), 0, "-", "-"),
]

if __name__ == "__main__":
    print(f"{'':40}{'convis 0.6':>13}  {'C++':>8}   of others, frames per second")
    run_cases(CASES)
