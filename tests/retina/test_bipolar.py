"""Bipolar cells: the stored runs that can be trusted, and by an analytic answer where they cannot."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.retina import Bipolar, CustomBipolar


@pytest.mark.parametrize("amplitude", [1, 10])
@pytest.mark.parametrize("clip", ["impulse", "checker", "grating"])
@pytest.mark.parametrize("dt", [None, 37])
def test_stored_run_with_the_leak_it_began_with(shared: Path, amplitude: int, clip: str, dt: int | None) -> None:
    """The stored cells began with a leak of 1 Hz from contrast, which decayed over 5 s whatever their tau."""
    data = np.load(shared / "reference" / "convis" / "bipolar_1000sps.npz")
    x = data[f"input_{clip}_amp{amplitude}"]
    cells = Bipolar(lambda_amp=0.0, tau=5.0)
    image = (1, 1, *x.shape[1:])
    cells.set_state({"v": torch.zeros(image), "adaptation": torch.ones(image)})
    wanted = data[f"output_lambda0_{clip}_amp{amplitude}"]
    np.testing.assert_allclose(cells.run(x, dt).array(), wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("rate", [200.0, 1000.0, 5000.0])
def test_a_constant_input_settles_where_leak_and_current_balance(rate: float) -> None:
    """500 = (50 + 100 V^2) V: 1.61, at any resolution; the stored cells settled at 0.079."""
    cells = Bipolar(lambda_amp=100.0, resolution=Resolution(10, rate))
    v = float(cells.run(np.full((int(rate), 4, 5), 10.0)).array()[0, 0, -1].mean())
    assert (50 + 100 * v**2) * v == pytest.approx(500, rel=1e-3)  # the leak saturates a little


@pytest.mark.parametrize("rate", [200.0, 1000.0])
def test_without_gain_control_the_gain_is_one_and_the_time_constant_that_of_the_leak(rate: float) -> None:
    """Exact at any rate; the stored cells took 20 frames at any rate, and kept 2 % of gain control."""
    v = Bipolar(resolution=Resolution(10, rate)).run(np.ones((int(rate), 1, 1))).array().ravel()
    np.testing.assert_allclose(v, 1 - np.exp(-50 * np.arange(1, len(v) + 1) / rate), rtol=1e-4)


def test_the_time_constant_of_the_feedback_is_the_one_asked_for() -> None:
    """After a step of the leak's target: with slow feedback the potential falls back with tau, from 1 to its end."""
    cells = Bipolar(lambda_amp=1e-3, tau=0.1, g_leak=50.0, adaptation_sigma=0.0)  # too weak to change the potential
    cells.run(np.ones((500, 1, 1)))
    cells.run(np.zeros((1, 1, 1)))
    cells.p.lambda_amp = 0.0
    before = float(cells.adaptation)
    cells.run(np.zeros((100, 1, 1)))
    assert float(cells.adaptation) / before == pytest.approx(math.exp(-1), rel=1e-4)


def test_contrast_next_to_a_cell_lowers_its_gain_and_only_there() -> None:
    cells = Bipolar(lambda_amp=1000.0, adaptation_sigma=0.1)
    frames = np.zeros((100, 5, 41))
    frames[:, :, 5] = 0.1
    alone = cells.run(frames).array()[0, 0, -1, 2]
    cells.clear_state()
    frames[:, :, 6:8] = 10.0
    beside = cells.run(frames).array()[0, 0, -1, 2]
    assert beside[5] < 0.5 * alone[5]
    frames[:, :, 6:8] = 0.0
    frames[:, :, 35] = 10.0
    cells.clear_state()
    assert cells.run(frames).array()[0, 0, -1, 2, 5] == pytest.approx(alone[5], rel=1e-5)


def test_halving_the_step_halves_the_error() -> None:
    """While the leak builds up the error is of first order in the step, since the leak acts on the next one."""
    ends = {}
    for rate in (500, 1000, 2000, 64000):
        cells = Bipolar(lambda_amp=200.0, tau=0.02, adaptation_sigma=0.0, resolution=Resolution(10, rate)).double()
        ends[rate] = cells.run(np.full((round(0.03 * rate), 1, 1), 3.0)).array().ravel()[-1]
    errors = [abs(ends[rate] - ends[64000]) for rate in (500, 1000, 2000)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.2)


def test_the_custom_law_with_its_default_values_is_the_standard_one() -> None:
    x = np.random.default_rng(1).normal(size=(50, 6, 7))
    standard, custom = Bipolar(lambda_amp=50.0).double(), CustomBipolar(lambda_amp=50.0).double()
    np.testing.assert_allclose(custom.run(x).array(), standard.run(x).array(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("symmetric", "sign"), [(True, 1), (True, -1), (False, 1), (False, -1)])
def test_the_custom_law_settles_where_its_currents_balance(symmetric: bool, sign: int) -> None:
    values = {"lambda_amp": 80.0, "exponent": 1.5, "threshold": 0.2, "reversal": -0.3, "transient_weight": 5.0}
    cells = CustomBipolar(symmetric, adaptation_sigma=0.0, **values).double()
    v = float(cells.run(np.full((3000, 1, 1), 4.0 * sign)).array().ravel()[-1])
    counted = abs(v) if symmetric else v
    a = 80.0 * max(counted - 0.2, 0.0) ** 1.5
    a /= 1 + a / 5e5  # saturates
    assert 50 * 4.0 * sign + a * -0.3 + 5.0 * v == pytest.approx((50 + a) * v, rel=1e-6)


def test_gradients_agree_with_the_compiled_loop() -> None:
    """The loop with gradients is another one than that without."""
    cells = Bipolar(lambda_amp=100.0).double()
    x = np.random.default_rng(2).normal(size=(20, 5, 5))
    quick = cells.run(x).array()
    cells.clear_state()
    np.testing.assert_allclose(cells.run(x, grad=True).array(), quick, rtol=1e-10, atol=1e-12)
