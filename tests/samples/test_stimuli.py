"""Stimuli against stored reference numbers and against what their units promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convis_core import samples
from convis_core.errors import ParameterError
from convis_core.resolution import Resolution, use_resolution

STIMULI: tuple[Callable[..., NDArray[np.float32]], ...] = (
    samples.moving_grating,
    samples.drifting_grating,
    samples.moving_bar,
    samples.random_checker_stimulus,
    samples.sparse_input,
    samples.pulse,
    samples.natural_movie,
)


@pytest.fixture(scope="module")
def reference(shared: Path) -> Mapping[str, NDArray[Any]]:
    return dict(np.load(shared / "reference" / "convis" / "samples.npz"))


@pytest.mark.parametrize("stimulus", STIMULI)
def test_every_stimulus_is_a_plain_array_of_the_shape_asked_for(stimulus: Callable[..., NDArray[np.float32]]) -> None:
    clip = stimulus(30, 8, 11)
    assert type(clip) is np.ndarray and clip.dtype == np.float32 and clip.shape == (30, 8, 11)
    assert clip.flags.owndata and clip.flags.writeable and np.isfinite(clip).all()
    assert torch.from_numpy(20.0 * clip).dtype == torch.float32  # as in the quickstart
    assert np.array_equal(clip, stimulus(30, 8, 11))  # the default seed is a seed


@pytest.mark.parametrize("stimulus", STIMULI)
@pytest.mark.parametrize("size", [(0, 5, 5), (5, -1, 5), (5, 5, 2.5), ("5", 5, 5)])
def test_every_stimulus_refuses_sizes_that_are_none(stimulus: Callable[..., Any], size: tuple[Any, ...]) -> None:
    with pytest.raises(ParameterError, match="Expected"):
        stimulus(*size)


def test_names_of_the_quickstart() -> None:
    assert samples.moving_bars is samples.moving_bar
    assert samples.moving_bars(2000).shape == samples.moving_grating().shape == (2000, 20, 20)


def test_moving_grating_agrees_with_the_reference(reference: Mapping[str, NDArray[Any]]) -> None:
    default = samples.moving_grating(40, 6, 7)
    np.testing.assert_allclose(default, reference["moving_grating_default_40x6x7"], atol=1e-6)
    other = samples.moving_grating(40, 6, 7, vt=0.05, vx=-1, vy=4)
    np.testing.assert_allclose(other, reference["moving_grating_vt0.05_vx-1_vy4"], atol=1e-6)


def test_checkers_agree_with_the_reference(reference: Mapping[str, NDArray[Any]]) -> None:
    checkers = samples.random_checker_stimulus(6, 12, 13, checker_size=5, seed=0)
    np.testing.assert_allclose(checkers, reference["random_checker_npseed0_6x12x13_size5"], atol=1e-7)
    assert not np.array_equal(checkers, samples.random_checker_stimulus(6, 12, 13, seed=1))


def test_sparse_input_agrees_with_the_reference(reference: Mapping[str, NDArray[Any]]) -> None:
    sparse = samples.sparse_input(10, 4, 5, frequency=300.0, seed=0)  # 0.3 a step of 1 ms
    np.testing.assert_array_equal(sparse, reference["sparse_npseed0_10x4x5_p0.3"])


def test_pulse_agrees_with_the_reference(reference: Mapping[str, NDArray[Any]]) -> None:
    flashes = samples.pulse(50, 1, 1, length=0.007)[:, 0, 0]
    np.testing.assert_array_equal(flashes, reference["pulse_len7"])


@pytest.mark.parametrize(("key", "direction", "pixels_per_unit"), [("0.000", 0.0, 6.0), ("1.571", math.pi / 2, 6.75)])
def test_bar_moves_like_the_reference(
    reference: Mapping[str, NDArray[Any]], key: str, direction: float, pixels_per_unit: float
) -> None:
    """The reference rounds to the cells of a finer grid, with a slope of 0.4 a cell, and starts a little later."""
    stored = reference[f"moving_bar_dir{key}"][:45]
    fine = Resolution(10.0, 20_000.0)  # twenty times finer in time, to find where the reference starts
    bars = samples.moving_bar(
        20 * 60, 8, 9, direction, width=0.1, blur=1 / 60, speed=150 / 149 / pixels_per_unit * 100, resolution=fine
    )
    errors = [np.abs(bars[start::20][:45] - stored) for start in range(0, 200)]
    assert min(error.max() for error in errors) < 0.35
    assert min(error.mean() for error in errors) < 0.017


@settings(deadline=None, max_examples=40)
@given(
    temporal=st.floats(0.5, 50.0),
    spatial=st.floats(0.1, 3.0),
    direction=st.floats(0.0, 6.28),
    ppd=st.sampled_from([5.0, 10.0, 20.0]),
    rate=st.sampled_from([200.0, 1000.0]),
)
def test_drifting_grating_has_its_frequencies(
    temporal: float, spatial: float, direction: float, ppd: float, rate: float
) -> None:
    grating = samples.drifting_grating(
        30, 5, 7, temporal_frequency=temporal, spatial_frequency=spatial, direction=direction,
        resolution=Resolution(ppd, rate),
    )  # fmt: skip
    # After a time, the pattern has moved by speed x time along the direction: right and up.
    row, column, step = np.meshgrid(np.arange(5), np.arange(7), np.arange(30), indexing="ij")
    along = ((column - 3) * math.cos(direction) - (row - 2) * math.sin(direction)) / ppd
    expected = np.sin(2 * math.pi * spatial * (along - temporal / spatial * step / rate))
    np.testing.assert_allclose(grating, np.moveaxis(expected, 2, 0), atol=1e-4)


@pytest.mark.parametrize("direction", [0.0, math.pi / 2, math.pi, -math.pi / 4])
def test_bar_moves_at_its_speed_in_its_direction(direction: float) -> None:
    resolution = Resolution(20.0, 500.0)
    bars = samples.moving_bar(400, 60, 60, direction, width=0.5, speed=4.0, resolution=resolution)
    rows, columns = np.mgrid[:60, :60]
    along = (columns - 29.5) * math.cos(direction) - (rows - 29.5) * math.sin(direction)
    middle = np.abs((columns - 29.5) * math.sin(direction) + (rows - 29.5) * math.cos(direction)) < 5
    times = np.arange(120, 260)
    weights = bars[times] * middle
    centre = (weights * along).sum((1, 2)) / weights.sum((1, 2))
    speed = np.polyfit(times / 500.0, centre / 20.0, 1)[0]
    assert speed == pytest.approx(4.0, rel=0.01)


def test_bar_has_its_width_and_softness_and_comes_again() -> None:
    sharp = samples.moving_bar(700, 4, 40, width=0.4, speed=10.0, blur=0.0)
    assert set(np.unique(sharp)) == {0.0, 1.0}
    assert np.all(sharp[100:300].sum(2) == pytest.approx(4, abs=1e-5))  # 0.4 deg of 10 pixels each
    assert np.array_equal(sharp[0:250], sharp[440:690])  # 40 pixels and the bar itself at 0.1 pixels a step
    soft = samples.moving_bar(700, 4, 40, width=0.4, speed=10.0, blur=0.1)
    assert np.all(soft[100:300].sum(2) == pytest.approx(4.0, abs=1e-3))
    assert soft[200].max() < 1.0
    train = samples.moving_bar(400, 4, 40, width=0.1, speed=10.0, interval=0.1)
    assert np.all(train[360:, 0].sum(1) == pytest.approx(4.0, abs=0.05))  # a bar every 10 of 40 pixels


def test_durations_follow_the_resolution() -> None:
    with use_resolution(Resolution(10.0, 200.0)):
        flashes = samples.pulse(100, 2, 2, length=0.1)[:, 0, 0]
        sparse = samples.sparse_input(4000, 10, 10, frequency=20.0)
    assert flashes.tolist() == ([1.0] * 20 + [0.0] * 20) * 2 + [1.0] * 20
    assert sparse.mean() == pytest.approx(0.1, rel=0.02) and set(np.unique(sparse)) == {0.0, 1.0}


def test_checkers_are_squares_uniform_and_new_in_each_frame() -> None:
    checkers = samples.random_checker_stimulus(500, 12, 10, checker_size=4)
    squares = checkers[:, ::4, ::4]
    assert np.array_equal(checkers, squares.repeat(4, 1).repeat(4, 2)[:, :12, :10])
    assert squares.mean() == pytest.approx(0.5, abs=0.01) and squares.std() == pytest.approx(12**-0.5, abs=0.01)
    assert abs(np.corrcoef(squares[1:].ravel(), squares[:-1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: samples.sparse_input(frequency=2000.0), "frequency between 0 and 1000 Hz"),
        (lambda: samples.sparse_input(seed=-1), "seed from 0"),
        (lambda: samples.random_checker_stimulus(checker_size=0), "Expected"),
        (lambda: samples.pulse(length=0.0001), "shorter than one step"),
        (lambda: samples.pulse(contrast=float("nan")), "finite number for contrast"),
        (lambda: samples.moving_bar(width=-1.0), "width between 0"),
        (lambda: samples.moving_bar(interval=0.0), "interval"),
        (lambda: samples.moving_grating(vt=float("inf")), "finite number for vt"),
        (lambda: samples.drifting_grating(direction="up"), "direction"),  # type: ignore[arg-type]
        (lambda: samples.natural_movie(seed=1.5), "seed"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_refused_with_its_unit(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call()
