"""What all neuron layers have in common: their outputs, their noise, their order of convergence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from convis_core import Resolution
from convis_core.errors import ParameterError, UnknownNameError
from convis_core.filters.spiking import AdaptiveExponential, FitzHughNagumo, HodgkinHuxley, Izhikevich

# class: an input under which it fires, and the level through which its potential rises in a spike
NEURONS: dict[type, tuple[float, float]] = {
    Izhikevich: (15.0, 0.0),
    FitzHughNagumo: (0.6, 1.0),
    HodgkinHuxley: (12.0, 50.0),
    AdaptiveExponential: (1200.0, 0.0),
}
every_neuron = pytest.mark.parametrize("cls", NEURONS, ids=lambda cls: cls.__name__)


@every_neuron
def test_every_choice_can_be_had_alone_and_together(cls: Any) -> None:
    current = np.full((60, 1, 2), NEURONS[cls][0])
    together = cls(outputs=cls.choices).run(current)
    assert together.names == cls.choices
    for name in cls.choices:
        np.testing.assert_array_equal(cls(outputs=(name,)).run(current).array(), together.array(name))


@pytest.mark.parametrize(("cls", "current"), [(FitzHughNagumo, 255.0), (HodgkinHuxley, -1e4)])
@pytest.mark.parametrize("gradient", [False, True])
def test_an_integration_that_goes_astray_is_told_and_undone(cls: Any, current: float, gradient: bool) -> None:
    """Such as that of grey values of 0 to 255; the potential would be NaN for ever, and no spike would come."""
    neuron, twin = cls(), cls()
    drive = np.full((50, 1, 2), NEURONS[cls][0])
    for model in (neuron, twin):
        model.run(drive)
    with pytest.raises(ParameterError, match="grew beyond all numbers"):
        neuron.run(np.full((300, 1, 2), current), grad=gradient)
    np.testing.assert_array_equal(neuron.run(drive).array(), twin.run(drive).array())


@every_neuron
@pytest.mark.parametrize("step", [0.0, -1.0, math.nan, math.inf])
def test_a_step_that_is_none_is_refused(cls: Any, step: float) -> None:
    with pytest.raises(ParameterError, match="longest_step must be a finite number above 0"):
        cls(longest_step=step)


@every_neuron
def test_outputs_come_in_the_order_asked_for(cls: Any) -> None:
    order = tuple(reversed(cls.choices))
    output = cls(outputs=order).run(np.zeros(5))
    assert output.names == order and cls(outputs=order).describe().count(order[0]) >= 1


@every_neuron
@pytest.mark.parametrize("outputs", [(), ("current",), "spike"])
def test_other_outputs_are_refused_with_a_list(cls: Any, outputs: Any) -> None:
    with pytest.raises(UnknownNameError, match=rf"{cls.__name__} has no output.*spikes, v"):
        cls(outputs=outputs)


@every_neuron
def test_only_counts_of_spikes_make_a_layer_spiking(cls: Any) -> None:
    assert cls(outputs="spikes").spiking and not cls(outputs=("spikes", "v")).spiking and not cls(outputs="v").spiking


@every_neuron
def test_the_rate_does_not_depend_on_the_frame_rate(cls: Any) -> None:
    rates = []
    for rate in (250.0, 2000.0):
        neuron = cls(outputs="spikes", resolution=Resolution(10.0, rate))
        frames = np.full(round(rate), NEURONS[cls][0])
        rates.append(float(neuron.run(frames).array().sum()))
    assert rates[0] > 10 and rates[0] == pytest.approx(rates[1], rel=0.1)


@every_neuron
def test_more_input_makes_more_spikes(cls: Any) -> None:
    level = NEURONS[cls][0]
    counts = [float(cls(outputs="spikes").run(np.full(600, f * level)).array().sum()) for f in (0.0, 0.8, 1.5)]
    assert counts[0] == 0 < counts[1] < counts[2]


@every_neuron
def test_pixels_do_not_know_of_one_another(cls: Any) -> None:
    level = NEURONS[cls][0]
    film = level * np.random.default_rng(1).random((80, 3, 3)) * 2
    whole = cls(outputs=("spikes", "v")).run(film)
    alone = cls(outputs=("spikes", "v")).run(film[:, 1:2, 2:3])
    for name in ("spikes", "v"):
        np.testing.assert_array_equal(whole.array(name)[..., 1:2, 2:3], alone.array(name))


@every_neuron
def test_noise_of_mean_0_adds_variance_and_a_seed_repeats_it(cls: Any) -> None:
    level = NEURONS[cls][0]
    options = {"outputs": "v", "noise_strength": 0.05 * level}
    first, again, other = (cls(seed=seed, **options).run(np.zeros((40, 6, 6))).array() for seed in (1, 1, 2))
    quiet = cls(outputs="v").run(np.zeros((40, 6, 6))).array()
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    deviation = (first - quiet)[:, :, 20:].std()
    assert deviation > 0 and abs((first - quiet)[:, :, 20:].mean()) < 0.5 * deviation


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_fitzhugh_nagumo_converges_as_the_order_says(method: Any, order: int) -> None:
    def end(n: int) -> float:
        neuron = FitzHughNagumo(method=method, longest_step=4.0 / n, resolution=Resolution(10.0, 250.0)).double()
        neuron.run(np.full(1, 0.5))
        return float(neuron.v)

    exact = end(512) if method == "rk4" else 2 * end(8192) - end(4096)
    n = 64 if method == "euler" else 32
    assert (end(n) - exact) / (end(2 * n) - exact) == pytest.approx(2**order, rel=0.35)


@pytest.mark.parametrize("method", ["exponential_euler", "euler"])
def test_adaptive_exponential_converges_with_the_first_order(method: Any) -> None:
    def end(n: int) -> float:
        cell = AdaptiveExponential(method=method, longest_step=0.004 / n, resolution=Resolution(10.0, 250.0)).double()
        cell.run(np.full(2, 500.0))
        return float(cell.v)

    exact = 2 * end(8192) - end(4096)
    assert (end(64) - exact) / (end(128) - exact) == pytest.approx(2.0, rel=0.15)


def test_adaptation_decays_with_its_own_time_constant() -> None:
    cell = AdaptiveExponential(a=0.0).double()
    cell.run(np.concatenate([np.full(200, 1500.0), np.zeros(200)]))
    before = float(cell.w)
    cell.run(np.zeros(100))
    assert before > 50 and float(cell.w) / before == pytest.approx(math.exp(-0.1 / 0.144), rel=1e-4)
