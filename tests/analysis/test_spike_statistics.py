"""Rates and intervals of spikes whose statistics are known: clocks and Poisson processes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core import Resolution
from convis_core.analysis import (
    fano_factor,
    firing_rate,
    interspike_intervals,
    interval_statistics,
    psth,
    spike_trains,
)
from convis_core.errors import ParameterError
from convis_core.filters.spiking import LeakyIntegrateAndFireNeuron, Poisson


def poisson(rate: Any, seed: int = 1) -> Any:
    return Poisson(seed=seed).run(rate)


def test_a_clock_is_regular() -> None:
    s = interval_statistics(np.arange(2000) % 25 == 0)
    for value, wanted in zip(s, (80, 40.0, 0.025, 0.0, 0.0, 0.0, 0.0), strict=True):
        assert value.shape == (1, 1, 1, 1) and value.item() == pytest.approx(wanted, abs=1e-9)


def test_poisson_spikes_have_unit_variation() -> None:
    spikes = poisson(np.full((20_000, 4, 4), 20.0))
    s = interval_statistics(spikes)
    for variation in (s.cv, s.cv2, s.lv):
        assert variation.mean() == pytest.approx(1.0, abs=0.04)
    assert s.rate.mean() == pytest.approx(20.0, rel=0.03)
    np.testing.assert_allclose(s.mean * s.rate, 1.0, rtol=0.02)
    assert fano_factor(spikes, window=0.2).mean() == pytest.approx(1.0, abs=0.06)


def test_a_slow_change_of_rate_raises_the_variation_but_not_its_local_variants() -> None:
    times = np.cumsum(np.where(np.arange(400) < 200, 10, 60))
    spikes = np.zeros(times[-1] + 1)
    spikes[times] = 1
    s = interval_statistics(spikes)
    assert s.cv.item() > 0.7 and s.cv2.item() < 0.01 and s.lv.item() < 0.01


def test_an_alternation_has_its_closed_form() -> None:
    times = np.cumsum(np.tile([10, 30], 100))
    spikes = np.zeros(times[-1] + 1)
    spikes[times] = 1
    s = interval_statistics(spikes)
    assert s.cv2.item() == pytest.approx(2 * 20 / 40) and s.lv.item() == pytest.approx(3 * (20 / 40) ** 2)


def test_silent_cells_have_no_intervals() -> None:
    s = interval_statistics(np.zeros((50, 1, 2)))
    assert s.spikes.sum() == s.rate.sum() == 0
    assert all(np.isnan(value).all() for value in (s.mean, s.deviation, s.cv, s.cv2, s.lv))
    one = interval_statistics([0.0, 1.0, 0.0, 1.0])
    assert one.mean.item() == pytest.approx(0.002) and np.isnan(one.cv.item())
    assert np.isnan(fano_factor(np.zeros(50), window=0.01)).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.sampled_from([100.0, 1000.0]))
def test_times_lie_in_their_frames_in_order(counts: list[int], rate: float) -> None:
    (times,) = spike_trains(np.array(counts, dtype=float), resolution=Resolution(10.0, rate))
    assert len(times) == sum(counts) and bool((np.diff(times) > 0).all())
    np.testing.assert_array_equal(np.bincount((times * rate).astype(int), minlength=len(counts)), counts)
    (gaps,) = interspike_intervals(np.array(counts, dtype=float), resolution=Resolution(10.0, rate))
    assert gaps.sum() == pytest.approx(times[-1] - times[0] if len(times) else 0.0)


@pytest.mark.parametrize("rate", [200.0, 1000.0])
def test_the_rate_is_in_hertz_whatever_the_frame_rate(rate: float) -> None:
    neuron = LeakyIntegrateAndFireNeuron(g_L=50.0, noise_sigma=0.0, resolution=Resolution(10.0, rate))
    output = neuron.run(np.full(round(4 * rate), 100.0))
    expected = 50.0 / math.log(2.0)
    assert interval_statistics(output).rate.item() == pytest.approx(expected, abs=0.3)
    assert psth(output, bin_width=0.5).rate.mean() == pytest.approx(expected, abs=0.3)
    assert firing_rate(output, 0.1).mean() == pytest.approx(expected, rel=0.01)


# Rates as functions of time ----------------------------------------------------------------------


def test_histogram_has_the_mean_and_error_of_trials() -> None:
    profile = np.where(np.arange(200) < 100, 20.0, 80.0)
    trials = poisson(np.broadcast_to(profile[None, None, :, None, None], (200, 1, 200, 1, 1)))
    time, rate, error = psth(trials, bin_width=0.05)
    np.testing.assert_allclose(time, [0.025, 0.075, 0.125, 0.175])
    wanted = np.array([20.0, 20.0, 80.0, 80.0])
    np.testing.assert_allclose(error.ravel(), np.sqrt(wanted / 0.05 / 200), rtol=0.15)
    assert bool((np.abs(rate.ravel() - wanted) < 4 * error.ravel()).all())


def test_histogram_keeps_the_number_of_spikes_and_the_cells() -> None:
    spikes = poisson(np.full((3, 2, 90, 4, 5), 60.0))
    time, rate, error = psth(spikes, bin_width=0.03)
    assert rate.shape == error.shape == (2, 3, 4, 5) and len(time) == 3
    assert rate.sum() * 0.03 * 3 == pytest.approx(spikes.array().sum())
    assert np.isnan(psth(np.ones(10), bin_width=0.002).error).all()


@pytest.mark.parametrize("kernel", ["gaussian", "exponential"])
def test_a_constant_rate_is_right_up_to_the_ends(kernel: Any) -> None:
    np.testing.assert_allclose(firing_rate(np.full((80, 2, 2), 0.05), 0.03, kernel), 50.0, rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(width=st.floats(0.001, 0.02), frame=st.integers(100, 150))
def test_a_single_spike_becomes_the_kernel(width: float, frame: int) -> None:
    spike = (np.arange(300) == frame).astype(float)
    late = firing_rate(spike, width, "exponential").ravel()
    assert not late[:frame].any() and late[frame] == late.max()
    np.testing.assert_allclose(late[frame + 1] / late[frame], math.exp(-0.001 / width), rtol=1e-3)
    even = firing_rate(spike, width).ravel()
    np.testing.assert_allclose(even[frame - 90 : frame], even[frame + 1 : frame + 91][::-1], atol=0.02 * even.max())
    assert even.sum() * 0.001 == pytest.approx(1.0, rel=0.02)


def test_widths_and_bins_are_checked() -> None:
    for wrong in (0.0001, 2.0):
        with pytest.raises(ParameterError, match="must be 1 to 100"):
            psth(np.zeros(100), bin_width=wrong)
    with pytest.raises(ParameterError, match="above 0 s"):
        firing_rate(np.zeros(10), 0.0)
    with pytest.raises(ParameterError, match="'boxcar'"):
        firing_rate(np.zeros(10), 0.1, "boxcar")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="two windows"):
        fano_factor(np.zeros(100), window=0.08)
