"""Runs of the original in chunks: equal to its whole runs, which ours equal, exactly where its bookkeeping is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convis_core.filters import SmoothConv
from convis_core.resolution import Resolution
from tests.reference.convis_parts import load

CHUNKED = re.compile(r"(.*)_dt(\d+)$")


def chunked(data: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Runs in chunks, the name of the run in one piece, and the length of a chunk."""
    found = {}
    for key in data:
        if match := CHUNKED.match(key):
            whole = next((name for name in (f"{match[1]}_whole", match[1]) if name in data), None)
            if whole is not None:
                found[key] = whole, int(match[2])
    return found


def lags(name: str, key: str, data: dict[str, Any]) -> int:
    """Frames that a filter remembers."""
    if name == "conv3d":
        return int(key.split("_")[1].partition("x")[0]) - 1
    if name == "conv2d_conv1d":
        return int(key.split("_")[1]) - 1
    return 0


@pytest.mark.parametrize("name", ["conv3d", "conv2d_conv1d", "rf", "models_mcintosh"])
def test_convolutions_that_forget(shared: Path, name: str) -> None:
    """Wrong where a chunk is shorter than the memory and does not divide it; ours is right in all of them."""
    data = load(shared, name)
    runs = chunked(data)
    assert runs
    for key, (whole, n) in runs.items():
        memory = lags(name, key, data)
        is_right = n >= memory or memory % n == 0
        error = np.abs(data[key] - data[whole]).max() / np.abs(data[whole]).max()
        if "impulse" in key and not is_right:
            continue  # what is lost may have been dark
        assert (error < 1e-5) == is_right, f"{key}: {error}"


@pytest.mark.parametrize("name", ["temporal_lowpass_1000sps", "temporal_lowpass_200sps", "models_ln"])
def test_what_remembers_well(shared: Path, name: str) -> None:
    data = load(shared, name)
    for key, (whole, _) in chunked(data).items():
        np.testing.assert_allclose(data[key], data[whole], rtol=0, atol=1e-5 * np.abs(data[whole]).max(), err_msg=key)


@pytest.mark.parametrize(
    ("name", "mark"), [("temporal_highpass_1000sps", "random"), ("temporal_highpass_200sps", "random")]
)
def test_what_forgets_at_every_cut(shared: Path, name: str, mark: str) -> None:
    """It takes the first frame of a chunk for the one before it."""
    data = load(shared, name)
    for key, (whole, n) in chunked(data).items():
        if mark in key:
            same = np.abs(data[key] - data[whole]).max(axis=(0, 1, 3, 4)) < 1e-5
            assert same[:n].all() and not same[n], key


def test_smooth_convolution_and_its_parts(shared: Path) -> None:
    """The parts add up to the response, whole and in chunks as long as the longest of them."""
    data = load(shared, "smoothconv")
    for clip in ("random", "impulse"):
        whole = data[f"output_{clip}_whole"]
        np.testing.assert_allclose(
            data[f"components_{clip}"].sum(1, keepdims=True), whole, rtol=0, atol=1e-5 * np.abs(whole).max()
        )
    np.testing.assert_allclose(data["output_random_dt50"][:, :, :50], data["output_random_whole"][:, :, :50], atol=1e-5)
    layer = SmoothConv(n=int(data["n"]), tau=float(data["tau"]), resolution=Resolution(10.0, 1000.0))
    assert layer.run(data["input_random"], dt=7).n_frames == 120
