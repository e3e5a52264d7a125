"""Metrics against values worked by hand and against what they mean."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from convis_core.errors import ConvisError
from convis_core.loops.metrics import bits_per_spike, correlation, explained_variance, poisson_deviance, r_squared


def test_worked_values() -> None:
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert r_squared([1, 2, 2], [1, 2, 3]) == pytest.approx(0.5)
    assert poisson_deviance([1, 1], [2, 0]) == pytest.approx(4 * math.log(2))
    assert bits_per_spike([1, 0.5, 0.5], [2, 0, 0]) == pytest.approx(math.log2(1.5))


def test_a_signal_that_does_not_vary_has_no_correlation() -> None:
    assert math.isnan(correlation([1, 1, 1], [1, 2, 3]))
    assert math.isnan(r_squared([1, 2], [3, 3]))


def test_the_noise_ceiling_is_one_for_the_true_rate() -> None:
    rng = np.random.default_rng(0)
    signal = np.sin(np.arange(4000) / 7)
    trials = signal + rng.standard_normal((5, 4000)) * 2
    assert explained_variance(signal, trials) == pytest.approx(1.0, abs=0.03)
    assert explained_variance(signal * 0, trials) == pytest.approx(0.0, abs=0.03)
    assert r_squared(signal, trials[0]) < 0.2  # what a ceiling corrects for


def test_the_deviance_tells_bits_from_a_constant_rate() -> None:
    """Twice the log-likelihood ratio is the difference of two deviances."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(2.0, 0.5, 500)
    counts = rng.poisson(rate)
    constant = np.full(500, counts.mean())
    gain = (poisson_deviance(constant, counts) - poisson_deviance(rate, counts)) / (2 * math.log(2) * counts.sum())
    assert bits_per_spike(rate, counts) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("metric", "prediction", "measured", "says"),
    [
        (correlation, [1, 2], [1, 2, 3], "differ in shape"),
        (bits_per_spike, [1, 2], [0, 0], "no spike"),
        (poisson_deviance, [-1, 2], [0, 1], "cannot be negative"),
        (poisson_deviance, [math.nan, 2], [0, 1], "NaN or infinite"),
        (bits_per_spike, [1, math.nan], [0, 1], "NaN or infinite"),
        (bits_per_spike, [1, 2], [math.nan, 1], "NaN or infinite"),
        (bits_per_spike, [1, math.inf], [1, 1], "NaN or infinite"),
        (partial(bits_per_spike, baseline=0.0), [1, 2], [1, 1], "baseline must be a finite rate"),
        (partial(bits_per_spike, baseline=math.nan), [1, 2], [1, 1], "baseline must be a finite rate"),
        (explained_variance, [1, 2], [1, 2], "at least 2 trials"),
    ],
)
def test_what_cannot_be_scored_is_refused(metric: object, prediction: object, measured: object, says: str) -> None:
    with pytest.raises(ConvisError, match=says):
        metric(prediction, measured)  # type: ignore[operator]
