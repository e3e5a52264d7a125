"""Sensors of change: what they count is how far the input has moved, and nothing that stands still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core import Resolution
from convis_core.errors import ParameterError, ShapeError
from convis_core.filters.spiking import EventCamera, IntegrativeMotionSensor
from convis_core.ops.change_events import change_events

IDEAL = {"threshold_mismatch": 0.0, "noise_rate": 0.0, "leak_rate": 0.0, "refractory": 0.0, "cutoff": 1e5}


def walk(seed: int, dtype: torch.dtype = torch.float64, size: float = 0.3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return size * torch.randn(2, 1, 50, 3, 4, dtype=dtype, generator=generator).cumsum(dim=2)


def report(signal: Tensor, **options: Any) -> tuple[Tensor, Tensor, Tensor]:
    start = signal[:, :, 0]
    return change_events(signal, start, 0 * start, **{"on": 0.2, "off": 0.25, "step": 0.001, **options})


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), compiled=st.booleans())
def test_the_level_follows_by_thresholds_and_is_never_further_than_one(seed: int, compiled: bool) -> None:
    signal = walk(seed)
    events, level, _ = report(signal, compiled=compiled)
    told = signal[:, 0, :1] + (0.2 * events[:, 0] - 0.25 * events[:, 1]).cumsum(dim=1)
    apart = signal[:, 0] - told
    assert bool((apart <= 0.2 + 1e-9).all()) and bool((apart >= -0.25 - 1e-9).all())
    torch.testing.assert_close(told[:, -1], level[:, 0])
    assert not bool((events[:, 0] * events[:, 1]).any())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("options", [{}, {"refractory": 0.0023}, {"refractory": 0.0004, "drift": 3.0}])
def test_compiled_and_plain_loops_agree(dtype: torch.dtype, options: dict[str, float]) -> None:
    signal = walk(3, dtype)
    fast, plain = report(signal, **options), report(signal, compiled=False, **options)
    assert fast[0].sum() > 100
    for a, b in zip(fast, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_pixel_rests_after_an_event_and_then_starts_afresh(compiled: bool) -> None:
    steps = torch.tensor([0.0, 1.0, 5.0, 5.0, 5.0, 5.5])[None, None, :, None, None]
    events, level, dead = report(steps, on=0.4, refractory=0.003, compiled=compiled)
    assert events[0, 0].flatten().tolist() == [0, 1, 0, 0, 0, 1]  # what happened meanwhile is not reported
    assert float(level) == pytest.approx(5.4) and float(dead) == pytest.approx(0.002)


@pytest.mark.parametrize("options", [{"on": 0.0}, {"off": -1.0}, {"refractory": -1.0}, {"step": 0.0}])
def test_thresholds_and_times_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="above 0"):
        report(walk(1), **options)


def test_shapes_are_checked() -> None:
    signal = walk(1)
    with pytest.raises(ShapeError, match=r"\[batch, 1, time, x, y\], got \[2, 2, 50, 3, 4\]"):
        report(signal.repeat(1, 2, 1, 1, 1))
    with pytest.raises(ShapeError, match="float32"):
        change_events(signal, signal[:, :, 0].float(), signal[:, :, 0], on=1.0, off=1.0, step=0.1)


# The layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["linear", "log"])
def test_constant_input_is_not_reported(mode: Any) -> None:
    """The original integrates the input itself, so that a constant 0.5 fires every second frame for ever."""
    for value in (0.0, 0.5, 100.0):
        assert not IntegrativeMotionSensor(mode, threshold=0.1).run(np.full((50, 2, 2), value)).array().any()


def test_stored_events_of_the_integral(shared: Path) -> None:
    """The original integrates its input, so that its events are ours for the running sum.

    That holds for its first pixel, and for a single one; an event there moves other pixels too.
    """
    with np.load(shared / "reference/convis/spiking_integrative_motion_sensor.npz") as stored:
        clip, wanted = stored["input_linear"][:, 0, 0], stored["output_linear_thr1"][0, :, :, 0, 0]
        constant = stored["output_linear_thr1_constant0.5"][0, 0, :, 0, 0]
    summed = np.concatenate([[0.0], np.cumsum(clip)])
    got = IntegrativeMotionSensor(threshold=1.0).run(summed).array()[0, :, 1:, 0, 0]
    np.testing.assert_array_equal(got, wanted)
    ramp = IntegrativeMotionSensor(threshold=1.0).run(np.arange(21) * 0.5).array()[0, 0, 1:, 0, 0]
    np.testing.assert_array_equal(ramp, constant)


@pytest.mark.parametrize("rate", [200.0, 1000.0, 20_000.0])
def test_the_number_of_events_is_that_of_thresholds_crossed(rate: float) -> None:
    time = np.arange(0.0, 0.5, 1 / rate)
    resolution = Resolution(10.0, rate)
    there = 1.0 + 0.97 * np.minimum(time / 0.2, 1.0) - 0.5 * np.clip((time - 0.25) / 0.2, 0.0, 1.0)
    on, off = IntegrativeMotionSensor(threshold=0.1, resolution=resolution).run(there).array().sum(axis=(0, 2, 3, 4))
    assert (on, off) == (9, 4)  # up from 1 to 1.97, then down from the level 1.9 to 1.47
    log = IntegrativeMotionSensor("log", threshold=np.log(1.2), resolution=resolution)
    on, off = log.run(1.2 ** (20 * time)).array().sum(axis=(0, 2, 3, 4))
    assert (on, off) == (9, 0)  # 1.2^(20 * 0.5) is approached, not reached


@pytest.mark.parametrize("factor", [0.1, 1.0, 40.0])
def test_relative_change_does_not_depend_on_the_light(factor: float) -> None:
    film = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.2, (100, 4, 4)), axis=0))
    for make in (lambda: IntegrativeMotionSensor("log", darkest=1e-9), lambda: EventCamera(**IDEAL, darkest=1e-9)):
        bright, dim = (make().double().run(scale * film).array() for scale in (1.0, factor))
        assert np.mean(bright != dim) < 1e-3 and bright.sum() > 100


def test_an_ideal_camera_is_a_log_motion_sensor() -> None:
    film = np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.1, (60, 5, 5)), axis=0))
    camera, sensor = EventCamera(**IDEAL).double(), IntegrativeMotionSensor("log", threshold=0.2).double()
    np.testing.assert_array_equal(camera.run(film).array(), sensor.run(film).array())


def test_a_camera_in_the_dark_makes_the_stated_events() -> None:
    seconds, pixels = 20, 20 * 20
    still = np.ones((seconds * 200, 20, 20))
    dark = {**IDEAL, "refractory": 0.0}
    leaking = EventCamera(**{**dark, "leak_rate": 0.5}, resolution=Resolution(10, 200)).double().run(still).array()
    assert leaking[0, 0].sum() == pytest.approx(0.5 * seconds * pixels, rel=0.11) and not leaking[0, 1].any()
    noisy = EventCamera(**{**dark, "noise_rate": 2.0}, seed=3, resolution=Resolution(10, 200)).run(still).array()
    expected = 2.0 * seconds * pixels
    for polarity in (0, 1):
        assert abs(noisy[0, polarity].sum() - expected) < 5 * np.sqrt(expected)


def test_a_slow_photoreceptor_delays_and_smooths() -> None:
    step = np.where(np.arange(400) < 100, 1.0, np.e**2.05)
    for cutoff in (2.0, 20.0):
        events = EventCamera(**{**IDEAL, "cutoff": cutoff}).run(step).array()[0, 0].ravel()
        half = np.flatnonzero(np.cumsum(events) >= 5)[0] - 99  # frames until 1.0 of 2.05 is passed
        assert half == pytest.approx(1000 * np.log(2.05 / 1.05) / (2 * np.pi * cutoff), abs=1.5)


def test_thresholds_differ_between_pixels_but_not_between_frames() -> None:
    ramp = np.exp(np.linspace(0, 20, 2000))[:, None, None] * np.ones((1, 30, 30))
    options = {**IDEAL, "threshold_mismatch": 0.02}
    counts = EventCamera(**options, seed=5).run(ramp, dt=300).array()[0, 0].sum(axis=0)
    assert (20 / counts).std() == pytest.approx(0.02, rel=0.15) and (20 / counts).mean() == pytest.approx(0.2, rel=0.02)
    again = EventCamera(**options, seed=5).run(ramp).array()[0, 0].sum(axis=0)
    np.testing.assert_array_equal(counts, again)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ParameterError, match="'linear' or 'log'"):
        IntegrativeMotionSensor("square")  # type: ignore[arg-type]
