"""Spiking examples of Virtual Retina: their cells where they were, and as many spikes of each layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core.retina import Retina
from tests.retina.virtual_retina import film

Array = np.ndarray[Any, Any]


def example(shared: Path, name: str, clip: str, repeat: int, seed: int = 1) -> tuple[Retina, Any, dict[str, Array]]:
    folder = shared / "reference" / "virtualretina"
    with np.load(folder / "outputs" / f"{name}.npz") as file:
        data = {key.removeprefix(f"{clip}__"): file[key] for key in file.files if key.startswith(clip)}
    retina = Retina.from_xml(
        folder / "examples" / f"{name}.xml", stage_delay=1, virtual_retina_logpolar=True, seed=seed
    )
    frames, luminance = film(shared, clip)
    retina.settle(luminance)
    return retina, frames.repeat(repeat, axis=0), data


def test_cells_of_the_primate_are_where_they_were_and_fire_as_often(shared: Path) -> None:
    """Rings turned by chance, potentials that begin anywhere, and noise: equal to a hundredth all the same."""
    retina, frames, data = example(shared, "EXAMPLE_primate_ParvoMagno", "finland_80x64", 2)
    unit, time = retina.run(frames, dt=56).spike_times()
    layers = data["unit_layer"]
    wanted = np.bincount(layers[data["spike_id"]], minlength=4)
    here = np.concatenate(retina.unit_positions())
    assert len(here) == len(layers) == 2314
    assert [len(p) for p in retina.unit_positions()] == np.bincount(layers).tolist()
    np.testing.assert_allclose(np.hypot(*here.T), np.hypot(*data["unit_xy_deg"].T), atol=1e-5)
    np.testing.assert_allclose(np.bincount(layers[unit], minlength=4), wanted, rtol=0.02)
    assert time[0] == pytest.approx(data["spike_time"][0], abs=0.002)
    per_frame = [np.histogram(t, bins=28, range=(0, 0.56))[0] for t in (time, data["spike_time"])]
    assert np.corrcoef(*per_frame)[0, 1] > 0.99


def test_cells_of_the_large_image_are_as_many(shared: Path) -> None:
    """3310 and 1875 in a layer."""
    retina, frames, data = example(shared, "EXAMPLE_primate_ParvoMagno", "rocks_128x126", 20)
    unit, time = retina.run(frames).spike_times()
    np.testing.assert_array_equal([len(p) for p in retina.unit_positions()], np.bincount(data["unit_layer"]))
    layers = data["unit_layer"]
    counts = [
        np.bincount(layers[k[t < 0.1]], minlength=4) for k, t in ((unit, time), (data["spike_id"], data["spike_time"]))
    ]
    np.testing.assert_allclose(*counts, rtol=0.03)


@pytest.mark.parametrize(("clip", "repeat"), [("finland_80x64", 4), ("rocks_128x126", 100)])
def test_the_one_cell_of_the_cat_fires_as_often(shared: Path, clip: str, repeat: int) -> None:
    """Within what its noise makes of the count from run to run."""
    counts = []
    for seed in range(6):
        retina, frames, data = example(shared, "EXAMPLE_cat_X_cell", clip, repeat, seed)
        counts.append(len(retina.run(frames).spike_times()[0]))
    np.testing.assert_allclose(np.concatenate(retina.unit_positions()), data["unit_xy_deg"], atol=1e-6)
    assert abs(len(data["spike_id"]) - np.mean(counts)) < 4 * max(np.std(counts), 1.0)


@pytest.mark.parametrize("name", ["lif_adap", "lif_circular_logpolar", "lif_units_list", "lif_square_noise"])
def test_currents_of_cells_in_arrays(shared: Path, name: str) -> None:
    """The map of the window that the cells look at."""
    folder = shared / "reference" / "virtualretina"
    retina = Retina.from_xml(folder / "configs" / f"{name}.xml", stage_delay=1, virtual_retina_logpolar=True, seed=1)
    retina.to(torch.float64)
    retina.parse_config(folder / "configs" / f"{name}.xml")
    frames, luminance = film(shared, "disc")
    retina.settle(luminance)
    got = retina.run(frames, dt=31, record="ganglion_0")["ganglion_0"][0, 0].numpy()
    with np.load(folder / "outputs" / f"{name}.npz") as file:
        wanted = file["disc__ganglion_0"]
        assert not file["disc__unit_layer"].any() if "disc__unit_layer" in file else True
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
