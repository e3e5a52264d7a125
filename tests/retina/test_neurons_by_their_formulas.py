"""Neurons that spike as their formulas say, and chance that has its distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convis_core.errors import ParameterError
from convis_core.filters.spiking import (
    EventCamera,
    LeakyIntegrateAndFireNeuron,
    Poisson,
    RefractoryLeakyIntegrateAndFireNeuron,
)


@given(g=st.floats(10.0, 100.0), drive=st.floats(1.2, 4.0), rest=st.floats(0.0, 0.02))
def test_the_rate_under_a_constant_current_is_the_formula(g: float, drive: float, rest: float) -> None:
    neuron = RefractoryLeakyIntegrateAndFireNeuron(g_L=g, refr_mu=rest, noise_sigma=0.0)
    spikes = float(neuron.run(np.full(2000, drive * g)).array().sum())
    expected = 2.0 / (rest + math.log(drive / (drive - 1.0)) / g)
    assert abs(spikes - expected) <= 1.0 + 0.002 * expected


@given(g=st.floats(5.0, 200.0), drive=st.floats(-5.0, 1.0))
def test_a_current_up_to_the_threshold_never_spikes(g: float, drive: float) -> None:
    neuron = LeakyIntegrateAndFireNeuron(g_L=g, noise_sigma=0.0)
    assert neuron.run(np.full(500, 0.999 * drive * g)).array().sum() == 0.0


def test_without_a_leak_the_current_is_the_rate() -> None:
    neuron = LeakyIntegrateAndFireNeuron(g_L=0.0, noise_sigma=0.0)
    spikes = neuron.run(np.full(1000, 40.5)).array().sum()
    assert abs(float(spikes) - 40.0) <= 1.0


@pytest.mark.parametrize("rate", [-50.0, 0.0])
def test_no_rate_gives_no_spikes(rate: float) -> None:
    assert Poisson(seed=1).run(np.full((100, 5, 5), rate)).array().sum() == 0.0


@pytest.mark.parametrize("expected", [0.05, 1.0, 20.0, 79.0])
def test_counts_have_the_mean_and_variance_of_poisson(expected: float) -> None:
    counts = Poisson(seed=3).run(np.full((200, 10, 10), 1000.0 * expected)).array().astype(float)
    n = counts.size
    assert abs(counts.mean() - expected) < 5.0 * math.sqrt(expected / n)
    assert abs(counts.var() - expected) < 5.0 * math.sqrt((expected + 2.0 * expected**2) / n)
    assert abs((counts == 0).mean() - math.exp(-expected)) < 5.0 * math.sqrt(math.exp(-expected) / n) + 1.0 / n


def test_a_rate_that_cannot_be_meant_in_hertz_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"got up to 1e\+06 Hz, which is 1000 spikes in a single step"):
        Poisson(seed=1).run(np.full((2, 1, 1), 1e6))


@given(swing=st.floats(-3.0, 3.0), threshold=st.floats(0.1, 0.5))
def test_an_ideal_camera_counts_every_threshold_of_a_slow_change(swing: float, threshold: float) -> None:
    camera = EventCamera(
        threshold_on=threshold, threshold_off=threshold, threshold_mismatch=0.0, noise_rate=0.0, leak_rate=0.0,
        refractory=0.0, cutoff=1e5,
    )  # fmt: skip
    light = np.exp(np.concatenate([np.linspace(0.0, swing, 300), np.full(50, swing)]))
    on, off = camera.run(light).array()[0, :, :, 0, 0].sum(axis=1)
    assert abs(on - off) <= abs(swing) / threshold + 1e-3  # never more than it has moved
    assert abs((on - off) * threshold - swing) <= threshold + 1e-3  # and within a threshold of where it is
    assert on == 0.0 or off == 0.0


@given(brightness=st.floats(0.1, 100.0))
def test_a_camera_does_not_see_how_bright_it_is(brightness: float) -> None:
    camera = EventCamera(threshold_mismatch=0.0, noise_rate=0.0, leak_rate=0.0, threshold_on=0.213, threshold_off=0.213)
    light = np.exp(np.sin(np.linspace(0.0, 6.0, 200)))
    dim = camera.run(light).array()
    camera.clear_state()
    assert abs(camera.run(brightness * light).array() - dim).sum() <= 2.0  # an event can fall into the frame beside
