"""What every registered layer must keep to, checked for each of them without being named here."""

from __future__ import annotations

import copy
import itertools
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core import ConvisError, Layer, Output, registered_layers
from convis_core.errors import ParameterError, StateError
from convis_core.parameters import UNBOUNDED

LAYERS = [pytest.param(cls, id=cls.__name__) for cls in registered_layers()]
every_layer = pytest.mark.parametrize("cls", LAYERS)
every_differentiable_layer = pytest.mark.parametrize("cls", [p for p in LAYERS if p.values[0].differentiable])
every_stochastic_layer = pytest.mark.parametrize("cls", [p for p in LAYERS if p.values[0].stochastic])
needs_accelerator = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no accelerator to move a layer to"
)
FRAMES, SIZE = 12, (6, 7)


def build(cls: type[Layer], **more: Any) -> Layer:
    torch.manual_seed(1)
    return cls(**{**cls.example_arguments, **more})


def movie(
    layer: Layer, frames: int = FRAMES, batch: int = 1, channels: int | None = None, scale: float = 1.0
) -> Tensor:
    """Positive noise around an input that makes a spiking layer spike now and then."""
    generator = torch.Generator().manual_seed(2)
    level = 200.0 if layer.spiking and layer.in_channels is None else 0.5
    shape = (batch, channels or layer.in_channels or 1, frames, *SIZE)
    return scale * level * (1 + torch.rand(shape, generator=generator, dtype=torch.float64)).to(layer.dtype)


def corner(layer: Layer, x: Tensor, n: int) -> Tensor:
    """The first pixels of a movie, for layers that take a smaller one."""
    return x if layer.fixed_size else x[..., :n, :n]


def respond(layer: Layer, x: Tensor) -> Output:
    return layer.as_output(layer(x))


def pieces(layer: Layer, x: Tensor, cuts: list[int]) -> Output:
    edges = [0, *sorted(cuts), x.shape[2]]
    parts = [respond(layer, x[:, :, a:b]) for a, b in itertools.pairwise(edges) if b > a]
    return Output.concatenate(parts)


def assert_close(got: Output, wanted: Output, tolerance: float = 1e-5) -> None:
    assert got.names == wanted.names
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(b.detach().abs().max())))


def settled(cls: type[Layer]) -> Layer:
    """A layer that has seen something, with every state variable set."""
    layer = build(cls)
    with torch.no_grad():
        layer(movie(layer))
    return layer


# Signals ----------------------------------------------------------------------------------------


@every_layer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_shape_and_dtype(cls: type[Layer], dtype: torch.dtype) -> None:
    layer = build(cls).to(dtype)
    output = respond(layer, movie(layer))
    assert len(output) == len(cls.output_names)
    for response in output:
        assert response.dtype == dtype
        assert response.ndim == 5
        assert response.shape[0] == 1 and response.shape[2] == FRAMES
        assert tuple(response.shape[3:]) in (SIZE, (1, 1))
        assert bool(torch.isfinite(response).all())


@every_layer
def test_batches_do_not_mix(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer, batch=2)
    both = respond(layer, x)
    assert all(response.shape[0] == 2 for response in both)
    if not layer.stochastic:
        layer.clear_state()
        for single, pair in zip(respond(layer, x[1:]), both, strict=True):
            torch.testing.assert_close(single[0], pair[1], rtol=1e-5, atol=1e-5)


@every_layer
def test_channels_are_used_or_refused(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer, channels=3)
    if layer.in_channels in (None, 3):
        made = 1 if layer.combines_channels else 3
        assert all(response.shape[1] == made for response in respond(layer, x))
    else:
        with pytest.raises(ConvisError, match="got 3"):
            layer(x)


@every_layer
def test_four_axes_are_refused(cls: type[Layer]) -> None:
    with pytest.raises(ConvisError, match="ambiguous"):
        build(cls)(torch.zeros(1, 2, 3, 4))


@needs_accelerator
@every_layer
def test_device_move(cls: type[Layer]) -> None:
    layer = settled(cls).cuda()
    assert all(value.is_cuda for value in layer.get_state().values() if isinstance(value, Tensor))
    layer.clear_state()
    moved = respond(layer, movie(layer))
    assert all(response.is_cuda for response in moved)
    if not layer.stochastic:
        assert_close(Output([r.cpu() for r in moved], moved.names), respond(build(cls), movie(layer)), 1e-4)


# Chunks -----------------------------------------------------------------------------------------


@every_layer
@settings(max_examples=10, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(1, FRAMES - 1), max_size=5, unique=True))
def test_any_cut_gives_the_same_output(cls: type[Layer], cuts: list[int]) -> None:
    layer, twin = build(cls), build(cls)
    x = movie(layer)
    with torch.no_grad():
        torch.manual_seed(3)
        whole = respond(layer, x)
        torch.manual_seed(3)
        assert_close(pieces(twin, x, cuts), whole)


@every_differentiable_layer
@settings(max_examples=5, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(1, FRAMES - 1), min_size=1, max_size=4, unique=True))
def test_gradients_cross_the_cuts(cls: type[Layer], cuts: list[int]) -> None:
    def gradients(cuts: list[int]) -> list[Tensor]:
        layer = build(cls).double()
        x = movie(layer).requires_grad_(True)
        loss = sum(response.square().sum() for response in pieces(layer, x, cuts))
        found = torch.autograd.grad(loss, [x, *layer.parameters()])  # type: ignore[arg-type]
        return [g / (1 + g.abs().max()) for g in found]

    for cut, whole in zip(gradients(cuts), gradients([]), strict=True):
        torch.testing.assert_close(cut, whole, rtol=1e-9, atol=1e-9)


@every_differentiable_layer
def test_detached_state_stops_gradients(cls: type[Layer]) -> None:
    layer = build(cls)
    x = movie(layer).requires_grad_(True)
    first, second = x[:, :, :6], x[:, :, 6:]
    layer(first)
    layer.detach_state()
    (gradient,) = torch.autograd.grad(sum(r.sum() for r in respond(layer, second)), x)  # type: ignore[arg-type]
    assert not bool(gradient[:, :, :6].any())


@every_differentiable_layer
def test_gradcheck(cls: type[Layer]) -> None:
    layer = build(cls).double()
    x = corner(layer, movie(layer, frames=4), 4).clone().requires_grad_(True)
    parameters = list(layer.parameters())

    def function(x: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        layer.clear_state()
        return tuple(respond(layer, x))

    assert torch.autograd.gradcheck(function, (x, *parameters), atol=1e-6, rtol=1e-4, fast_mode=True)


# State ------------------------------------------------------------------------------------------


@every_layer
def test_state_round_trip(cls: type[Layer]) -> None:
    layer = settled(cls)
    assert all(value is not None for value in layer.get_state().values())
    kept, x = layer.get_state(), movie(layer, scale=0.9)
    after = respond(layer, x)
    layer.set_state(kept)
    assert_close(respond(layer, x), after, 0.0)


@every_layer
def test_pushed_state_comes_back(cls: type[Layer]) -> None:
    layer = settled(cls)
    x = movie(layer, scale=0.9)
    layer.push_state()
    after = respond(layer, x)
    layer.push_state()
    layer.clear_state()
    respond(layer, corner(layer, x, 4))
    layer.pop_state()
    layer.pop_state()
    assert_close(respond(layer, x), after, 0.0)
    with pytest.raises(StateError, match="push_state"):
        layer.pop_state()


@every_layer
def test_cleared_state_is_that_of_a_new_layer(cls: type[Layer]) -> None:
    layer = settled(cls)
    layer.clear_state()
    assert all(value is None for value in layer.get_state().values())
    torch.manual_seed(5)
    again = respond(layer, movie(layer))
    fresh = build(cls)
    torch.manual_seed(5)
    assert_close(again, respond(fresh, movie(fresh)), 0.0)


@every_layer
def test_state_moves_with_the_layer_and_from_the_stack(cls: type[Layer]) -> None:
    layer = settled(cls)
    layer.push_state()
    layer.double()
    respond(layer, movie(layer))
    layer.pop_state()
    assert all(response.dtype == torch.float64 for response in respond(layer, movie(layer)))
    tensors = [value for value in layer.get_state().values() if isinstance(value, Tensor)]
    assert all(value.dtype == torch.float64 for value in tensors if value.is_floating_point())


@every_layer
def test_another_input_size_wants_a_cleared_state(cls: type[Layer]) -> None:
    layer = settled(cls)
    smaller = movie(layer)[..., :5, :5]
    if layer.fixed_size:
        with pytest.raises(ConvisError, match="6, 7"):
            layer(smaller)
        return
    if any(isinstance(value, Tensor) for value in layer.get_state().values()):
        with pytest.raises(ConvisError, match=r"(?i)clear"):
            layer(smaller)
    layer.clear_state()
    layer(smaller)


# Copies -----------------------------------------------------------------------------------------


@every_layer
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["copy", "pickle"]
)
def test_copies_in_the_middle_of_a_run(cls: type[Layer], copied: Any) -> None:
    layer = build(cls)
    x = movie(layer)
    respond(layer, x)  # with gradients on: the state may be attached to a graph
    if any(p.requires_grad for p in layer.parameters()):
        layer.set_optimizer.LBFGS()
    twin = copied(layer)
    assert_close(respond(twin, x), respond(layer, x), 0.0)
    assert twin.resolution == layer.resolution
    for mine, its in zip(layer.parameters(), twin.parameters(), strict=True):
        assert mine is not its and bool((mine == its).all())
    for handle in twin.p:
        lowest, other = handle.bounds[0], handle.declaration.range
        handle.set(handle.tensor + 0.001 if handle.bounds == UNBOUNDED else lowest)
        if other is not None and np.all(handle.value == layer.p[handle.name].value):
            handle.set(other[1])
    assert all(bool((a != b).any()) for a, b in zip(layer.parameters(), twin.parameters(), strict=True))


@every_stochastic_layer
def test_seeds_reproduce(cls: type[Layer]) -> None:
    options = {**cls.example_arguments, "seed": 7}
    first, second, other = cls(**options), cls(**options), cls(**{**options, "seed": 8})
    x = movie(first, frames=100)
    assert_close(respond(first, x), respond(second, x), 0.0)
    assert any(bool((a != b).any()) for a, b in zip(respond(other, x), respond(first, x), strict=True))


# Parameters -------------------------------------------------------------------------------------


@every_layer
def test_parameters_round_trip(cls: type[Layer], tmp_path: Path) -> None:
    layer = build(cls)
    kept = layer.get_parameters()
    layer.push_parameters()
    layer.save_parameters(tmp_path / "kept.npz")
    identities = [id(p) for p in layer.parameters()]

    def spoil() -> None:
        for handle in layer.p:
            handle.set(np.clip(np.asarray(handle) * 0.5, *handle.bounds))

    for restore in (
        lambda: layer.set_parameters(kept),
        layer.pop_parameters,
        lambda: layer.load_parameters(tmp_path / "kept.npz"),
    ):
        spoil()
        restore()
        for name, value in layer.get_parameters().items():
            np.testing.assert_array_equal(value, kept[name])
    assert identities == [id(p) for p in layer.parameters()]


@every_layer
def test_everything_is_kept_together(cls: type[Layer]) -> None:
    layer = settled(cls)
    x = movie(layer, scale=0.9)
    layer.store_all("here")
    layer.push_all()
    everything = layer.get_all()
    after = respond(layer, x)
    for restore in (lambda: layer.retrieve_all("here"), layer.pop_all, lambda: layer.set_all(everything)):
        for handle in layer.p:
            handle.set(handle.tensor * 0.9 if handle.bounds == UNBOUNDED else handle.bounds[0])
        layer.clear_state()
        restore()
        assert_close(respond(layer, x), after, 0.0)
    with pytest.raises(ConvisError, match="here"):
        layer.retrieve_all("nowhere")


@every_layer
def test_declarations_are_complete_and_kept(cls: type[Layer]) -> None:
    layer = build(cls)
    for name, declaration in cls.declarations().items():
        assert len(declaration.doc) > 10, name
        if declaration.default is None:
            continue
        lo, hi = declaration.bounds
        assert lo <= declaration.default <= hi
        assert declaration.range is not None, f"{name} has no range for a slider"
        assert declaration.scale == "linear" or declaration.range[0] > 0
        assert getattr(build(cls, **{name: lo}), name) == torch.tensor(lo)
        for wrong in (lo - 1.0, hi + 1.0):
            with pytest.raises(ParameterError) as caught:
                setattr(layer, name, wrong)
            text = str(caught.value)
            for part in (f"{cls.__name__}.{name}", f"{wrong:g}", f"{lo:g}", f"{hi:g}", declaration.unit):
                assert part in text
        assert getattr(layer, name) == torch.tensor(cls.example_arguments.get(name, declaration.default))


@every_layer
def test_described_in_full(cls: type[Layer]) -> None:
    layer = settled(cls)
    text = layer.describe()
    summary = (cls.__doc__ or "").strip().splitlines()[0]
    assert summary and summary in text and cls.__name__ in text
    for part in (*cls.output_names, *layer.get_parameters(), *layer.s):
        assert part in text
    for handle in layer.p:
        assert handle.doc in text and handle.doc in layer.p._repr_html_()


@every_layer
def test_impulse_response_repeats_and_leaves_no_trace(cls: type[Layer]) -> None:
    layer = settled(cls)
    kept, dice = layer.get_state(), torch.get_rng_state()
    first = layer.impulse_response(length=5, size=SIZE)
    second = layer.impulse_response(length=5, size=SIZE)
    assert_close(first, second, 0.0)
    assert first.n_frames == 5
    assert bool((torch.get_rng_state() == dice).all())
    for name, value in layer.get_state().items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(kept[name]))


@every_layer
def test_running_warns_of_nothing(cls: type[Layer]) -> None:
    layer = build(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layer.run(movie(layer), dt=5).n_frames == FRAMES


def test_the_registry_holds_no_bases() -> None:
    assert len(LAYERS) >= 8
    assert all(cls.forward is not Layer.forward for cls in registered_layers())
