"""A chunk without a frame is answered with none and leaves no trace, at the start as in mid run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from convis_core.filters.temporal_recursive import (
    ExponentialCascadeFilter,
    TemporalHighPassFilterRecursive,
    TemporalLowPassFilterRecursive,
)
from convis_core.layer import Layer
from convis_core.retina import (
    Bipolar,
    CustomBipolar,
    FullConvolutionOPLFilter,
    GanglionInput,
    HalfRecursiveOPLFilter,
    LuminanceGainControlOPLFilter,
    RecursiveOPLFilter,
    Retina,
    SeparableOPLFilter,
)

MAKERS: dict[str, Callable[[], Layer]] = {
    "low-pass": TemporalLowPassFilterRecursive,
    "high-pass": TemporalHighPassFilterRecursive,
    "cascade": lambda: ExponentialCascadeFilter(n=2),
    "recursive": RecursiveOPLFilter,
    "delayed": lambda: RecursiveOPLFilter(stage_delay=1),
    "heat": lambda: RecursiveOPLFilter(leaky_heat_equation=True),
    "half": HalfRecursiveOPLFilter,
    "separable": SeparableOPLFilter,
    "full": FullConvolutionOPLFilter,
    "luminance": LuminanceGainControlOPLFilter,
    "bipolar": lambda: Bipolar(lambda_amp=100.0),
    "custom": lambda: CustomBipolar(lambda_amp=100.0, transient_weight=10.0),
    "input": GanglionInput,
    "retina": lambda: Retina(spikes=False),
    "spikes": lambda: Retina(seed=1),
}


def answer(layer: Layer, x: torch.Tensor) -> torch.Tensor:
    result = layer(x)
    first: torch.Tensor = result[0] if isinstance(result, tuple) else result
    return first


@pytest.mark.parametrize("gradients", [False, True], ids=["compiled", "matrices"])
@pytest.mark.parametrize("name", MAKERS)
def test_a_chunk_without_a_frame_leaves_no_trace(name: str, gradients: bool) -> None:
    x = torch.rand(2, 1, 6, 3, 4, generator=torch.Generator().manual_seed(2)) + 1.0
    with torch.set_grad_enabled(gradients):
        whole = answer(MAKERS[name](), x)
        cut = MAKERS[name]()
        assert answer(cut, x[:, :, :0]).shape == whole[:, :, :0].shape
        parts = [answer(cut, part) for part in (x[:, :, :4], x[:, :, :0], x[:, :, 4:])]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=1e-4, atol=1e-4)
