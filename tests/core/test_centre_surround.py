"""The centre-surround filter: its gain, its widths and its time constants are those it states."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.filters import CentreSurroundFilter


def sliders() -> list[tuple[str, float]]:
    """Both ends of every slider."""
    ends = []
    for name, declared in CentreSurroundFilter.declarations().items():
        low, high = declared.range or (0.0, 1.0)
        ends += [(name, low), (name, high)]
    return ends


@pytest.mark.parametrize(("name", "value"), sliders())
def test_a_constant_input_is_answered_as_stated(name: str, value: float) -> None:
    settings = {"weight_surround": 0.5, "weight_undershoot": 0.6, name: value}
    layer = CentreSurroundFilter(**settings).double()
    expected = float(((1 - layer.weight_undershoot) * (1 - layer.weight_surround)).detach())
    answer = layer.run(np.full((300, 6, 5), 2.0)).array()
    np.testing.assert_allclose(answer, 2.0 * expected, atol=1e-9)
    assert float(layer.kernel().detach().sum()) == pytest.approx(expected, abs=1e-9)


def test_the_kernel_is_the_impulse_response() -> None:
    layer = CentreSurroundFilter(duration=0.05, extent=0.4, weight_surround=0.7).double()
    kernel = layer.kernel()[0, 0]
    response = layer.impulse_response(length=50, size=(21, 21))[0][0, 0]
    middle = slice(10 - layer.radius, 10 + layer.radius + 1)
    torch.testing.assert_close(response[:, middle, middle], kernel.detach())


def test_the_centre_is_as_wide_and_as_late_as_stated() -> None:
    resolution = Resolution(pixel_per_degree=60.0, steps_per_second=2000.0)
    layer = CentreSurroundFilter(
        duration=0.2, resolution=resolution, weight_surround=0.0, weight_undershoot=0.0, sigma_center=0.1
    ).double()
    kernel = layer.kernel()[0, 0].detach().numpy()
    position = (np.arange(kernel.shape[1]) - layer.radius) / 60.0
    profile = kernel.sum(axis=(0, 2))
    assert np.sqrt((profile * position**2).sum()) == pytest.approx(0.1, rel=0.01)
    lag = np.arange(kernel.shape[0]) / 2000.0
    course = kernel.sum(axis=(1, 2))
    mean = (course * lag).sum()
    assert mean == pytest.approx(2 * 0.01, abs=2 * 0.0005)  # two poles; a sampled one lacks half a step
    assert np.sqrt((course * (lag - mean) ** 2).sum()) == pytest.approx(np.sqrt(2) * 0.01, rel=0.03)
