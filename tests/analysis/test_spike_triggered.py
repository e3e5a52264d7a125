"""Spike-triggered average and covariance against stored numbers, loops written out, and cells that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core import filters
from convis_core.analysis import sta, stc, whitened_sta
from convis_core.errors import ParameterError, ShapeError


def noise(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(scope="module")
def stored(shared: Path) -> Any:
    with np.load(shared / "reference/convis/analysis_sta_stc.npz") as data:
        return dict(data)


def around(spikes: Any, size: int, shape: tuple[int, int]) -> Any:
    """Put cells in the middle of windows that the original lets begin at them."""
    wide = np.zeros((spikes.shape[0], *shape))
    before = (size - 1) // 2
    wide[:, before : before + spikes.shape[1], before : before + spikes.shape[2]] = spikes
    return wide


def test_stored_average_is_ours_of_time_run_backwards(stored: Any) -> None:
    """The original looks at the stimulus after a spike, and counts spikes whose window it has cut off."""
    stimulus, spikes = stored["stim"][::-1], stored["spikes"][::-1]
    whole = np.cumsum(np.ones(300)) >= 10
    complete = around(spikes & whole[:, None, None], 3, (6, 7))
    expected = stored["sta_10x3x3"] * spikes.sum() / complete.sum()
    np.testing.assert_allclose(sta(stimulus, complete, 10, (3, 3)), expected, atol=1e-12)


def test_stored_second_moment_is_ours_with_the_mean_put_back(stored: Any) -> None:
    """The original does not take the mean off."""
    stimulus, spikes = stored["stim"][::-1], stored["spikes"][::-1]
    wide = around(spikes, 2, (6, 7))
    covariance = stc(stimulus, wide, 3, (2, 2))
    number = spikes[2:].sum()
    whole = wide * (np.arange(300) >= 2)[:, None, None]
    mean = sta(stimulus, whole, 3, (2, 2)).ravel()
    moment = covariance * (number - 1) / number + np.outer(mean, mean)
    ours, theirs = (np.sort(np.linalg.eigvalsh(m)) for m in (moment, stored["stc_3x2x2"]))
    np.testing.assert_allclose(ours * number / spikes.sum(), theirs, rtol=0.02)


@pytest.mark.parametrize("lag", [0, 4])
def test_the_window_lies_before_the_spike(lag: int) -> None:
    """The original finds nothing at 4 frames before, and all at 4 frames after."""
    stimulus = noise(20_000, 1, 1)
    spikes = np.roll(stimulus > 1, lag, axis=0)
    average = sta(stimulus, spikes, lags=8).ravel()
    assert average[lag] == pytest.approx(1.525, abs=0.05)  # mean of a normal number above 1
    assert np.abs(np.delete(average, lag)).max() < 0.08
    assert np.abs(sta(stimulus, np.roll(stimulus > 1, -3, axis=0), lags=8)).max() < 0.08


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 999), lags=st.integers(1, 5), height=st.integers(1, 4), width=st.integers(1, 4))
def test_average_equals_the_sum_written_out(seed: int, lags: int, height: int, width: int) -> None:
    stimulus, spikes = noise(9, 4, 5, seed=seed), np.random.default_rng(seed).poisson(0.5, (9, 4, 5))
    spikes[0, 0, 0] += 1
    total, number = np.zeros((lags, height, width)), np.zeros((lags, height, width))
    for t, x, y in np.argwhere(spikes):
        for k, i, j in np.ndindex(lags, height, width):
            at = t - k, x + i - (height - 1) // 2, y + j - (width - 1) // 2
            if min(at) >= 0 and at[1] < 4 and at[2] < 5:
                total[k, i, j] += spikes[t, x, y] * stimulus[at]
                number[k, i, j] += spikes[t, x, y]
    expected = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    np.testing.assert_allclose(sta(stimulus, spikes, lags, (height, width)), expected, atol=1e-12)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 999), lags=st.integers(1, 4), patch=st.booleans())
def test_covariance_equals_that_of_the_windows(seed: int, lags: int, patch: bool) -> None:
    stimulus = noise(30, 4, 5, seed=seed)
    spikes = np.random.default_rng(seed).poisson(1.0, (30, 4, 5) if patch else 30)
    rows = []
    for t, *cell in np.argwhere(spikes):
        x, y = cell if patch else (0, 0)
        height, width = (2, 3) if patch else (4, 5)
        low_x, low_y = (x, y - 1) if patch else (0, 0)
        if t >= lags - 1 and low_x + height <= 4 and low_y >= 0 and low_y + width <= 5:
            window = stimulus[t - lags + 1 : t + 1, low_x : low_x + height, low_y : low_y + width][::-1].ravel()
            rows += [window] * int(spikes[(t, x, y) if patch else t])
    got = stc(stimulus, spikes, lags, (2, 3) if patch else None)
    np.testing.assert_allclose(got, np.cov(np.array(rows).T).reshape(got.shape), atol=1e-10)


def test_average_is_the_kernel_of_a_linear_nonlinear_cell() -> None:
    kernel = noise(5, 3, 4, seed=3)
    cell = filters.Conv3d(kernel_dim=(5, 3, 4), bias=False)
    cell.set_weight(kernel)
    stimulus = noise(3000, 8, 9, seed=4)
    spikes = cell.run(stimulus).array()[0, 0] > 6
    pattern = np.asarray(sta(stimulus, spikes, 5, (4, 5)))
    turned = np.zeros((5, 4, 5))
    best = 0.0
    for i, j in np.ndindex(2, 2):  # kernels of even size have their middle on either side
        turned[:] = 0
        turned[:, i : i + 3, j : j + 4] = kernel[:, ::-1, ::-1]
        best = max(best, float(np.corrcoef(turned.ravel(), pattern.ravel())[0, 1]))
    assert best > 0.99


def test_covariance_finds_what_the_average_cannot() -> None:
    direction = np.array([0.6, 0.0, 0.8])
    stimulus = noise(40_000, 1, 1, seed=5)
    drive = np.convolve(stimulus.ravel(), direction)[: stimulus.size]
    spikes = np.abs(drive) > 1.5  # either sign
    assert np.abs(sta(stimulus, spikes, 3)).max() < 0.06
    values, vectors = np.linalg.eigh(stc(stimulus, spikes, 3))
    assert values[2] > 3 > 1.1 > values[1] and abs(vectors[:, 2] @ direction) > 0.999


def test_trials_count_together() -> None:
    stimulus, spikes = noise(2, 1, 50, 3, 3), np.random.default_rng(2).poisson(0.3, (2, 1, 50, 1, 1))
    both = sta(stimulus, spikes, 1)
    parts = [sta(stimulus[k : k + 1], spikes[k : k + 1], 1) * spikes[k].sum() for k in (0, 1)]
    np.testing.assert_allclose(both, (parts[0] + parts[1]) / spikes.sum())


@pytest.mark.parametrize(
    ("stimulus", "spikes", "options", "error", "says"),
    [
        ((50, 4, 4), (49,), {}, ShapeError, "50 frames in 1 trials, the spikes 49"),
        ((50, 4, 4), (50, 4, 4), {}, ShapeError, r"4x4 cells.*spikes\[:, x, y\]"),
        ((50, 4, 4), (50, 3, 3), {"size": (3, 3)}, ShapeError, "3x3 cells and 4x4 pixels"),
        ((1, 2, 50, 4, 4), (50,), {}, ShapeError, "stimulus should have one channel, got 2"),
        ((50, 4, 4), (50,), {"lags": 0}, ParameterError, "at least one frame"),
        ((50, 4, 4), (50, 4, 4), {"size": (0, 3)}, ParameterError, "at least one frame and pixel"),
    ],
)
def test_what_does_not_fit_is_named(stimulus: Any, spikes: Any, options: Any, error: Any, says: str) -> None:
    for function in (sta, stc):
        with pytest.raises(error, match=says):
            function(np.ones(stimulus), np.ones(spikes), **options)


@pytest.mark.parametrize("function", [sta, stc, whitened_sta])
def test_a_stimulus_that_is_no_number_is_refused(function: Any) -> None:
    """Its average would be NaN in silence."""
    film = np.ones((50, 4, 4))
    film[7, 1, 2] = np.nan
    with pytest.raises(ShapeError, match="stimulus has 1 values that are NaN or infinite, the first in frame 7"):
        function(film, np.ones(50), 3)


def test_no_spikes_have_no_average() -> None:
    with pytest.raises(ParameterError, match="at least one"):
        sta(np.ones((20, 2, 2)), np.zeros(20))
    with pytest.raises(ParameterError, match="it takes two"):
        stc(np.ones((20, 2, 2)), np.arange(20) == 10, 3)
    with pytest.raises(ParameterError, match="No spike has a whole window"):
        stc(np.ones((5, 2, 2)), np.ones(5), 9)
    with pytest.raises(ParameterError, match="30x20x20 has 12000 numbers"):
        stc(np.ones((50, 20, 20)), np.ones(50), 30)
