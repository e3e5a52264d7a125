"""Models of several parts: against stored answers, and whether they learn, carry on and combine as they say."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Layer, filters, models
from convis_core.errors import ConvisError, ParameterError, UnknownNameError


@pytest.fixture(scope="module")
def stored(shared: Path) -> Any:
    folder = shared / "reference" / "convis"
    return lambda name: np.load(folder / f"{name}.npz", allow_pickle=False)


def assert_agrees(got: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize("dt", [None, 20, 4])
@pytest.mark.parametrize(("name", "population"), [("LNLN", True), ("LNLNrf", False)])
def test_cascades(stored: Any, name: str, population: bool, dt: int | None) -> None:
    data = stored("models_ln")
    options: dict[str, Any] = {"kernel_dim": data["weight1"].shape, "population": population, "bias": False}
    model = models.LNLN(**options)
    model.m.conv1.set_weight(data["weight1"])
    model.m.conv2.set_weight(data["weight2"])
    model.m.conv2.placement = "corner"
    assert_agrees(model.run(data["input"], dt).array(), data[f"output_{name}_whole"])


@pytest.mark.parametrize("dt", [None, 20, 4])
def test_a_cascade_with_a_square_at_its_end(stored: Any, dt: int | None) -> None:
    """What is stored as a cascade squares its last stage, where this package's cascades rectify."""
    data = stored("models_ln")
    first, last = models.LN(kernel_dim=(6, 4, 5), bias=False), filters.Conv3d(kernel_dim=(6, 4, 5), bias=False)
    first.conv.set_weight(data["weight1"])
    last.set_weight(data["weight2"])
    model = models.Sequential(first, last, filters.NLSquare())
    assert_agrees(model.run(data["input"], dt).array(), data["output_casc_whole"])


@pytest.mark.parametrize("dt", [None, 20, 4])
def test_inhibited_stages_with_a_delay_between_them(stored: Any, dt: int | None) -> None:
    data = stored("models_ln")
    model = models.LNFDLNF(kernel_dim=data["weight1"].shape, bias=False)
    decay = np.exp(-np.arange(8) / 3.0)
    model.conv1.set_weight(data["weight1"])
    model.conv2.set_weight(data["weight2"])
    model.feedback1.set_weight(0.1 * decay)
    model.feedback2.set_weight(0.05 * decay)
    assert_agrees(model.run(data["input"][:, :9, :9], dt).array(), data["output_lnfd_whole"])


@pytest.mark.parametrize("dt", [None, 20, 3])
def test_a_convolutional_network(stored: Any, dt: int | None) -> None:
    data = stored("models_mcintosh")
    model = models.McIntosh((5, 3, 3), (2, 3, 3), out_channels=3)
    model.layer1.set_weight(data["layer1_weight"])
    model.layer2.set_weight(data["layer2_weight"])
    model.readout.set_weight(data["readout_weight"].reshape(3, 16, 1, 6, 7), flip=False)
    assert_agrees(model.run(data["input"], dt).array()[0, :, :, 0, 0].T[None, None, :, None], data["output_whole"])


def deep(population: bool) -> list[Layer]:
    options: dict[str, Any] = {"kernel_dim": (3, 4, 3), "population": population}
    made = [models.LNLN(**options), models.LNLNLN(**options), models.LNLNLNLN(**options), models.LNFDLNF(**options)]
    return [*made, models.LNCascade(5, **options)]


@pytest.mark.parametrize("seed", [0, 1])
def test_deep_cascades_learn_from_the_start(seed: int) -> None:
    torch.manual_seed(seed)
    clip = torch.randn(200, 6, 7)
    for model in deep(population=True):
        goal = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in goal.parameters():
                parameter.add_(0.3 * parameter.std() * torch.randn_like(parameter) if parameter.numel() > 1 else 0.0)
        target = goal.run(clip)[0]
        model.set_optimizer.Adam(lr=2e-3)
        losses = model.optimize(clip, target, dt=100, epochs=10)
        assert np.isfinite(losses).all() and losses[-2:].sum() < 0.8 * losses[:2].sum()
        assert all(bool(p.grad is not None and p.grad.any()) for n, p in model.named_parameters() if "conv" in n)


def test_a_cascade_takes_the_kernel_sizes_it_is_given() -> None:
    model = models.LNCascade(3, kernel_dim=[(2, 3, 3), (4, 1, 1), (1, 5, 5)])
    assert [tuple(conv.weight.shape[2:]) for conv in model.m] == [(2, 3, 3), (4, 1, 1), (1, 5, 5)]
    assert models.LNLN(kernel_dim=(2, 3, 4)).m.conv2.weight.shape == (1, 1, 2, 3, 4)
    assert models.LNLNLN((2, 3, 3), population=False).run(np.zeros((9, 6, 7))).array().shape == (1, 1, 9, 1, 1)
    with pytest.raises(ParameterError, match="3 stages needs 1 or 3 kernel sizes, got 2"):
        models.LNCascade(3, kernel_dim=[(1, 1, 1), (1, 1, 1)])


def test_short_names_and_single_cells() -> None:
    assert models.LNSN is models.LNLN and models.LNFDSNF is models.LNFDLNF
    torch.manual_seed(0)
    cell = models.RF(kernel_dim=(3, 6, 7), bias=False)
    assert cell.conv.weight.shape == (1, 1, 3, 6, 7)
    rectified = models.RFN(kernel_dim=(3, 6, 7), bias=False)
    rectified.conv.set_weight(cell.conv.weight.detach(), flip=False)
    clip = torch.randn(20, 6, 7)
    torch.testing.assert_close(rectified.run(clip)[0], cell.run(clip)[0].relu())


def test_a_network_learns_and_takes_the_size_of_the_first_image() -> None:
    torch.manual_seed(0)
    model, clip = models.McIntosh((3, 3, 3), (2, 3, 3), 2, 4, 4), torch.randn(100, 6, 7)
    assert model.run(clip)[0].shape == (1, 2, 100, 1, 1)
    assert model.readout.weight.shape == (2, 4, 1, 6, 7)
    model.set_optimizer.Adam(lr=1e-2)
    target = torch.stack([clip[:, 2, 3], clip[:, 4, 1]])[None, :, :, None, None]
    losses = model.optimize(clip, target, epochs=20)
    assert losses[-1] < 0.8 * losses[0]


# Containers -------------------------------------------------------------------------------------


def test_lists_and_dictionaries() -> None:
    parts = models.List(filters.Diff(), filters.NLRectify(), filters.Delay())
    assert parts[-1] is parts[2] and parts[-3] is parts.layer_0 and len(parts) == 3
    parts.append(filters.NLSquare())
    assert [type(part).__name__ for part in parts] == ["Diff", "NLRectify", "Delay", "NLSquare"]
    with pytest.raises(UnknownNameError, match="no part -5; there are 4"):
        parts[-5]
    named = models.Dict({"on": filters.NLRectify()}, off=filters.NLSquare())
    del named["on"]
    named["all"] = filters.Diff()
    assert list(named) == ["off", "all"] and named.m.all is named["all"]
    with pytest.raises(UnknownNameError, match="There are: off, all"):
        named["on"]
    for name, part in (("forward", filters.Diff()), ("1", filters.Diff()), ("on", 3)):
        with pytest.raises(ParameterError):
            named[name] = part  # type: ignore[assignment]
    with pytest.raises(ParameterError, match="must be a Layer, got int"):
        models.List(3)  # type: ignore[arg-type]
    with pytest.raises(ConvisError, match="does not define forward"):
        parts(torch.zeros(3))


def test_no_part_takes_the_place_of_another() -> None:
    """It would be gone without a word."""
    first, second = filters.NLRectify(), filters.NLSquare()
    mixed = models.Sequential({"layer_1": first}, second)
    assert [(name, type(part).__name__) for name, part in mixed.named_children()] == [
        ("layer_1", "NLRectify"),
        ("layer_2", "NLSquare"),
    ]
    for parts in ([{"on": first}, {"on": second}], [first, {"layer_0": second}]):
        with pytest.raises(ParameterError, match=r"There is a part '(on|layer_0)' already"):
            models.Sequential(*parts)
    for name in ("p", "forward", "a.b", "", 0):
        with pytest.raises(ParameterError, match="A part cannot be called"):
            models.List({name: first})  # type: ignore[dict-item]


def test_a_layer_with_a_memory_is_in_one_place() -> None:
    """In two it would remember the input of the one for the other; without a memory it does not matter."""
    once = filters.Diff()
    for parts in ([once, once], [models.Sequential(once), once], [once, models.Parallel(once, combine="sum")]):
        with pytest.raises(ParameterError, match="A Diff remembers what it has seen"):
            models.Sequential(*parts)
    square = filters.NLSquare()
    assert models.Sequential(square, square).run([2.0]).array().item() == 16.0
    assert models.Sequential(once, copy.deepcopy(once)).run([1.0, 2.0]).array().ravel().tolist() == [0.0, 1.0]


def test_only_the_last_of_a_row_has_several_responses() -> None:
    side_by_side = models.Parallel(filters.NLRectify(), filters.NLSquare())
    grown = models.Sequential()
    grown.append(filters.Diff())
    grown.append(side_by_side)
    assert grown.run([1.0, 2.0]).names == grown.output_names == ("layer_0", "layer_1")
    with pytest.raises(ParameterError, match="layer_1 has 2 responses, layer_0, layer_1, and only one"):
        grown.append(filters.Diff())
    with pytest.raises(ParameterError, match="layer_0 has 2 responses"):
        models.Parallel(side_by_side, combine="sum")
    wide = models.Parallel()
    wide.append(filters.NLRectify())
    assert wide.run([1.0]).names == ("layer_0",)
    for combine in ("sum", "channels", None):
        with pytest.raises(ParameterError, match="no parts to answer"):
            models.Parallel(combine=combine).run([1.0])  # type: ignore[arg-type]


def row() -> models.Sequential:
    torch.manual_seed(0)
    return models.Sequential(
        filters.Conv3d(kernel_dim=(3, 2, 3)),
        models.Parallel(filters.NLRectify(), filters.Delay(delay=0.002), combine="sum"),
        models.Parallel({"on": filters.Conv1d(kernel_dim=4), "off": filters.NLSquare()}),
    )


def test_a_model_of_parts_has_the_state_and_parameters_of_all_of_them() -> None:
    model, twin = row(), row()
    clip = torch.randn(30, 6, 7)
    assert model.output_names == ("on", "off") and model.in_channels == 1
    whole = model.run(clip)
    for other in (twin, pickle.loads(pickle.dumps(twin)), copy.deepcopy(twin)):
        for a, b in zip(other.run(clip, 7), whole, strict=True):
            torch.testing.assert_close(a, b)
    assert {"layer_0.weight", "layer_2.on.weight"} <= set(model.get_parameters())
    assert {"layer_0.history", "layer_1.layer_1.history"} <= set(model.s)
    model.clear_state()
    torch.testing.assert_close(model.run(clip).off, whole.off)


def test_layers_side_by_side_combine_as_asked() -> None:
    clip = torch.tensor([-2.0, 3.0])
    parts = {"on": filters.NLRectify(), "square": filters.NLSquare()}
    assert models.Parallel(parts)(clip)[1].flatten().tolist() == [4.0, 9.0]
    assert models.Parallel(parts, combine="sum")(clip).flatten().tolist() == [4.0, 12.0]
    assert models.Parallel(parts, combine="channels")(clip).shape == (1, 2, 2, 1, 1)
    with pytest.raises(ParameterError, match="'sum', 'channels' or None"):
        models.Parallel(parts, combine="product")  # type: ignore[arg-type]


def test_a_model_of_rows_and_stages_can_be_fitted() -> None:
    torch.manual_seed(0)
    clip = torch.randn(100, 6, 7)
    for make in (models.make_sequential_parallel_model, models.make_parallel_sequential_model):
        model: Layer = make([[filters.Conv3d(kernel_dim=(2, 3, 3)), filters.Conv3d()], [filters.Conv3d()]])
        model.set_optimizer.Adam(lr=1e-2)
        losses = model.optimize(clip, clip, epochs=20)
        assert losses[-1] < 0.7 * losses[0]
