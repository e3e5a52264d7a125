"""Recursive filters in time: closed forms, and stored runs but for the gain that these got wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import ParameterError
from convis_core.filters import (
    ExponentialCascadeFilter,
    TemporalHighPassFilterRecursive,
    TemporalLowPassFilterRecursive,
)

RATES = (200, 1000)
CLIPS = ("random", "impulse", "step", "impulse0")
TAUS = {0.01: 0.5, 0.1: 0.8, 0.004: 1.0}


def stored(shared: Path, name: str, rate: int) -> Any:
    return np.load(shared / "reference" / "convis" / f"{name}_{rate}sps.npz")


def stored_gain(tau: float, rate: float) -> float:
    """(x / 2) coth(x / 2) with x the step over tau: the gain for constant light that should have been 1."""
    x = 1 / (tau * rate)
    return x / 2 / math.tanh(x / 2)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("clip", CLIPS)
def test_stored_low_pass_but_for_its_gain(shared: Path, rate: int, tau: float, clip: str) -> None:
    data = stored(shared, "temporal_lowpass", rate)
    x, wanted = data[f"input_{clip}"], data[f"output_tau{tau}_{clip}_whole"][0, 0]
    layer = TemporalLowPassFilterRecursive(tau=tau, resolution=Resolution(10.0, rate))
    layer.last = torch.zeros(1, 1, *x.shape[1:])  # the stored runs begin in the dark
    got = layer.run(x, dt=37).array()[0, 0] * stored_gain(tau, rate)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("clip", ["impulse", "step"])
def test_stored_high_pass_but_for_the_gain_of_its_slow_part(shared: Path, rate: int, tau: float, clip: str) -> None:
    """Clips that begin in the dark: the stored filter counts the first frame of all twice."""
    data = stored(shared, "temporal_highpass", rate)
    x, k = data[f"input_{clip}"], float(data["k"][list(data["tau"]).index(tau)])
    layer = TemporalHighPassFilterRecursive(tau=tau, k=k, resolution=Resolution(10.0, rate))
    slow = (x - layer.run(x, dt=37).array()[0, 0]) * stored_gain(tau, rate)
    wanted = data[f"output_tau{tau}_{clip}_whole"][0, 0]
    np.testing.assert_allclose(x - slow, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("rate", [50, 200, 1000])
@pytest.mark.parametrize("tau", [0.0, 0.004, 0.1])
def test_constant_light_is_answered_by_the_gain(rate: int, tau: float) -> None:
    """1 and 1 - k exactly, at any rate: the stored filters were off by up to 0.13 at 200 Hz."""
    here = Resolution(10.0, rate)
    for layer, gain in (
        (TemporalLowPassFilterRecursive(tau=tau, resolution=here), 1.0),
        (ExponentialCascadeFilter(3, tau=tau, resolution=here), 1.0),
        (TemporalHighPassFilterRecursive(tau=tau, k=0.7, resolution=here), 0.3),
        (TemporalHighPassFilterRecursive(tau=tau, k=1.0, resolution=here), 0.0),
    ):
        layer.double()
        np.testing.assert_allclose(layer.run(np.ones(50)).array(), gain, atol=1e-6)  # a fresh start is settled
        layer.clear_state()
        late = layer.run(np.concatenate([np.zeros(5), np.ones(2 * rate)])).array().ravel()
        assert late[-1] == pytest.approx(gain, abs=1e-6)


def test_high_pass_is_one_and_a_negative_exponential() -> None:
    layer = TemporalHighPassFilterRecursive(tau=0.02, k=0.8).double()
    x = np.zeros(200)
    x[5] = 1.0
    response, keep = layer.run(x).array().ravel(), math.exp(-0.05)
    assert not response[:5].any() and response[5] == 1.0
    np.testing.assert_allclose(response[6:], -0.8 * (1 - keep) * keep ** np.arange(194), rtol=1e-6)


def test_cascade_of_two_poles_is_an_alpha_function() -> None:
    layer = ExponentialCascadeFilter(1, tau=0.01).double()
    x = np.zeros(200)
    x[1] = 1.0
    keep, t = math.exp(-0.1), np.arange(199)
    np.testing.assert_allclose(layer.run(x).array().ravel()[1:], (1 - keep) ** 2 * (t + 1) * keep**t, rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_cascade_has_the_delay_of_its_poles(n: int) -> None:
    """Each pole of a held input delays by e / (1 - e) steps, close to its time constant less half a step."""
    for rate in (1000, 8000):
        layer = ExponentialCascadeFilter(n, tau=0.02, resolution=Resolution(10.0, rate)).double()
        x = np.zeros(rate)
        x[1] = 1.0
        response = layer.run(x).array().ravel()[1:]
        delay = (response * np.arange(len(response))).sum() / rate
        keep = math.exp(-max(n, 1) / (0.02 * rate))
        assert delay == pytest.approx((n + 1) * keep / (1 - keep) / rate, rel=1e-5)


def test_halving_the_step_halves_the_error_of_a_ramp() -> None:
    """Held inputs are exact; a ramp is read half a step late, which is of first order."""
    errors = []
    for rate in (250, 500, 1000):
        layer = TemporalLowPassFilterRecursive(tau=0.05, resolution=Resolution(10.0, rate)).double()
        times = np.arange(round(0.2 * rate) + 1) / rate
        exact = times[-1] - 0.05 * (1 - math.exp(-times[-1] / 0.05))
        errors.append(float(layer.run(times).array().ravel()[-1]) - exact)
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("n", [-1, 1.5, True])
def test_a_number_of_filters_is_a_whole_number(n: Any) -> None:
    with pytest.raises(ParameterError, match="n is a number of filters"):
        ExponentialCascadeFilter(n)
