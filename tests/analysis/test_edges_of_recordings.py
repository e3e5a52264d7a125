"""Statistics at their edges: no frames, no spikes, odd windows, counts that are none; and the laws they keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convis_core import Resolution
from convis_core.analysis import (
    Tuning,
    fano_factor,
    firing_rate,
    interspike_intervals,
    interval_statistics,
    psth,
    spike_trains,
    sta,
)
from convis_core.errors import ParameterError

COUNTS = arrays.arrays(np.int64, st.integers(2, 60), elements=st.integers(0, 3))
RATE = Resolution(10.0, 200.0)


@pytest.mark.parametrize("measure", [psth, firing_rate, fano_factor])
@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 0.0, -0.01])
def test_a_window_that_is_none_is_refused(measure: Callable[..., Any], seconds: float) -> None:
    with pytest.raises(ParameterError):
        measure(np.ones(100), seconds)


@pytest.mark.parametrize("measure", [psth, firing_rate, fano_factor, spike_trains, interval_statistics])
def test_a_recording_without_frames_is_refused(measure: Callable[..., Any]) -> None:
    with pytest.raises(ParameterError, match="without frames has no spikes"):
        measure(np.zeros(0))


@pytest.mark.parametrize(
    "measure", [spike_trains, interspike_intervals, interval_statistics, psth, firing_rate, fano_factor]
)
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_counts_that_are_none_are_refused(measure: Callable[..., Any], value: float) -> None:
    with pytest.raises(ParameterError, match="Expected counts of spikes"):
        measure([0.0, value, 1.0])


@given(counts=COUNTS)
def test_intervals_and_counts_tell_of_the_same_spikes(counts: np.ndarray) -> None:
    (train,) = spike_trains(counts, resolution=RATE)
    found = interval_statistics(counts, resolution=RATE)
    assert len(train) == counts.sum() == found.spikes.item()
    assert found.rate.item() == pytest.approx(counts.sum() * 200.0 / len(counts))
    if len(train) > 1:  # the mean interval needs only the first and the last spike
        assert found.mean.item() == pytest.approx((train[-1] - train[0]) / (len(train) - 1))
    else:
        assert math.isnan(found.mean.item()) and math.isnan(found.cv.item())


@given(counts=COUNTS, slower=st.sampled_from([2.0, 5.0]))
def test_regularity_has_no_unit(counts: np.ndarray, slower: float) -> None:
    fast = interval_statistics(counts, resolution=RATE)
    slow = interval_statistics(counts, resolution=Resolution(10.0, 200.0 / slower))
    for name in ("cv", "cv2", "lv"):
        np.testing.assert_allclose(getattr(slow, name), getattr(fast, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slow.mean, slower * fast.mean, rtol=1e-9)
    np.testing.assert_allclose(slow.rate, fast.rate / slower, rtol=1e-9)


@given(counts=COUNTS, width=st.integers(1, 10))
def test_bins_hold_every_spike_of_their_frames(counts: np.ndarray, width: int) -> None:
    if width > len(counts):
        return
    found = psth(counts, width / 200.0, resolution=RATE)
    whole = len(counts) // width * width
    assert found.rate.sum() * width / 200.0 == pytest.approx(counts[:whole].sum())
    assert found.time[0] == pytest.approx(width / 400.0) and np.isnan(found.error).all()


@given(counts=COUNTS, factor=st.floats(0.1, 10.0), kernel=st.sampled_from(["gaussian", "exponential"]))
def test_a_rate_is_linear_in_its_spikes_and_never_beyond_them(counts: np.ndarray, factor: float, kernel: Any) -> None:
    rate = firing_rate(counts, 0.01, kernel, resolution=RATE)
    np.testing.assert_allclose(firing_rate(factor * counts, 0.01, kernel, resolution=RATE), factor * rate, atol=1e-9)
    assert rate.min() >= 200.0 * counts.min() - 1e-6 and rate.max() <= 200.0 * counts.max() + 1e-6


@given(counts=COUNTS)
def test_a_rate_that_looks_back_does_not_know_the_future(counts: np.ndarray) -> None:
    half = len(counts) // 2
    changed = np.concatenate([counts[:half], counts[half:] + 5])
    before = firing_rate(counts, 0.02, "exponential", resolution=RATE)[0, 0, :half]
    np.testing.assert_allclose(
        firing_rate(changed, 0.02, "exponential", resolution=RATE)[0, 0, :half], before, atol=1e-9
    )


def test_a_window_longer_than_the_past_of_a_spike_is_nan_where_nothing_was() -> None:
    stimulus = np.arange(1.0, 11.0)[:, None, None]
    spikes = np.zeros(10)
    spikes[2] = 1
    average = sta(stimulus, spikes, lags=15)[:, 0, 0]
    assert average[:3].tolist() == [3.0, 2.0, 1.0] and np.isnan(average[3:]).all()


@given(times=st.lists(st.integers(0, 29), min_size=1, max_size=5), offset=st.floats(-5, 5))
def test_the_average_moves_with_the_stimulus(times: list[int], offset: float) -> None:
    stimulus = np.random.default_rng(0).normal(size=(30, 2, 3))
    spikes = np.bincount(times, minlength=30).astype(float)
    average = sta(stimulus, spikes, lags=4)
    np.testing.assert_allclose(sta(stimulus + offset, spikes, lags=4), average + offset, atol=1e-5)
    np.testing.assert_allclose(sta(stimulus, 7 * spikes, lags=4), average, atol=1e-9)


@given(turn=st.integers(0, 15), responses=st.lists(st.floats(0.0, 100.0), min_size=16, max_size=16))
def test_a_turned_tuning_curve_prefers_a_turned_direction(turn: int, responses: list[float]) -> None:
    angles = np.arange(16) * 2 * math.pi / 16
    angle, strength = Tuning(angles, np.array(responses)).direction_index()
    turned, same = Tuning(angles, np.roll(responses, turn)).direction_index()
    assert same == pytest.approx(strength, abs=1e-9) and 0.0 <= strength <= 1.0 + 1e-9
    if strength > 1e-3:
        assert math.cos(turned - angle - turn * math.pi / 8) == pytest.approx(1.0, abs=1e-6)
