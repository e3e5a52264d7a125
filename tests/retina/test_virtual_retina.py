"""Every analog map that the C++ simulator Virtual Retina stored, step by step: to 1e-6 in double precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.retina.virtual_retina import described, film

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}
WHOLE_FRAMES = (
    *("opl_separable", "opl_center_only", "opl_cascade_n3", "opl_undershoot", "opl_undershoot_w07", "opl_leaky"),
    *("opl_logpolar", "opl_logpolar_flat", "opl_luminance_gain_control"),
    *("cgc_off", "cgc_standard", "cgc_strong", "cgc_no_pooling", "cgc_custom"),
    *("ganglion_pool", "ganglion_rectify", "ganglion_static", "ganglion_transient", "full_no_spikes"),
)


def stored(shared: Path, name: str) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """Stored maps by input and stage."""
    data = np.load(shared / "reference" / "virtualretina" / "outputs" / f"{name}.npz")
    found: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    for key in data.files:
        clip, _, stage = key.partition("__")
        if not stage.startswith(("spike", "unit", "trial")):
            found.setdefault(clip, {})[stage] = data[key]
    return found


def assert_equal(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], tolerance: float, label: str) -> None:
    every = -(-len(got) // len(wanted))  # the stored maps are those of every so many steps
    assert got[::every].shape == wanted.shape, label
    error = np.abs(got[::every] - wanted).max()
    assert error <= tolerance * np.abs(wanted).max(), f"{label}: {error}"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("name", WHOLE_FRAMES)
def test_maps(shared: Path, name: str, dtype: torch.dtype) -> None:
    retina = described(shared / "reference" / "virtualretina" / "configs" / f"{name}.xml", dtype)
    for clip, maps in stored(shared, name).items():
        frames, luminance = film(shared, clip)
        retina.settle(luminance)
        o = retina.run(frames, dt=23, record=maps)
        for stage, wanted in maps.items():
            assert_equal(o.array(stage)[0, 0], wanted, TOLERANCE[dtype], f"{name} {clip} {stage}")


@pytest.mark.parametrize("name", ["lif_square_no_noise", "full_square_no_noise", "lif_circular_no_noise"])
def test_maps_of_a_window(shared: Path, name: str) -> None:
    """Where cells are in arrays the simulator looks at the middle of the image only."""
    retina = described(shared / "reference" / "virtualretina" / "configs" / f"{name}.xml", torch.float64)
    for clip, maps in stored(shared, name).items():
        frames, luminance = film(shared, clip)
        size = next(iter(maps.values())).shape[1:]
        x, y = ((n - m) // 2 for n, m in zip(frames.shape[1:], size, strict=True))
        retina.settle(luminance)
        o = retina.run(frames[:, x : x + size[0], y : y + size[1]], record=maps)
        for stage, wanted in maps.items():
            assert_equal(o.array(stage)[0, 0], wanted, 1e-6, f"{name} {clip} {stage}")


def test_the_example_without_spikes(shared: Path) -> None:
    folder = shared / "reference" / "virtualretina"
    retina = described(folder / "examples" / "EXAMPLE_linear_noSpikes.xml", torch.float64)
    data = np.load(folder / "outputs" / "EXAMPLE_linear_noSpikes.npz")
    frames, luminance = film(shared, "finland_80x64")
    retina.settle(luminance)
    walk = retina.run(frames, record="opl").array("opl")[0, 0]
    assert_equal(walk, data["finland_80x64__opl"], 1e-6, "finland")
    still, luminance = film(shared, "rocks_128x126")
    retina.settle(luminance)
    rocks = retina.run(still.repeat(10, axis=0), record="opl").array("opl")[0, 0]
    assert_equal(rocks[[0, 1, 2, 9], ::2, ::2], data["rocks_128x126__opl"], 1e-6, "rocks")


def test_the_example_of_a_cat(shared: Path) -> None:
    """One cell in the middle of a map of 50x50 pixels: all steps there, and some whole maps."""
    folder = shared / "reference" / "virtualretina"
    retina = described(folder / "examples" / "EXAMPLE_cat_X_cell.xml", torch.float64)
    data = np.load(folder / "outputs" / "EXAMPLE_cat_X_cell.npz")
    for clip, repeat, steps in (("finland_80x64", 4, slice(7, None, 32)), ("rocks_128x126", 100, slice(9, None, 40))):
        frames, luminance = film(shared, clip)
        x, y = ((n - 50) // 2 for n in frames.shape[1:])
        retina.settle(luminance)
        window = frames[:, x : x + 50, y : y + 50].repeat(repeat, axis=0)
        stages = sorted({key.split("__")[1] for key in data.files if key.startswith(clip)} & set(retina.stages))
        o = retina.run(window, dt=50, record=retina.stages)
        assert stages
        for stage in stages:
            wanted = data[f"{clip}__{stage}"]
            assert_equal(o.array(stage)[0, 0, steps][: len(wanted)], wanted, 1e-6, f"{clip} {stage}")
        for stage in retina.stages:
            key = f"{clip}__{stage}_centre"
            if key in data.files:
                assert_equal(o.array(stage)[0, 0, :, 25, 25], data[key], 1e-6, key)


def test_the_example_of_a_primate(shared: Path) -> None:
    """Log-polar, four layers, two of them stored."""
    folder = shared / "reference" / "virtualretina"
    retina = described(folder / "examples" / "EXAMPLE_primate_ParvoMagno.xml", torch.float64)
    data = np.load(folder / "outputs" / "EXAMPLE_primate_ParvoMagno.npz")
    for clip, repeat, columns in (("finland_80x64", 2, slice(8, 72)), ("rocks_128x126", 40, slice(1, 127))):
        frames, luminance = film(shared, clip)
        retina.settle(luminance)
        o = retina.run(frames[:, :, columns].repeat(repeat, axis=0), dt=50, record=retina.stages)
        steps = data[f"{clip}__step_index"]
        stages = [s for s in retina.stages if f"{clip}__{s}" in data.files]
        assert stages
        for stage in stages:
            assert_equal(o.array(stage)[0, 0, steps], data[f"{clip}__{stage}"], 1e-6, f"{clip} {stage}")
