"""Izhikevich's neuron against stored traces, its fixed points, and what its twenty kinds are named for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convis_core import Resolution
from convis_core.errors import ParameterError, UnknownNameError
from convis_core.filters.spiking import Izhikevich
from convis_core.filters.spiking.izhikevich_presets import PRESETS, find_preset

RATES = [1000.0, 4000.0]
STORED = [
    *("Tonic_spiking", "Phasic_spiking", "Tonic_bursting", "Mixed_mode", "Sf_adaptation", "Class_1", "Bistability"),
    *("Inh-ind_spiking", "Resonator", "Accomodation"),
]


def fire(kind: str, rate: float = 1000.0, outputs: Any = ("spikes", "v")) -> tuple[Any, Any]:
    """Times of the spikes in ms, and the potential, under the recommended input."""
    resolution = Resolution(10.0, rate)
    neuron = Izhikevich.preset(kind, resolution=resolution, outputs=outputs)
    output = neuron.run(find_preset(kind).current(resolution))
    counts = output.array("spikes").ravel()
    return np.repeat(output.time, counts.astype(int)) * 1e3, output.array("v").ravel()


@pytest.mark.parametrize("kind", STORED)
def test_stored_traces_at_1000_steps_per_second(shared: Path, kind: str) -> None:
    with np.load(shared / "reference/convis/spiking_izhikevich.npz") as stored:
        a, b, c, d = stored[f"abcd_{kind}"]
        current, wanted = stored[f"input_{kind}"], stored[f"output_{kind}"]
    neuron = Izhikevich(a=a, b=b, c=c, d=d, outputs=("spikes", "v", "u"))
    got = np.stack([response.flatten().numpy() for response in neuron.run(current, dt=77)])
    np.testing.assert_array_equal(got, wanted)  # to the last digit, for the arithmetic is in the same order


def test_all_twenty_kinds_are_there_and_found_by_any_spelling() -> None:
    assert len(Izhikevich.presets()) == len(PRESETS) == 20
    for kind in PRESETS:
        for spelling in (kind, kind.upper(), kind.replace(" ", "_"), kind.replace("-", " ")):
            assert find_preset(spelling) is PRESETS[kind]
    for old, new in (("Sf_adaptation", "spike frequency adaptation"), ("Accomodation", "accommodation")):
        assert find_preset(old).name == new
    with pytest.raises(UnknownNameError, match=r"no Izhikevich neuron 'sleepy'.*tonic spiking"):
        Izhikevich.preset("sleepy")


@pytest.mark.parametrize("rate", RATES)
def test_kinds_that_go_on_and_kinds_that_stop(rate: float) -> None:
    for kind, counts in (("tonic spiking", range(4, 7)), ("phasic spiking", [1]), ("spike latency", [1])):
        assert len(fire(kind, rate)[0]) in counts
    assert fire("tonic spiking", rate)[0][-1] > 80 and fire("phasic spiking", rate)[0][0] < 60
    late = fire("spike latency", rate)[0][0]
    assert late > 15.5  # the pulse ended at 13 ms


@pytest.mark.parametrize("rate", RATES)
def test_kinds_that_burst(rate: float) -> None:
    for kind, bursts in (("tonic bursting", 4), ("phasic bursting", 1), ("rebound burst", 1)):
        times, _ = fire(kind, rate)
        gaps = np.diff(times)
        assert len(times) >= 5 and np.count_nonzero(gaps > 20) + 1 >= bursts, kind
        assert np.median(gaps) < 15
    times, _ = fire("inhibition-induced bursting", rate)
    assert len(times) > 15 and times[0] > 50 and times[-1] < 290 and np.count_nonzero(np.diff(times) > 20) == 2


@pytest.mark.parametrize("rate", RATES)
def test_kinds_that_slow_down_or_speed_up(rate: float) -> None:
    gaps = np.diff(fire("spike frequency adaptation", rate)[0])
    assert gaps[-1] > 5 * gaps[0] and bool((np.diff(gaps[:-1]) >= 0).all())
    mixed = np.diff(fire("mixed mode", rate)[0])
    assert bool((mixed[:2] < 6).all()) and bool((mixed[2:] > 25).all())  # a burst, then single spikes
    one, two = (np.diff(fire(kind, rate)[0]) for kind in ("class 1", "class 2"))
    assert one[0] > 2.4 * one[-1] and two[0] < 2.4 * two[-1]  # any rate, or none below some rate


@pytest.mark.parametrize("rate", RATES)
def test_kinds_that_tell_input_frequencies_apart(rate: float) -> None:
    (resonance,) = fire("resonator", rate)[0]
    assert 324 < resonance < 345  # the pair 40 ms apart, not the one 20 ms apart
    (coincidence,) = fire("integrator", rate)[0]
    assert coincidence < 25  # the pair 5 ms apart, not the one 10 ms apart
    (fast,) = fire("accommodation", rate)[0]
    assert 300 < fast < 313  # the steep ramp, not the slow one


@pytest.mark.parametrize("rate", RATES)
def test_kinds_that_answer_inhibition(rate: float) -> None:
    for kind in ("rebound spike", "rebound burst", "threshold variability"):
        times, _ = fire(kind, rate)
        assert bool((times > (80 if kind.startswith("threshold") else 25)).all()) and len(times)
    assert len(fire("rebound spike", rate)[0]) == len(fire("threshold variability", rate)[0]) == 1
    spikes = fire("inhibition-induced spiking", rate)[0]
    assert len(spikes) in (4, 5) and bool(((spikes > 50) & (spikes < 265)).all())


@pytest.mark.parametrize("rate", RATES)
def test_kinds_with_structure_below_threshold(rate: float) -> None:
    times, v = fire("subthreshold oscillations", rate)
    after = v[int((times[0] + 15) * rate / 1e3) :]
    turns = np.count_nonzero(np.diff(np.sign(np.diff(after))))
    assert len(times) == 1 and turns >= 4
    times, v = fire("depolarizing after-potential", rate)
    after = v[int((times[0] + 1) * rate / 1e3) :]
    assert len(times) == 1 and after.max() > -70.0 + 12.0
    on, off = fire("bistability", rate)[0][[0, -1]]
    assert 38 < on < 46 and off < 208  # one pulse switches it on, the next one off


@pytest.mark.parametrize("b", [0.2, 0.25])
def test_it_rests_where_both_slopes_vanish(b: float) -> None:
    neuron = Izhikevich(b=b).double()
    neuron.run(np.zeros(3000))
    rest = (b - 5 - math.sqrt((5 - b) ** 2 - 4 * 0.04 * 140)) / 0.08  # the lower root of 0.04 v^2 + (5 - b) v + 140
    assert float(neuron.v) == pytest.approx(rest, abs=1e-4)
    assert float(neuron.u) == pytest.approx(b * rest, abs=1e-4)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4)])
def test_halving_the_step_divides_the_error_by_what_the_order_says(method: Any, order: int) -> None:
    def end(n: int) -> float:
        neuron = Izhikevich(method=method, longest_step=0.004 / n, resolution=Resolution(10.0, 250.0)).double()
        neuron.run(np.zeros(1))
        return float(neuron.v)

    exact = end(256) if method == "rk4" else 2 * end(4096) - end(2048)
    assert (end(2) - exact) / (end(4) - exact) == pytest.approx(2**order, rel=0.35)


def test_time_is_in_seconds_whatever_the_frame_rate() -> None:
    """The original's frame is 1 ms whatever its rate, so that its rates in Hz follow the frame rate."""
    counts = []
    for rate in (200.0, 1000.0, 5000.0):
        neuron = Izhikevich(method="rk4", longest_step=1e-4, resolution=Resolution(10.0, rate))
        counts.append(neuron.run(np.full(round(rate), 10.0)).array().sum())
    assert max(counts) - min(counts) <= 1 and counts[0] > 15


def test_noise_acts_and_is_as_strong_at_every_rate() -> None:
    """The original draws none whatever its strength."""
    spreads = []
    for rate in (500.0, 4000.0):
        neuron = Izhikevich(noise_strength=1.0, seed=1, resolution=Resolution(10.0, rate))
        neuron.run(np.zeros((round(0.2 * rate), 40, 40)))
        spreads.append(float(neuron.v.std()))
    assert 0.2 < spreads[0] == pytest.approx(spreads[1], rel=0.1)
    assert Izhikevich(noise_strength=20.0, seed=1).run(np.zeros((100, 5, 5))).array().sum() > 0


def test_outputs_are_numbers_that_can_be_averaged() -> None:
    neuron = Izhikevich(outputs=("v", "spikes"))
    output = neuron.run(np.full((100, 2, 2), 20.0))
    assert output.names == ("v", "spikes") and output["spikes"].is_floating_point()
    assert float(output["spikes"].mean()) > 0 and not neuron.spiking
    assert Izhikevich(outputs="v").run(np.zeros(3)).names == ("v",)
    with pytest.raises(UnknownNameError, match=r"no output 'w'.*spikes, v, u"):
        Izhikevich(outputs=("w",))


@given(st.sampled_from([1000.0, 2000.0, 8000.0]), st.sampled_from(sorted(PRESETS)))
def test_recommended_inputs_keep_their_charge_at_every_rate(rate: float, kind: str) -> None:
    preset = PRESETS[kind]
    coarse, fine = (float(preset.current(Resolution(10.0, r)).mean()) for r in (rate, 32_000.0))
    assert coarse == pytest.approx(fine, abs=0.02 * max(1.0, abs(fine)))


def test_an_unknown_surrogate_is_refused_at_once() -> None:
    with pytest.raises(ParameterError, match=r"no surrogate gradient 'sigmoid'.*'superspike'"):
        Izhikevich(surrogate="sigmoid")  # type: ignore[arg-type]
    assert torch.is_tensor(Izhikevich(surrogate="arctan").a)
