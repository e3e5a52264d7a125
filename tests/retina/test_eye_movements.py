"""Microsaccades that a configuration asks for: the retina sees the windows along the path, however time is cut."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core import Resolution
from convis_core.errors import ConvisError, StreamError
from convis_core.retina import MicrosaccadeGenerator, Retina, RetinaConfiguration
from convis_core.retina.eye_movements import EyeMovements
from convis_core.retina.saccades import AT_REST, Saccades, move_eye
from tests.retina.virtual_retina import film

HERE = Resolution(pixel_per_degree=20.0, steps_per_second=200.0)
JUMPS = Saccades(0.1, 0.02, 0.25, 0.02, 0.02, 0.002, 0.3)
GROUP = "basic-microsaccade-generator"


@pytest.fixture
def file(shared: Path) -> Path:
    return shared / "reference" / "virtualretina" / "configs" / "microsaccades.xml"


def test_a_file_with_microsaccades_moves_the_eye(shared: Path, file: Path) -> None:
    """The retina of the stored run sees windows of its size, and what a still one sees along the same path."""
    frames, luminance = film(shared, "finland_80x64")
    frames = np.repeat(frames, 4, axis=0)
    retina, still = (Retina.from_xml(file, seed=3, stage_delay=1, eye_movements=move) for move in (True, False))
    assert retina.eye is not None and still.eye is None
    for model in (retina, still):
        model.settle(luminance)
    seen = MicrosaccadeGenerator(frames, seed=3, resolution=HERE, **JUMPS._asdict())
    got = retina.run(frames, dt=50, record="opl")["opl"]
    with np.load(shared / "reference/virtualretina/outputs/microsaccades.npz") as stored:
        assert got.shape[2:] == (224, *stored["finland_80x64__opl"].shape[1:])
    torch.testing.assert_close(got, still.run(seen, dt=31, record="opl")["opl"], rtol=1e-5, atol=1e-5)
    retina.clear_state()
    torch.testing.assert_close(retina.run(frames, record="opl")["opl"], got, rtol=1e-4, atol=1e-5)


def test_jumps_go_back_to_the_centre_as_in_the_stored_path(shared: Path) -> None:
    """Each within 0.3 of half a turn of the centre of attention, and of a length of 5 pixels, but for whole pixels."""
    with np.load(shared / "reference/virtualretina/outputs/microsaccades.npz") as stored:
        path = stored["finland_80x64__path"][:, 2:0:-1] - stored["finland_80x64__path"][0, 2:0:-1]
    ours = np.ceil(move_eye(AT_REST, 40_000, JUMPS, HERE, 1)[0])
    angles, lengths = zip(*(jumps(p) for p in (path, ours)), strict=True)
    assert len(lengths[0]) == 8
    for off in angles:
        assert np.abs(off).max() < 0.3 * np.pi + 0.5  # whole pixels at either end of 5
    assert np.abs(np.mean(lengths[0]) - np.mean(lengths[1])) < 3 * np.std(lengths[1]) / np.sqrt(8)
    assert np.mean(lengths[1]) == pytest.approx(6.0, abs=0.7)  # 5 or 6 steps of a quarter of 5 pixels


def jumps(path: Any) -> tuple[Any, Any]:
    """Deviations from the direction of the centre and lengths of the movements of a path, the last one left out."""
    moved = np.flatnonzero(np.any(np.diff(path, axis=0) != 0, axis=1))
    ends = np.split(moved, np.flatnonzero(np.diff(moved) > 4) + 1)
    angles, lengths = [], []
    for k, steps in enumerate(ends):
        here, there = path[steps[0]], path[steps[-1] + 1]
        towards = 0.0 if k == 0 else np.arctan2(-here[0], -here[1])
        angle = np.arctan2(*(there - here))
        lengths.append(np.hypot(*(there - here)))
        if np.hypot(*here) > 3 or k == 0:
            angles.append((angle - towards + np.pi) % (2 * np.pi) - np.pi)
    return np.array(angles), np.array(lengths)


@settings(max_examples=20, derandomize=True)
@given(cuts=st.lists(st.integers(0, 300), max_size=6), seed=st.integers(0, 2**32))
def test_any_cut_gives_the_same_path(cuts: list[int], seed: int) -> None:
    whole, end = move_eye(AT_REST, 300, JUMPS, HERE, seed)
    edges = [0, *sorted(cuts), 300]
    eye, parts = AT_REST, []
    for a, b in itertools.pairwise(edges):
        part, eye = move_eye(eye, b - a, JUMPS, HERE, seed)
        parts.append(part)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert eye == end


def test_the_eye_is_state_of_the_retina(file: Path) -> None:
    """It can be copied, pushed and cleared in the middle of a run; a fresh start repeats the path."""
    retina = Retina.from_xml(file, seed=5)
    frames = torch.rand(120, 30, 40)
    first = retina.run(frames)[0]
    twin = copy.deepcopy(retina)
    retina.push_state()
    after = retina.run(frames)[0]
    assert bool((after != first).any())
    torch.testing.assert_close(twin.run(frames)[0], after, rtol=0, atol=0)
    retina.pop_state()
    torch.testing.assert_close(retina.run(frames)[0], after, rtol=0, atol=0)
    retina.clear_state()
    torch.testing.assert_close(retina.run(frames)[0], first, rtol=0, atol=0)
    both = Retina.from_xml(file, seed=5)(torch.stack([frames, frames])[:, None])[0]
    torch.testing.assert_close(both[0], both[1])
    other = Retina.from_xml(file, seed=6).run(frames)[0]
    assert bool((other != first).any())


def test_numbers_of_the_eye_are_parameters_and_come_back(file: Path) -> None:
    retina = Retina.from_xml(file)
    assert retina.p.eye.amplitude.value == pytest.approx(0.25)
    assert retina.to_configuration() == RetinaConfiguration.read(file)
    assert Retina.from_xml(file, eye_movements=False).to_configuration() == RetinaConfiguration.read(file)
    retina.p.eye.period.set(0.3)
    assert retina.to_configuration().get(f"{GROUP}.period-mean__sec") == 0.3
    retina.parse_config(RetinaConfiguration())
    assert retina.eye is None and retina.to_configuration() == RetinaConfiguration()
    retina.parse_config({f"{GROUP}.amplitude-mean__deg": 0.1})
    assert retina.eye is not None
    assert retina.run(np.zeros((5, 20, 20)))[0].shape[3:] == (16, 16)


def test_an_impulse_response_is_that_of_an_eye_at_rest(file: Path) -> None:
    moving, still = Retina.from_xml(file, seed=1), Retina.from_xml(file, eye_movements=False)
    frames = torch.rand(60, 40, 50)
    before = moving.run(frames)[0]
    got, wanted = (model.impulse_response(50, (21, 23))[0] for model in (moving, still))
    torch.testing.assert_close(got, wanted, rtol=0, atol=0)
    assert before.shape[3:] == moving.run(frames)[0].shape[3:] == (20, 30), "it moves again"


def test_gradients_go_through_the_window() -> None:
    eye = EyeMovements(amplitude=0.1, period=0.002, seed=1)
    x = torch.rand(1, 2, 30, 12, 13, requires_grad=True)
    y = eye(x)
    assert y.shape == (1, 2, 30, 8, 9)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert float(gradient.sum()) == y.numel()
    assert eye(x[:, :, :0]).shape == (1, 2, 0, 8, 9)


def test_frames_too_small_and_other_sizes_are_refused(file: Path) -> None:
    with pytest.raises(StreamError, match="Frames of 20x30 pixels leave no window"):
        Retina.from_xml(file).run(np.zeros((5, 20, 30)))
    with pytest.raises(StreamError, match="jumps 10 deg"):  # the default of the files
        Retina({f"{GROUP}.period-mean__sec": 0.2}).run(np.zeros((5, 50, 50)))
    retina = Retina.from_xml(file)
    retina.run(np.zeros((5, 40, 40)))
    with pytest.raises(ConvisError, match="clear_state"):
        retina.run(np.zeros((5, 41, 40)))
