"""Speed of the retina, with what others reach beside it: ``python -m benchmarks.bench_retina``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.harness import Case, run_cases
from convis_core.retina import Bipolar, GanglionInput, Retina

TITLE = "The whole retina, gain control, two layers of ganglion cells, dt 200"
DT, CHUNKS = 200, 3


def whole(size: int, *, spikes: bool) -> Callable[[], Any]:
    """Run a retina with gain control and two layers of ganglion cells, one cell per pixel and layer."""
    retina, frames = Retina(spikes=spikes, seed=1), torch.rand(DT * CHUNKS, size, size)
    retina.p.bipolar.lambda_amp.set(100.0)

    def run() -> None:
        for _ in retina.stream(frames, DT):
            pass

    return run


def stage(layer: Any, size: int) -> Callable[[], Any]:
    """Run one stage over noise."""
    frames = torch.rand(DT * CHUNKS, size, size)

    def run() -> None:
        for _ in layer.stream(frames, DT):
            pass

    return run


def case(name: str, size: int, prepare: Callable[[], Callable[[], Any]], **known: Any) -> Case:
    return Case(f"{name}, {size}x{size}", prepare, DT * CHUNKS, **known)


def beside(wanted: float, convis: str, virtual_retina: str) -> dict[str, Any]:
    return {"wanted": wanted, "convis": convis, "virtual_retina": virtual_retina}


SPIKING = ((50, beside(10_000, "510", "730")), (100, beside(2_500, "", "147")), (200, beside(500, "", "26")))
CURRENTS = ((50, beside(16_000, "630", "5 880")), (100, beside(4_000, "", "1 460")), (200, beside(800, "", "333")))
CASES = [
    *(case("spiking, with noise", n, lambda n=n: whole(n, spikes=True), **known) for n, known in SPIKING),
    *(case("without spikes", n, lambda n=n: whole(n, spikes=False), **known) for n, known in CURRENTS),
    case("bipolar cells alone", 50, lambda: stage(Bipolar(lambda_amp=100.0), 50)),
    case("ganglion current alone", 50, lambda: stage(GanglionInput(), 50)),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
