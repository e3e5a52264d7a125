"""Microsaccades against a stored path, and what the retina saw along it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from convis_core import Resolution
from convis_core.errors import ParameterError, StreamError
from convis_core.retina import MicrosaccadeGenerator
from tests.retina.virtual_retina import described, film

HERE = Resolution(pixel_per_degree=20.0, steps_per_second=200.0)
JUMPS = {"period": 0.1, "period_deviation": 0.02, "amplitude": 0.25, "resolution": HERE}


def stored_path(shared: Path) -> NDArray[np.int64]:
    with np.load(shared / "reference/virtualretina/outputs/microsaccades.npz") as stored:
        return np.asarray(stored["finland_80x64__path"][:, 1:], dtype=np.int64)


def rests(path: NDArray[np.float64]) -> list[int]:
    """Lengths of the stretches of at least 5 frames without a movement, but for the last."""
    still = [len(list(group)) for moved, group in groupby(np.any(np.diff(path, axis=0) != 0, axis=1)) if not moved]
    return [n for n in still[:-1] if n >= 5]


def test_the_retina_sees_what_it_saw_along_the_stored_path(shared: Path) -> None:
    frames, luminance = film(shared, "finland_80x64")
    path = stored_path(shared)
    seen = [np.repeat(frames, 4, axis=0)[t, y - 22 : y + 22, x - 30 : x + 30] for t, (x, y) in enumerate(path)]
    retina = described(shared / "reference/virtualretina/configs/microsaccades.xml", torch.float64)
    retina.settle(luminance)
    got = retina.run(np.stack(seen), record="opl")["opl"][0, 0, ::16].numpy()
    with np.load(shared / "reference/virtualretina/outputs/microsaccades.npz") as stored:
        wanted = stored["finland_80x64__opl"]
    np.testing.assert_allclose(got, wanted, atol=1e-6 * np.abs(wanted).max())


def test_rests_are_those_of_the_stored_path(shared: Path) -> None:
    found = rests(MicrosaccadeGenerator(np.zeros((4000, 64, 80)), seed=1, **JUMPS).path(4000))
    wanted = rests(stored_path(shared).astype(float))
    error = np.std(found) / len(wanted) ** 0.5
    assert abs(np.mean(found) - np.mean(wanted)) < 3 * error
    assert np.mean(found) == pytest.approx(20, abs=1.5)


def test_jumps_have_the_stated_length() -> None:
    path = MicrosaccadeGenerator(np.zeros((20_000, 64, 80)), seed=2, duration_deviation=0.0, **JUMPS).path(20_000)
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    speed = lengths[lengths > 0]  # a quarter of 5 pixels in each of 5 frames
    assert speed.mean() == pytest.approx(1.25, rel=0.05)
    assert np.abs(path).max() < 40  # it comes back


def test_frames_are_the_windows_along_the_path_however_they_are_read() -> None:
    frames = np.random.default_rng(0).random((200, 64, 80))
    eye, twin = (MicrosaccadeGenerator(frames, seed=3, **JUMPS) for _ in range(2))
    whole = eye.get(200)
    parts = torch.cat([twin.get(n) for n in (1, 50, 0, 149)], dim=2)
    torch.testing.assert_close(parts, whole, rtol=0, atol=0)
    corners = np.clip(np.ceil(eye.path(200)).astype(int) + 10, 0, 20)
    assert len(np.unique(corners, axis=0)) > 10
    for t in (0, 77, 199):
        x, y = corners[t]
        np.testing.assert_array_equal(whole[0, 0, t].numpy(), frames[t, x : x + 44, y : y + 60])
    eye.seek(120)
    torch.testing.assert_close(eye.get(80), whole[:, :, 120:], rtol=0, atol=0)
    assert tuple(eye.get(5).shape) == (1, 1, 0, 44, 60)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(StreamError, match="Frames of 20x30 pixels leave no window"):
        MicrosaccadeGenerator(np.zeros((5, 20, 30)), amplitude=0.25, resolution=HERE)
    with pytest.raises(ParameterError, match="period must be 0 or more, got -1"):
        MicrosaccadeGenerator(np.zeros((5, 64, 80)), period=-1.0)
