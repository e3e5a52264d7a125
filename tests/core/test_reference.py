"""Filters, models and fits against stored answers, where those are known to be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convis_core import filters, models


@pytest.fixture(scope="module")
def stored(shared: Path) -> Any:
    folder = shared / "reference" / "convis"
    return lambda name: np.load(folder / f"{name}.npz", allow_pickle=False)


def assert_agrees(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> None:
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("size", ["5x3x3", "10x4x6", "7x5x4", "1x3x5", "6x1x1"])
@pytest.mark.parametrize("clip", ["impulse", "random"])
@pytest.mark.parametrize("dt", [None, 20, 7, 4])
def test_convolution_in_any_chunks(stored: Any, size: str, clip: str, dt: int | None) -> None:
    data = stored("conv3d")
    conv = filters.Conv3d(kernel_dim=data[f"weight_{size}"].shape, bias=False)
    conv.set_weight(data[f"weight_{size}"])
    assert_agrees(conv.run(data[f"input_{clip}"], dt).array(), data[f"output_{size}_{clip}_whole"])


def test_convolution_switches_and_channels(stored: Any) -> None:
    data = stored("conv3d")
    weight, clip = data["weight_5x3x3"], data["input_random"]
    for name, options, pad in (("noflip", {"flip": False}, True), ("noautopad", {}, False)):
        conv = filters.Conv3d(kernel_dim=weight.shape, bias=False, pad_space=pad)
        conv.set_weight(weight, **options)
        assert_agrees(conv.run(clip).array(), data[f"output_5x3x3_random_{name}"])
    many = filters.Conv3d(kernel_dim=data["weight_multichannel"].shape, bias=False)
    many.set_weight(data["weight_multichannel"])
    assert_agrees(many.run(data["input_multichannel"]).array(), data["output_multichannel"])


@pytest.mark.parametrize("case", ["same", "input_larger", "input_smaller", "time1"])
@pytest.mark.parametrize("dt", [None, 7])
def test_receptive_field_aligned_by_its_corner(stored: Any, case: str, dt: int | None) -> None:
    data = stored("rf")
    cell = filters.RF(kernel_dim=data[f"weight_{case}"].shape, bias=False, placement="corner")
    cell.set_weight(data[f"weight_{case}"])
    assert_agrees(cell.run(data[f"input_{case}"], dt).array(), data[f"output_{case}_whole"])


def test_receptive_field_of_open_size(stored: Any) -> None:
    data = stored("rf")
    cell = filters.RF(kernel_dim=(5,), bias=False)
    assert_agrees(cell.run(data["input_same"]).array(), data["output_default"])
    assert_agrees(np.asarray(cell.p.weight), data["weight_default_after_first_run"])


@pytest.mark.parametrize("dt", [None, 20, 4])
def test_models(stored: Any, dt: int | None) -> None:
    data = stored("models_ln")
    for name, kind, population in (("L", models.L, True), ("LN", models.LN, True), ("LNrf", models.LN, False)):
        model = kind(kernel_dim=data["weight1"].shape, population=population, bias=False)
        model.conv.set_weight(data["weight1"])
        model.conv.placement = "corner"
        assert_agrees(model.run(data["input"], dt).array(), data[f"output_{name}_whole"])


@pytest.fixture(scope="module")
def fitting(stored: Any) -> Any:
    """Input, target and starting weight of the stored fits, remade from their seed."""
    data = stored("fit_ln")
    chance = np.random.RandomState(int(data["input_seed"]))
    clip = chance.randn(2000, 8, 9).astype(np.float32)
    target = linear_nonlinear(chance.randn(6, 4, 5)).run(clip).array()[0, 0]
    assert_agrees(target[:500], data["target_output_first500"])
    return clip, target, data


def linear_nonlinear(weight: np.ndarray[Any, Any]) -> models.LN:
    model = models.LN(kernel_dim=weight.shape, bias=False)
    model.conv.set_weight(weight)
    return model


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_losses_of_a_fit(fitting: Any, optimizer: str) -> None:
    clip, target, data = fitting
    model = linear_nonlinear(data["start_weight"])
    np.testing.assert_allclose(model.compute_loss(clip, target, 500), data["compute_loss_dt500_initial"], rtol=1e-6)
    getattr(model.set_optimizer, optimizer)(lr=float(data[f"lr_{optimizer}"]))
    losses = model.optimize(clip, target, 500, epochs=2).reshape(2, 4)
    np.testing.assert_allclose(losses, data[f"loss_{optimizer}"][:2], rtol=1e-3)


def test_a_line_search_finds_the_target_itself(fitting: Any) -> None:
    """The stored losses stay at 160 and more, for their line search saw another loss at every evaluation."""
    clip, target, data = fitting
    model = linear_nonlinear(data["start_weight"])
    model.set_optimizer.LBFGS(lr=float(data["lr_LBFGS"]))
    losses = model.optimize(clip, target, 500)
    assert losses == pytest.approx(data["compute_loss_dt500_initial"].sum(), rel=1e-6)
    assert model.compute_loss(clip, target, 500).max() < 1e-3 < data["loss_LBFGS"].min()
    np.testing.assert_allclose(np.asarray(model.p.conv.weight)[0, 0], data["target_kernel"], atol=1e-4)
