"""Laws of physics and of good manners, checked for every registered layer without naming it here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core import ConvisError, Layer, registered_layers
from tests.contracts.test_layers import FRAMES, LAYERS, build, every_layer, movie, respond

every_regular_layer = pytest.mark.parametrize("cls", [p for p in LAYERS if not p.values[0].stochastic])


def answers(layer: Layer, x: Tensor) -> list[Tensor]:
    """What a fresh layer answers, with the same dice each time."""
    layer.clear_state()
    torch.manual_seed(4)
    with torch.no_grad():
        return list(respond(layer, x))


@every_layer
def test_the_input_is_left_as_it_was(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer)
    kept = x.clone()
    with torch.no_grad():
        layer(x)
    assert bool((x == kept).all())


@every_layer
@settings(max_examples=5, derandomize=True)
@given(present=st.integers(1, FRAMES - 1))
def test_the_future_does_not_act_on_the_past(cls: type[Layer], present: int) -> None:
    layer = build(cls)
    x = movie(layer)
    other = x.clone()
    other[:, :, present:] = 0.3 * other[:, :, present:].flip(2)
    for whole, changed in zip(answers(layer, x), answers(layer, other), strict=True):
        torch.testing.assert_close(whole[:, :, :present], changed[:, :, :present], rtol=1e-5, atol=1e-5)


@every_layer
def test_memory_layout_does_not_matter(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer)
    turned = x.transpose(3, 4).contiguous().transpose(3, 4)
    assert not turned.is_contiguous()
    for plain, strided in zip(answers(layer, x), answers(layer, turned), strict=True):
        torch.testing.assert_close(plain, strided, rtol=1e-5, atol=1e-5)


@every_regular_layer
def test_one_frame_at_a_time_is_enough(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer)
    whole = answers(layer, x)
    layer.clear_state()
    with torch.no_grad():
        single = [list(respond(layer, frame[:, :, None])) for frame in x.unbind(2)]
    for k, response in enumerate(whole):
        joined = torch.cat([frames[k] for frames in single], dim=2)
        torch.testing.assert_close(joined, response, rtol=1e-4, atol=1e-5 * max(1.0, float(response.abs().max())))


@every_regular_layer
def test_equal_batches_have_equal_answers(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer)
    for response in answers(layer, torch.cat([x, x])):
        torch.testing.assert_close(response[0], response[1], rtol=1e-6, atol=1e-6)


@every_regular_layer
def test_precision_changes_little(cls: type[Layer]) -> None:
    single = build(cls)
    double = build(cls).double()
    x = movie(single)
    if single.spiking:  # a spike at the edge of a step may fall to either side
        pytest.skip("counts of spikes are compared where they are exact")
    for a, b in zip(answers(single, x), answers(double, x.double()), strict=True):
        scale = max(1.0, float(b.abs().max()))
        torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-3 * scale)


@every_layer
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused_with_its_frame(cls: type[Layer], bad: float) -> None:
    layer = build(cls)
    x = movie(layer)
    x[0, 0, 3, 1, 1] = bad
    with pytest.raises(ConvisError, match="first in frame 3"):
        layer.run(x)


@every_layer
def test_a_run_is_the_same_as_a_call(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer)
    called = answers(layer, x)
    layer.clear_state()
    torch.manual_seed(4)
    for run, call in zip(layer.run(x), called, strict=True):
        torch.testing.assert_close(run, call, rtol=0, atol=0)
        assert not run.requires_grad


@every_layer
def test_two_layers_share_nothing(cls: type[Layer]) -> None:
    first, second = build(cls), build(cls)
    x = movie(first)
    before = answers(second, x)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.01)
        first(x)
    for a, b in zip(answers(second, x), before, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_every_layer_is_found_under_a_public_name() -> None:
    import convis_core as convis

    places: list[Any] = [convis.filters, convis.filters.spiking, convis.models, convis.retina]
    public = {value for place in places for value in vars(place).values() if isinstance(value, type)}
    hidden = [cls.__name__ for cls in registered_layers() if cls not in public and cls.__module__.startswith("convis")]
    assert hidden == []
