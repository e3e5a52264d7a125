"""The local filter of models whose gradient can be written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from convis_core import Layer, filters, models, parameter
from convis_core.analysis import LinearGradientExplorer
from convis_core.errors import ConvisError, ShapeError
from convis_core.filters.spiking import FitzHughNagumo, Izhikevich


def frames(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


class Squared(Layer, register=False):
    """Square of the input of the frame before."""

    gain = parameter(2.0, bounds=(0.0, 10.0), doc="factor of the square")

    def forward(self, x: Tensor) -> Tensor:
        late = torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, :-1]], dim=2)
        return self.gain * late.square()


def test_a_linear_model_has_its_own_filter_wherever_it_is_explored() -> None:
    conv = filters.Conv3d(kernel_dim=(4, 3, 3), bias=False)
    conv.set_weight(frames(4, 3, 3, seed=2))
    explorer = LinearGradientExplorer(conv)
    for seed in (3, 4):
        found = explorer.explore(frames(10, 7, 7, seed=seed))
        assert found.kernel.shape == (1, 10, 7, 7)
        np.testing.assert_allclose(found.kernel[0, :4, 2:5, 2:5], conv.kernel()[0, 0].detach().flip(1, 2), rtol=1e-5)
        assert not found.kernel[0, 4:].any()


def test_the_filter_of_a_square_follows_the_input() -> None:
    x = frames(8, 3, 3)
    found = LinearGradientExplorer(Squared()).explore(x, position=(0, 2))
    assert found.response == pytest.approx(2.0 * x[6, 0, 2] ** 2, rel=1e-5)
    assert found.kernel[0, 1, 0, 2] == pytest.approx(4.0 * x[6, 0, 2], rel=1e-5)
    assert np.count_nonzero(found.kernel) == 1
    assert float(found.parameters["gain"]) == pytest.approx(x[6, 0, 2] ** 2, rel=1e-5)


def test_an_earlier_response_has_a_filter_of_the_frames_before_it() -> None:
    x = frames(8, 1, 1)
    found = LinearGradientExplorer(Squared()).explore(x, time=3)
    assert found.kernel.shape[1] == 4 and found.kernel[0, 1] == pytest.approx(4.0 * x[2, 0, 0], rel=1e-5)


def test_a_rectified_model_is_its_filter_or_nothing() -> None:
    model = models.LN(kernel_dim=(2, 1, 1), bias=False)
    model.conv.set_weight(np.array([1.0, 0.5])[:, None, None])
    explorer = LinearGradientExplorer(model)
    np.testing.assert_allclose(explorer.explore(np.ones((5, 1, 1))).kernel.ravel(), [1.0, 0.5, 0, 0, 0])
    assert not explorer.explore(-np.ones((5, 1, 1))).kernel.any()


def test_it_predicts_what_a_small_change_does() -> None:
    neuron = FitzHughNagumo(time_constant=0.01, outputs="v").double()
    x, change = 0.3 + 0.1 * frames(12, 2, 2), 1e-5 * frames(12, 2, 2, seed=5)
    found = LinearGradientExplorer(neuron).explore(x, position=(1, 0))
    neuron.clear_state()
    moved = neuron.run(x + change).array()[0, 0, -1, 1, 0]
    assert moved - found.response == pytest.approx((found.kernel[0] * change[::-1]).sum(), rel=1e-3)


def test_state_and_parameters_are_left_as_they_were() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 1, 1))
    conv.run(frames(6, 2, 2))
    kept, weight = conv.get_state(), np.asarray(conv.p.weight).copy()
    LinearGradientExplorer(conv).explore(frames(9, 4, 4))
    for name, value in conv.get_state().items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(kept[name]))
    np.testing.assert_array_equal(np.asarray(conv.p.weight), weight)
    assert all(p.grad is None for p in conv.parameters())


def test_spikes_can_be_explored_with_a_surrogate_only() -> None:
    x = np.full((40, 1, 1), 15.0)
    with pytest.raises(ShapeError, match="surrogate='superspike'"):
        LinearGradientExplorer(Izhikevich()).explore(x)
    found = LinearGradientExplorer(Izhikevich(surrogate="superspike")).explore(x)
    assert np.isfinite(found.kernel).all() and found.kernel.any()


def test_responses_that_do_not_exist_are_named() -> None:
    explorer = LinearGradientExplorer(Squared())
    with pytest.raises(ShapeError, match=r"channel 0, frame -1, pixel \(5, 5\)"):
        explorer.explore(frames(4, 2, 2), position=(5, 5))
    with pytest.raises(ShapeError, match="batch of 2"):
        explorer.explore(np.zeros((2, 1, 4, 2, 2)))
    with pytest.raises(ConvisError, match="no output"):
        explorer.explore(frames(4, 2, 2), output="rate")
