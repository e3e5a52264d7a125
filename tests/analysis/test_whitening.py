"""Whitening gives the covariance of the windows, and takes the stimulus's correlations out of the average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.analysis import sta, whitened_sta
from convis_core.analysis.whitening import stimulus_covariance
from convis_core.errors import ParameterError


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 999), lags=st.integers(1, 6), trials=st.integers(1, 3))
def test_covariance_is_that_of_all_windows(seed: int, lags: int, trials: int) -> None:
    film = np.random.default_rng(seed).normal(size=(trials, 1, 9, 2, 3)) + 2.0
    mean = film.mean(axis=(0, 1, 2)).ravel()
    rows = [
        (film[trial, 0, t - lags + 1 : t + 1][::-1].reshape(lags, -1) - mean).ravel()
        for trial in range(trials)
        for t in range(lags - 1, 9)
    ]
    got, got_mean = stimulus_covariance(film, lags)
    np.testing.assert_allclose(got_mean, mean)
    np.testing.assert_allclose(got, np.mean([np.outer(row, row) for row in rows], axis=0), atol=1e-12)


def test_correlations_of_the_stimulus_do_not_blur_the_filter() -> None:
    rng = np.random.default_rng(3)
    film = rng.normal(size=(60_000, 1, 5))
    for t in range(1, len(film)):
        film[t] += 0.7 * film[t - 1]
    film = film + 0.8 * np.roll(film, 1, axis=2)
    truth = rng.normal(size=(4, 1, 5))
    drive = sum(np.roll(film, lag, axis=0)[:, 0] @ truth[lag, 0] for lag in range(4))
    spikes = rng.poisson(np.exp(drive / drive.std() - 1))
    found, plain = whitened_sta(film, spikes, lags=4, ridge=0.0), sta(film, spikes, lags=4)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99
    assert np.corrcoef(plain.ravel(), truth.ravel())[0, 1] < 0.9


def test_what_does_not_vary_is_told() -> None:
    film = np.random.default_rng(0).normal(size=(100, 1, 1)) * np.ones((1, 1, 2))
    spikes = np.arange(100) % 3 == 0
    assert np.isfinite(whitened_sta(film, spikes, 2)).all()
    with pytest.raises(ParameterError, match="does not vary"):
        whitened_sta(np.ones((100, 2, 2)), spikes, 2)
    with pytest.raises(ParameterError, match="at least 0"):
        whitened_sta(film, spikes, 2, ridge=-1.0)
    with pytest.raises(ParameterError, match="longer than the stimulus"):
        whitened_sta(film, spikes, 101)
    with pytest.raises(ParameterError, match="8000 numbers"):
        whitened_sta(np.ones((100, 20, 20)), spikes, 20)
