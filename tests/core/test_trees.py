"""`.p`, `.m` and `.s` can be tabbed through, searched, read by numpy and torch, and set in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import convis_core as convis
from convis_core import Layer
from convis_core.errors import ParameterError, StateError, UnknownNameError


@pytest.fixture
def model() -> convis.models.CentreSurround:
    return convis.models.CentreSurround(duration=0.02, extent=0.3, seed=1)


def test_attributes_complete(model: Layer) -> None:
    assert dir(model.p) == ["_all", "_search", "amplification", "baseline", "ganglion", "receptive_field"]
    assert "g_L" in dir(model.p.ganglion)
    assert dir(model.m) == ["ganglion", "receptive_field"]
    assert model.m.ganglion is model.ganglion
    assert "v" in dir(model.s.ganglion)
    assert len(model.m) == 2 and list(model.m) == [model.receptive_field, model.ganglion]


def test_setting_through_the_tree(model: Layer) -> None:
    same = model.ganglion.g_L
    model.p.ganglion.g_L = 70.0
    model.p.ganglion.refr_mu.set(0.001)
    model.p._all.receptive_field_tau_center = 0.02
    model.p._search.surround.receptive_field_sigma_surround = 0.3
    assert model.ganglion.g_L is same and same == 70.0
    assert model.p["receptive_field.tau_center"].value == pytest.approx(0.02)
    assert model.p.receptive_field.sigma_surround.value == pytest.approx(0.3)
    model.p.ganglion.g_L.reset()
    assert same == 50.0


def test_search_finds_by_part_of_the_name(model: Layer) -> None:
    names = [handle.name for handle in model.p._search.tau]
    assert names == [f"receptive_field.tau_{part}" for part in ("center", "surround", "undershoot")]
    assert len(model.p._search.nothing_like_it) == 0
    assert "tau_center" in dir(model.p._search)


def test_all_is_flat_and_complete(model: Layer) -> None:
    assert len(model.p._all) == len(model.p) == len(list(model.parameters()))
    assert all(name.isidentifier() for name in dir(model.p._all))


def test_what_a_search_finds_is_set_and_not_the_search(model: Layer) -> None:
    with pytest.raises(UnknownNameError, match=r"'g_L' finds parameters.*Set one of: ganglion\.g_L"):
        model.p._search.g_L = 3.0  # was lost without a word
    model.p._search["g_L"].ganglion_g_L = 3.0
    assert model.ganglion.g_L == 3.0 and "p._search.tau" in repr(model.p._search)


def test_dotted_names_lead_into_all_trees(model: Layer) -> None:
    model.p["ganglion.g_L"] = 70.0
    model.p.ganglion["refr_mu"] = 0.001
    assert model.ganglion.g_L == 70.0 and model.p["ganglion"]["refr_mu"].value == pytest.approx(0.001)
    cascade = convis.models.Sequential(convis.models.L(), model)
    name = next(iter(cascade.m._layer._modules))
    assert cascade.m[f"{name}.conv"] is cascade.m[name].conv and f"{name}.conv" in cascade.m
    assert "v1" not in cascade.m and "" not in cascade.m and 3 not in cascade.m
    with pytest.raises(UnknownNameError, match="has no part v1"):
        _ = cascade.m["v1"]
    model.run(np.zeros((3, 5, 5)))
    assert model.s["ganglion.v"] is model.s.ganglion["v"] is model.ganglion.v
    assert "ganglion" in model.s and "ganglion.v" in model.s and "gang" not in model.s and 3 not in model.s
    assert len(model.s) == len(list(model.s)) == len(model.get_state())


def test_a_part_is_replaced_through_the_tree(model: Layer) -> None:
    other = convis.filters.spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0)
    model.m.ganglion = other  # was lost without a word
    assert model.ganglion is other
    with pytest.raises(UnknownNameError, match="has no part gangleon"):
        model.m.gangleon = other


@pytest.mark.parametrize("value", ["rest", 0.5, np.zeros((1, 2, 5, 5)), [0.0]])
def test_a_state_that_is_none_is_refused_where_it_is_set(model: Layer, value: object) -> None:
    with pytest.raises(StateError, match=r"State v must be a tensor \[batch, channel, x, y\], an int or None, got"):
        model.s.ganglion.v = value
    model.run(np.zeros((3, 5, 5)))
    kept = model.get_state()
    with pytest.raises(StateError, match=r"ganglion\.v must be a tensor"):
        model.set_state({name: value if name == "ganglion.v" else None for name in kept})
    for name, was in kept.items():  # none of them was set
        now = model.s[name]
        assert torch.equal(now, was) if isinstance(was, torch.Tensor) else now == was


def test_a_state_is_set_in_the_precision_of_the_layer(model: Layer) -> None:
    model.run(np.zeros((3, 5, 5)))
    model.s["ganglion.v"] = torch.full((1, 2, 5, 5), 0.5, dtype=torch.float64)
    assert model.ganglion.v.dtype == torch.float32
    model.run(np.zeros((3, 5, 5)))


def test_no_parameter_is_lost_where_two_names_would_become_one() -> None:
    model = convis.models.Sequential({"a": convis.models.L(), "a_conv": convis.filters.Conv3d()})
    assert len(model.p._all) == len(model.p._search.conv) == len(model.p) == 4
    model.p._all.a_conv_bias = 1.0
    model.p._all["a_conv.bias"] = 2.0
    assert float(model.p["a.conv.bias"]) == 1.0 and float(model.p["a_conv.bias"]) == 2.0


def test_what_is_not_there_is_said_with_what_is(model: Layer) -> None:
    for wrong, known in (("p.gangleon", "ganglion.g_L"), ("p.ganglion.g_l", "g_L"), ("m.v1", "ganglion")):
        target: object = model
        with pytest.raises(UnknownNameError, match=known):
            for part in wrong.split("."):
                target = getattr(target, part)
    with pytest.raises(UnknownNameError, match="is a group of parameters"):
        model.p.ganglion = 1.0
    with pytest.raises(UnknownNameError, match="no state"):
        model.s.potential = 1.0
    with pytest.raises(UnknownNameError, match="no state"):
        _ = model.s.potential
    assert not hasattr(model.p, "nonsense") and hasattr(model.p, "ganglion")
    assert "ganglion.g_L" in model.p and "nonsense" not in model.p and 3 not in model.p


def test_texts_say_value_unit_bounds_and_doc(model: Layer) -> None:
    text, page = repr(model.p), model.p._repr_html_()
    for part in ("ganglion.refr_mu", "0.003", "refractory time after each spike"):
        assert part in text and part in page
    assert "ganglion.refr_mu = 0.003 s" in text and "0 to 1" in page
    assert "receptive_field: CentreSurroundFilter" in repr(model.m)
    assert "not set yet" in repr(model.s)
    model.run(np.zeros((3, 5, 5)))
    assert "float32 [1, 2, 5, 5]" in repr(model.s)


def test_user_parameters_are_the_single_numbers() -> None:
    assert [h.name for h in convis.filters.spiking.LeakyIntegrateAndFireNeuron().user_parameters] == [
        "g_L",
        "noise_sigma",
    ]
    assert len(convis.models.LN((2, 3, 3)).user_parameters) == 0


def test_state_tree_reads_and_sets() -> None:
    neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0)
    neuron.run(np.zeros((2, 1, 1)))
    neuron.s.v = torch.full((1, 1, 1, 1), 0.999)
    assert float(neuron.run(np.full((1, 1, 1), 100.0))[0]) == 1.0
    assert list(neuron.s) == ["clock", "dead_time", "noise_seed", "v"]


# Handles ----------------------------------------------------------------------------------------


def test_a_handle_stands_for_its_value_in_numpy() -> None:
    model = convis.models.LN(kernel_dim=(2, 3, 3))
    handle, array = model.p.conv.weight, model.conv.weight.detach().numpy()
    np.testing.assert_array_equal(np.sqrt(np.abs(handle)), np.sqrt(np.abs(array)))
    np.testing.assert_array_equal(np.asarray(handle, dtype=np.float64), array.astype(np.float64))
    np.testing.assert_array_equal(array + handle, 2 * array)
    np.testing.assert_array_equal(np.linalg.norm(handle), np.linalg.norm(array))
    copied = np.asarray(handle)
    copied[:] = 7.0
    assert not bool((model.conv.weight == 7.0).any())
    handle.value[:] = 7.0
    assert not bool((model.conv.weight == 7.0).any())


def test_a_handle_stands_for_its_parameter_in_torch() -> None:
    model = convis.models.LN(kernel_dim=(2, 3, 3))
    handle, tensor = model.p.conv.weight, model.conv.weight
    assert torch.equal(torch.stack([handle, handle]), torch.stack([tensor, tensor]))
    (2 * handle + handle**2 - handle / 3 + tensor * handle).sum().backward()
    assert tensor.grad is not None and handle.grad is tensor.grad
    assert torch.equal(handle[0, 0], tensor[0, 0]) and handle.shape == tensor.shape and len(handle) == 1
    assert (
        torch.equal(-handle, -tensor) and torch.equal(2**handle, 2**tensor) and torch.equal(abs(handle), tensor.abs())
    )
    assert bool((handle == tensor).all()) and not bool((handle != tensor).any()) and bool((handle <= 9).all())
    assert torch.equal(nn.functional.relu(handle), tensor.relu())


def test_a_handle_of_a_number_acts_like_one() -> None:
    handle = convis.filters.spiking.LeakyIntegrateAndFireNeuron().p.g_L
    assert handle == 50.0 and handle != 51.0 and 49 < handle < 51
    assert float(handle) == 50.0 and int(handle) == 50 and bool(handle)
    assert f"{handle:.1f}" == "50.0" and f"{handle}".startswith("g_L = 50 Hz")
    assert (handle.unit, handle.default, handle.bounds) == ("Hz", 50.0, (0.0, 1e4))
    assert len({handle, convis.models.L().p.conv.bias}) == 2


def test_nothing_set_on_a_handle_is_lost() -> None:
    model = convis.models.LN(kernel_dim=(2, 3, 3))
    model.p.conv.bias.requires_grad = False
    assert not model.conv.bias.requires_grad
    model.p.conv.bias.requires_grad_(True)
    assert model.conv.bias.requires_grad
    with pytest.raises(AttributeError):
        model.p.conv.bias.frozen = True
    with pytest.raises(AttributeError):
        model.p.conv.bias.value = 3.0


def test_parameters_of_plain_torch_modules_are_found() -> None:
    class Mixed(Layer, register=False):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(2, 2)

    handle = Mixed().p.dense.weight
    assert handle.doc == "weight of a Linear" and handle.declaration.unit == ""
    handle.set(np.eye(2))
    np.testing.assert_array_equal(np.asarray(handle), np.eye(2))


@pytest.mark.parametrize("function", [np.mean, np.sum, np.max, np.std, np.argmax, np.squeeze, np.transpose, np.ravel])
def test_numpys_functions_take_a_handle(function: Callable[[Any], Any]) -> None:
    """They ask an object that is no array for a method of that name, and torch's do not take numpy's arguments."""
    handle = convis.models.LN(kernel_dim=(3, 4, 5)).p.conv.weight
    result = function(handle)
    np.testing.assert_array_equal(result, function(np.asarray(handle)))
    assert not isinstance(result, torch.Tensor)
    np.testing.assert_array_equal(np.concatenate([handle, handle]), np.concatenate([np.asarray(handle)] * 2))
    assert np.allclose(a=handle, b=handle)


def test_one_weight_is_set_in_place_and_checked() -> None:
    model = convis.models.LN(kernel_dim=(3, 4, 5))
    same = model.conv.weight
    model.p.conv.weight[0, 0, 1] = 2.0
    model.p.conv.weight[0, 0, 2] = model.p.conv.weight[0, 0, 1]
    assert model.conv.weight is same and bool((same[0, 0, 1:] == 2.0).all())
    with pytest.raises(ParameterError, match="must be finite"):
        model.p.conv.weight[0, 0, 0, 0, 0] = float("nan")
    assert bool(torch.isfinite(same).all())
    model.p.conv.bias = 7.0
    assert (model.p.conv.bias % 4.0).item() == (10.0 % model.p.conv.bias).item() == 3.0
    assert (model.p.conv.bias // 2.0).item() == (21.0 // model.p.conv.bias).item() == 3.0


def test_a_class_is_looked_through_for_its_state_once() -> None:
    """A fit asks for the state at every step, and looking took longer than the step of a small model."""

    class Looked(type):
        times = 0

        def __dir__(cls) -> list[str]:
            Looked.times += 1
            return list(super().__dir__())

    class Kept(Layer, register=False, metaclass=Looked):
        last = convis.state_variable("last frame")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.last = x[:, :, -1]
            return x

    layer = Kept()
    for _ in range(3):
        layer.run([1.0, 2.0])
        assert float(layer.get_state()["last"]) == 2.0
        layer.clear_state()
        assert layer.get_state() == {"last": None}
    assert Looked.times == 1
