"""FitzHugh-Nagumo, Hodgkin-Huxley and adaptive exponential neurons against stored traces and what is known of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.filters import spiking
from convis_core.filters.spiking import AdaptiveExponential, FitzHughNagumo, HodgkinHuxley
from convis_core.ops.fitzhugh_nagumo import fitzhugh_nagumo_rest
from convis_core.ops.hodgkin_huxley import hodgkin_huxley_gates, hodgkin_huxley_rates


def counts(layer: Any, current: float, seconds: float, skip: float = 0.0) -> float:
    """Spikes after the first `skip` seconds of a constant current."""
    rate = layer.resolution.steps_per_second
    spikes = layer.run(np.full(round(seconds * rate), current)).array("spikes").ravel()
    return float(spikes[round(skip * rate) :].sum())


# FitzHugh-Nagumo ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [None, 37])
def test_fitzhugh_nagumo_reproduces_the_stored_potential(shared: Path, dt: int | None) -> None:
    """In the stored run the offset of the recovery has the sign of FitzHugh's paper."""
    with np.load(shared / "reference/convis/spiking_fitzhughnagumo.npz") as stored:
        neuron = FitzHughNagumo(a=-stored["param__a"], b=stored["param__b"], tau=stored["param__tau"], start=(0, 0))
        got = neuron.run(stored["input"], dt).array()
        np.testing.assert_allclose(got, stored["output"], rtol=0, atol=1e-5 * stored["output"].max())


@pytest.mark.parametrize("current", [0.0, 0.2, 1.6])
def test_fitzhugh_nagumo_settles_at_the_fixed_point(current: float) -> None:
    neuron = FitzHughNagumo(outputs=("v", "w")).double()
    neuron.run(np.full(2000, current))
    v, w = fitzhugh_nagumo_rest(torch.tensor(0.7).double(), torch.tensor(0.8).double(), current)
    assert float(v - v**3 / 3 - w) == pytest.approx(-current, abs=1e-12)
    assert float(neuron.v) == pytest.approx(float(v), abs=1e-6) and float(neuron.w) == pytest.approx(float(w), abs=1e-6)


def test_fitzhugh_nagumo_rests_until_there_is_input() -> None:
    output = FitzHughNagumo().double().run(np.zeros(500))
    assert output.array().std() < 1e-7 and output.array().mean() == pytest.approx(-1.19941, abs=1e-5)


def test_fitzhugh_nagumo_fires_between_two_bifurcations() -> None:
    """The fixed point is unstable where 1 - v^2 > tau b, at inputs symmetric about (0.7 / 0.8)."""
    v = -math.sqrt(1 - 0.08 * 0.8)
    first = (v + 0.7) / 0.8 - v + v**3 / 3
    second = 2 * 0.7 / 0.8 - first
    for current, fires in ((first - 0.02, False), (first + 0.02, True), (second - 0.02, True), (second + 0.02, False)):
        neuron = FitzHughNagumo(outputs="spikes", longest_step=0.02, method="rk4")
        assert (counts(neuron, current, 3.0, skip=1.0) > 10) == fires


def test_fitzhugh_nagumo_has_its_own_time_constant() -> None:
    """The original's frame is one unit of time whatever its rate."""
    slow = [
        counts(FitzHughNagumo(outputs="spikes", time_constant=0.01, resolution=Resolution(10, r)), 0.5, 4)
        for r in (200, 2000)
    ]
    fast = counts(FitzHughNagumo(outputs="spikes"), 0.5, 0.4)
    assert slow[0] == pytest.approx(slow[1], abs=1) and slow[0] == pytest.approx(fast, abs=1) and fast > 5


# Hodgkin-Huxley ----------------------------------------------------------------------------------


def test_hodgkin_huxley_reproduces_the_stored_potential_from_closed_gates(shared: Path) -> None:
    with np.load(shared / "reference/convis/spiking_hodgkinhuxley.npz") as stored:
        neuron = HodgkinHuxley(method="euler", start=(0, 0, 0, 0))
        got, wanted = neuron.run(stored["input"]).array(), stored["output"]
    np.testing.assert_allclose(got[:, :, :22], wanted[:, :, :22], rtol=0, atol=1e-3)
    # a spike rises by 300 mV in a ms: this is less than 1 us of it, which the order of single precision decides
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0.2)


def test_hodgkin_huxley_rests_without_input() -> None:
    """The original starts with closed gates, and so fires once."""
    output = HodgkinHuxley().run(np.zeros(1000))
    assert np.abs(output.array()).max() < 0.05


@pytest.mark.parametrize(("v", "index", "limit"), [(25.0, 0, 1.0), (10.0, 4, 0.1)])
def test_hodgkin_huxley_rates_are_smooth_where_they_are_0_over_0(v: float, index: int, limit: float) -> None:
    around = torch.tensor([v - 1e-6, v, v + 1e-6], dtype=torch.float64, requires_grad=True)
    rate = hodgkin_huxley_rates(around)[index]
    assert rate.tolist() == pytest.approx([limit] * 3, rel=1e-5)
    (slope,) = torch.autograd.grad(rate.sum(), around)
    assert slope.tolist() == pytest.approx([limit / 20] * 3, rel=1e-4)
    exact = HodgkinHuxley(start=(v, 0.1, 0.5, 0.4)).run(np.zeros(5)).array()
    assert np.isfinite(exact).all()


def test_hodgkin_huxley_gates_are_where_opening_and_closing_balance() -> None:
    v = torch.linspace(-50, 120, 35, dtype=torch.float64)
    rates = hodgkin_huxley_rates(v)
    for gate, alpha, beta in zip(hodgkin_huxley_gates(v), rates[::2], rates[1::2], strict=True):
        torch.testing.assert_close(alpha * (1 - gate), beta * gate)
        assert bool(((gate > 0) & (gate < 1)).all())


@pytest.mark.parametrize(
    ("current", "repeats"), [(5.0, False), (7.0, True), (10.0, True), (100.0, True), (170.0, False)]
)
def test_hodgkin_huxley_fires_again_and_again_in_a_window_of_currents(current: float, repeats: bool) -> None:
    neuron = HodgkinHuxley(outputs="spikes", threshold=20.0)
    assert (counts(neuron, current, 0.6, skip=0.2) > 10) == repeats


@pytest.mark.parametrize("method", ["exponential_euler", "euler"])
def test_hodgkin_huxley_fires_at_the_known_rate(method: Any) -> None:
    """68.3 Hz at 10 uA/cm^2, as both methods say with steps of 2 us."""
    neuron = HodgkinHuxley(outputs="spikes", method=method)
    times = np.flatnonzero(neuron.run(np.full(1000, 10.0)).array())
    assert 1000 / np.diff(times)[5:].mean() == pytest.approx(68.3, rel=0.005)


def test_hodgkin_huxley_rebounds_from_inhibition() -> None:
    neuron = HodgkinHuxley(outputs=("spikes", "v"))
    output = neuron.run(np.where(np.arange(100) < 50, -5.0, 0.0))
    assert output.array("spikes").ravel()[:50].sum() == 0 and output.array("spikes").sum() == 1


def test_hodgkin_huxley_error_shrinks_as_the_order_says() -> None:
    def end(method: Any, n: int) -> float:
        neuron = HodgkinHuxley(method=method, longest_step=0.001 / n).double()
        neuron.run(np.full(2, 5.0))
        return float(neuron.v)

    exact = (4 * end("exponential_euler", 2048) - end("exponential_euler", 1024)) / 3
    for method, order in (("euler", 1), ("exponential_euler", 2)):
        assert (end(method, 32) - exact) / (end(method, 64) - exact) == pytest.approx(2**order, rel=0.2)


def test_the_old_spelling_still_works() -> None:
    assert spiking.HogkinHuxley is HodgkinHuxley


# Adaptive exponential ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["exponential_euler", "euler"])
def test_adaptive_exponential_has_the_analytic_rheobase(method: Any) -> None:
    """Rest loses its stability in a Hopf bifurcation, for a / g_L > tau_m / tau_w (Touboul 2008)."""
    a, g, ratio = 4.0, 30.0, 281.0 / 30.0 / 144.0
    rheobase = (g + a) * (50.4 * -1 + 70.6 - 2 + 2 * math.log(1 + ratio)) + 2 * g * (a / g - ratio)
    assert counts(AdaptiveExponential(method=method), 0.985 * rheobase, 3.0, skip=1.5) == 0
    assert counts(AdaptiveExponential(method=method), 1.03 * rheobase, 3.0, skip=1.5) > 0


def test_adaptive_exponential_adapts_and_rests() -> None:
    cell = AdaptiveExponential()
    times = np.flatnonzero(cell.run(np.full(1000, 1000.0)).array())
    gaps = np.diff(times)
    assert gaps[0] < 0.6 * gaps[-1] and bool((np.diff(gaps) >= -1).all())
    quiet = AdaptiveExponential(outputs=("v", "w")).double().run(np.zeros(3000))
    assert quiet.array("v")[..., -1, 0, 0] == pytest.approx(
        -70.6 + 30 / 34 * 2 * math.exp(-10.1), abs=2e-6
    )  # the exponential pulls a little


def test_adaptive_exponential_without_exponential_is_leaky_integration() -> None:
    """With the threshold far away the potential relaxes with C / g_L to I / g_L."""
    cell = AdaptiveExponential(outputs="v", a=0.0, V_T=40.0, V_peak=60.0).double()
    v = cell.run(np.full(40, 300.0)).array().ravel()
    exact = -70.6 + 300.0 / 30.0 * (1 - np.exp(-np.arange(1, 41) * 30.0 / 281.0))
    np.testing.assert_allclose(v, exact, atol=1e-5)


@pytest.mark.parametrize("cls", [FitzHughNagumo, HodgkinHuxley, AdaptiveExponential])
def test_seeded_noise_is_the_same_in_any_chunks(cls: Any) -> None:
    strength = {FitzHughNagumo: 0.5, HodgkinHuxley: 5.0, AdaptiveExponential: 500.0}[cls]
    whole = cls(outputs="v", noise_strength=strength, seed=4).run(np.zeros((60, 3, 3))).array()
    cut = cls(outputs="v", noise_strength=strength, seed=4).run(np.zeros((60, 3, 3)), dt=7).array()
    np.testing.assert_array_equal(whole, cut)
    assert whole.std() > 0
