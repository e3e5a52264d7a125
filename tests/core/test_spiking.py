"""Spiking layers against what is known of them: steady rates, and the moments of a Poisson count."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import ConvisError, ParameterError
from convis_core.filters.spiking import (
    LeakyIntegrateAndFireNeuron,
    Poisson,
    RefractoryLeakyIntegrateAndFireNeuron,
)


@pytest.mark.parametrize("rate", [200.0, 1000.0])
@pytest.mark.parametrize("refractory", [0.0, 0.004])
def test_steady_rate_is_the_analytic_one(rate: float, refractory: float) -> None:
    leak, currents = 50.0, np.array([10.0, 49.0, 55.0, 100.0, 300.0])
    neuron = RefractoryLeakyIntegrateAndFireNeuron(
        g_L=leak, noise_sigma=0.0, refr_mu=refractory, resolution=Resolution(10, rate)
    )
    seconds = 10
    spikes = neuron.run(np.broadcast_to(currents[None, :, None], (int(seconds * rate), 5, 1)), dt=999)
    counts = spikes.array().sum(axis=(0, 1, 2, 4))
    for count, current in zip(counts, currents, strict=True):
        drive = current / leak
        interval = refractory + math.log(drive / (drive - 1)) / leak if drive > 1 else math.inf
        assert abs(count - seconds / interval) <= 1


def test_without_leak_every_unit_of_charge_is_a_spike() -> None:
    neuron = LeakyIntegrateAndFireNeuron(g_L=0.0, noise_sigma=0.0)
    assert int(neuron.run(np.full(2000, 30.7)).array().sum()) == 61


def test_noise_has_the_stated_width_and_fires_below_threshold() -> None:
    quiet = LeakyIntegrateAndFireNeuron(g_L=50.0, noise_sigma=0.1, seed=1)
    quiet.run(np.zeros((200, 40, 40)))
    assert float(quiet.v.std()) == pytest.approx(0.1, rel=0.1)
    loud = LeakyIntegrateAndFireNeuron(g_L=50.0, noise_sigma=0.3, seed=1)
    assert loud.run(np.full((500, 10, 10), 40.0)).array().sum() > 0


def test_noise_off_and_on_again_in_the_middle_of_a_run() -> None:
    neuron, twin = (LeakyIntegrateAndFireNeuron(seed=1) for _ in range(2))
    current = np.full((50, 4, 4), 60.0)
    for layer in (neuron, twin):
        layer.run(current)
        layer.p.noise_sigma = 0.0
        layer.run(current, dt=10 if layer is twin else None)
        layer.p.noise_sigma = 0.2
    np.testing.assert_array_equal(neuron.run(current).array(), twin.run(current, dt=7).array())


@pytest.mark.parametrize("rate", [0.5, 40.0, 900.0, 30_000.0])
def test_poisson_mean_and_variance(rate: float) -> None:
    counts = Poisson(seed=3).run(np.full((400, 20, 20), rate)).array()
    expected, n = rate / 1000, counts.size
    assert abs(counts.mean() - expected) < 5 * math.sqrt(expected / n)
    spread = math.sqrt((expected + 2 * expected**2) / n)  # of the variance of a Poisson count
    assert abs(counts.var(dtype=np.float64) - expected) < 5 * spread
    silent = math.exp(-expected)
    assert abs((counts == 0).mean() - silent) < 5 * math.sqrt(silent * (1 - silent) / n) + 1e-7
    assert np.array_equal(counts, np.round(counts))


def test_poisson_counts_in_successive_steps_are_independent() -> None:
    counts = Poisson(seed=3).run(np.full((2000, 10, 10), 500.0)).array()[0, 0]
    before, after = counts[:-1].ravel(), counts[1:].ravel()
    assert abs(np.corrcoef(before, after)[0, 1]) < 5 / math.sqrt(before.size)


def test_poisson_without_a_rate_is_silent() -> None:
    assert not Poisson(seed=1).run(np.full((100, 3, 3), -5.0)).array().any()
    assert not Poisson(seed=1).run(np.zeros((100, 3, 3))).array().any()


def test_poisson_refuses_a_rate_in_the_wrong_unit() -> None:
    with pytest.raises(ConvisError, match=r"got up to 1e\+06 Hz, which is 1000 spikes in a single step"):
        Poisson().run(np.full((3, 2, 2), 1e6))


def test_without_a_seed_torchs_own_decides_and_every_start_differs() -> None:
    rate = np.full((50, 5, 5), 300.0)
    layer = Poisson()
    torch.manual_seed(4)
    first = layer.run(rate).array()
    layer.clear_state()
    second = layer.run(rate).array()
    torch.manual_seed(4)
    layer.clear_state()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(layer.run(rate).array(), first)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "a"])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(ParameterError, match="seed must be a whole number"):
        Poisson(seed=seed)  # type: ignore[arg-type]


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(ParameterError, match="'exact' or 'euler'"):
        LeakyIntegrateAndFireNeuron(method="rk4")(torch.zeros(1, 1, 3, 1, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", [LeakyIntegrateAndFireNeuron, RefractoryLeakyIntegrateAndFireNeuron])
def test_noise_has_the_stated_width_in_half_precision_too(kind: type, dtype: torch.dtype) -> None:
    """The variance of the noise in a step is beyond the largest number of half precision, its root is not."""
    quiet = kind(g_L=50.0, noise_sigma=0.1, seed=1).to(dtype)
    spikes = quiet.run(np.zeros((200, 40, 40)))[0]
    assert bool(spikes.isfinite().all())
    assert float(quiet.v.float().std()) == pytest.approx(0.1, rel=0.1)


def test_a_seed_may_be_a_number_of_numpys() -> None:
    current = np.full((100, 4, 4), 60.0)
    spikes = [LeakyIntegrateAndFireNeuron(seed=seed).run(current).array() for seed in (5, np.int64(5), np.uint8(5))]
    np.testing.assert_array_equal(spikes[0], spikes[1])
    np.testing.assert_array_equal(spikes[0], spikes[2])
    for wrong in (1.5, True, -1, 2**63, "5"):
        with pytest.raises(ParameterError, match="seed must be a whole number"):
            LeakyIntegrateAndFireNeuron(seed=wrong)  # type: ignore[arg-type]
