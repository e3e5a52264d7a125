"""The original's neurons: to the frame, at both rates, once it is known what its steps and dead times really are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from convis_core.filters.spiking import Izhikevich
from convis_core.ops.integrate_and_fire import leaky_integrate_and_fire
from tests.reference.convis_parts import load

# gain that makes a current in Hz of the input, and the refractory time in s: of 3 dead frames one or two are lost
NEURONS = {"LIF": (1000.0, 0.0), "RefractoryLIF": (1000.0, 0.002), "GanglionSpiking": (1.0, 0.003)}


def fire(current: Tensor, v: Tensor, neuron: str, rate: int) -> np.ndarray:
    """In steps of 1 ms whatever the rate; two of the three scale the leak with the rate all the same."""
    leak = 50.0 if neuron == "GanglionSpiking" else 50.0 * 1000 / rate
    gain, refractory = NEURONS[neuron]
    spikes, _, _ = leaky_integrate_and_fire(
        gain * current, v, 0 * v, g=leak, step=0.001, refractory=refractory, method="euler"
    )
    return spikes.numpy()


@pytest.mark.parametrize("rate", [1000, 200])
@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("stimulus", ["random", "grating"])
def test_spike_trains(shared: Path, rate: int, neuron: str, stimulus: str) -> None:
    data = load(shared, f"spiking_lif_{rate}sps")
    current, v = (torch.from_numpy(data[key])[None, None] for key in (f"input_{neuron}_{stimulus}", "V0"))
    wanted = data[f"output_{neuron}_{stimulus}"]
    assert wanted.any() or (rate == 200 and neuron != "GanglionSpiking")
    np.testing.assert_array_equal(fire(current, v, neuron, rate), wanted)


@pytest.mark.parametrize("rate", [1000, 200])
@pytest.mark.parametrize("neuron", NEURONS)
def test_spikes_under_constant_currents(shared: Path, rate: int, neuron: str) -> None:
    data = load(shared, f"spiking_lif_{rate}sps")
    found = [key for key in data if key.startswith(f"const_{neuron}_")]
    assert len(found) == 3
    for key in found:
        height = float(key.removeprefix(f"const_{neuron}_amp").partition("_")[0])
        spikes = fire(torch.full((1, 1, 300, 1, 1), height), torch.zeros(1, 1, 1, 1), neuron, rate)
        np.testing.assert_array_equal(np.flatnonzero(spikes), data[key], err_msg=key)


def test_izhikevichs_neuron_under_noise_fires_as_often(shared: Path) -> None:
    """The stored parameters of this run are not known, and none of the usual ones give its spikes to the frame."""
    data = load(shared, "spiking_izhikevich")
    ours = Izhikevich().run(data["input_default_random"]).array().sum()
    assert ours == pytest.approx(data["output_default_random_spikes"].sum(), rel=0.1)
