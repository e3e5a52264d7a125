"""The stimulus from spikes, against what the C++ simulator's tool made of a stored spike train; and by hand."""

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
from convis_core.errors import ParameterError, ShapeError, StreamError
from convis_core.retina import LogPolarScheme, Retina, reconstruct

HERE = Resolution(pixel_per_degree=20.0, steps_per_second=200.0)
STORED: dict[str, dict[str, Any]] = {
    "default": {},
    "dn0": {"normalise": "none"},
    "dn1": {"normalise": "density", "density": 20.0},
    "square": {"spot": "square", "kernel": "box", "normalise": "none"},
    "wide": {"width": 0.1, "memory": 0.02},
}


@pytest.mark.parametrize("name", STORED)
def test_stored_reconstructions(shared: Path, name: str) -> None:
    """All five, to the digits stored; times in the spike file have six."""
    folder = shared / "reference" / "virtualretina" / "outputs"
    with np.load(folder / "lif_square_no_noise.npz") as trains, np.load(folder / "reconstruction.npz") as stored:
        spikes = trains["disc__spike_id"], trains["disc__spike_time"]
        positions, numbers = trains["disc__unit_xy_deg"], trains["disc__unit_id"]
        wanted = stored[f"disc__{name}"]
    got = reconstruct(spikes, (5, 8), 80, positions=positions, numbers=numbers, resolution=HERE, **STORED[name])
    assert got.shape == (1, 1, 80, 5, 8)
    np.testing.assert_allclose(got[0, 0].numpy(), wanted, atol=1e-6 * wanted.max())


@given(
    st.lists(st.tuples(st.integers(0, 29), st.floats(0.0, 0.1)), max_size=40),
    st.sampled_from([0.1, 0.15, 0.31]),
    st.sampled_from(["disc", "square"]),
    st.sampled_from(["exponential", "box"]),
)
def test_every_spike_is_counted_once(spikes: list[tuple[int, float]], width: float, spot: Any, kernel: Any) -> None:
    """Undivided, the integral over the image and over a time long enough is the number of spikes."""
    unit, time = np.array([k for k, _ in spikes], dtype=int), np.array([t for _, t in spikes])
    how = {"width": width, "spot": spot, "kernel": kernel, "memory": 0.01, "resolution": Resolution(10.0, 1000.0)}
    movie = reconstruct((unit, time), (5, 6), 160, normalise="none", **how)
    assert movie.sum().item() * 0.001 == pytest.approx(len(spikes), abs=1e-9)
    assert bool((movie >= 0).all())


def test_cells_that_fire_alike_make_a_flat_picture_at_their_rate() -> None:
    unit, time = np.tile(np.arange(30), 50), np.repeat(np.arange(50) * 0.01 + 0.0005, 30)
    movie = reconstruct((unit, time), (5, 6), 500, width=0.25, kernel="box", memory=0.05)
    assert movie[:, :, 100:].allclose(torch.tensor(100.0, dtype=torch.float64))


def test_a_spike_shows_from_the_first_frame_after_it() -> None:
    """At the border of two frames in the second one; never before."""
    for time, first in ((0.0, 0), (0.0001, 1), (0.003, 3), (0.0031, 4)):
        movie = reconstruct(([0], [time]), (1, 1), 60)[0, 0, :, 0, 0]
        assert int(torch.nonzero(movie)[0]) == first
        assert int(torch.nonzero(movie)[-1]) == min(first + 49, 59)
    with pytest.warns(UserWarning, match="None of the 1 spikes"):
        assert float(reconstruct(([0], [0.07]), (1, 1), 60).sum()) == 0.0


def test_spots_grow_where_cells_are_rare() -> None:
    scheme = LogPolarScheme(fovea_radius=0.2, scaling_factor=5.0)
    how: dict[str, Any] = {"positions": [[0.0, 0.0], [0.6, 0.0]], "width": 0.15, "log_polar": scheme}
    here, there = (int((reconstruct(([k], [0.0]), (31, 31), 1, **how) > 0).sum()) for k in (0, 1))
    assert here == 9
    assert there / here == pytest.approx((1 + 5 * 0.4) ** 2, rel=0.3)
    one = reconstruct(([0], [0.0]), (31, 31), 1, normalise="none", **how)
    divided = reconstruct(([0], [0.0]), (31, 31), 1, normalise="density", density=5.0, **how)
    local = (5.0 * scheme.density((31, 31), Resolution(10.0, 1000.0), torch.float64) / 10.0) ** 2
    torch.testing.assert_close(divided[0, 0, 0], one[0, 0, 0] / local)


def test_a_bar_is_seen_in_the_spikes_of_a_retina() -> None:
    """Of cells at every pixel, numbered through the layers, and of an array of cells."""
    rows = torch.zeros(1, 1, 400, 20, 20)
    rows[:, :, 100:, :, 8:12] = 1.0
    o = Retina(seed=1).run(rows)
    on, off = (reconstruct(o.spike_times(k), (20, 20), 400, resolution=o.resolution) for k in (0, 1))
    contrast = (on - off)[0, 0, 110:160].mean(0)
    assert contrast[:, 8:12].mean() > 20 * abs(contrast[:, :5].mean())
    torch.testing.assert_close(reconstruct(o, (20, 20), 400), reconstruct(o.spike_times(), (20, 20), 400))
    channel = "ganglion-layers.*.spiking-channel.square-array"
    sparse = Retina({channel: {"uniform-density__inv-deg": 5.0}}, seed=1)
    seen = sparse.run(rows)
    positions = np.concatenate(sparse.unit_positions())
    n = len(positions) // 2
    movie = reconstruct(seen.spike_times(0), (20, 20), 400, positions=positions[:n], width=0.2)
    assert bool((movie > 0).any())


def test_what_cannot_be_is_refused() -> None:
    one = ([0], [0.005])
    with pytest.raises(ParameterError, match="spikes of cell 3, which has no position"):
        reconstruct(([3], [0.01]), (4, 4), 10, positions=[[0, 0]])
    with pytest.raises(ShapeError, match="positions \\[cell, 2\\]"):
        reconstruct(one, (4, 4), 10, positions=[0.0, 1.0])
    with pytest.raises(ShapeError, match="one whole number for each of 1 cells"):
        reconstruct(one, (4, 4), 10, positions=[[0, 0]], numbers=[1, 2])
    with pytest.raises(ParameterError, match="density of cells, it is needed"):
        reconstruct(one, (4, 4), 10, normalise="density")
    for how in ({"width": 0.0}, {"memory": float("nan")}, {"normalise": "density", "density": -1.0}):
        with pytest.raises(ParameterError, match="finite number above 0"):
            reconstruct(one, (4, 4), 10, **how)  # type: ignore[arg-type]
    for how in ({"spot": "star"}, {"kernel": "gauss"}, {"normalise": "max"}):
        with pytest.raises(StreamError, match="to be one of"):
            reconstruct(one, (4, 4), 10, **how)  # type: ignore[arg-type]
    with pytest.raises(StreamError, match="rows of a frame"):
        reconstruct(one, (0, 4), 10)
    for places in ("here", [[math.nan, 0.0]]):
        with pytest.raises(ShapeError, match="positions \\[cell, 2\\]"):
            reconstruct(one, (4, 4), 10, positions=places)
    with pytest.raises(ShapeError, match="one whole number"):
        reconstruct(one, (4, 4), 10, positions=[[0, 0]], numbers=[0.5])
    with pytest.raises(ParameterError, match="has no position"):
        reconstruct(one, (4, 4), 10, positions=np.zeros((0, 2)))
    for spikes in (None, ([0],), 3):
        with pytest.raises(ParameterError, match="Expected an Output or units and times"):
            reconstruct(spikes, (4, 4), 10)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="width must be a finite number"):
        reconstruct(one, (4, 4), 10, width="wide")  # type: ignore[arg-type]


def test_cells_of_an_output_are_not_taken_for_those_of_other_pixels() -> None:
    clip = np.random.default_rng(0).random((2, 1, 60, 5, 6)) * 10
    o = Retina(seed=1).run(clip[0, 0])
    assert reconstruct(o, (5, 6), 60).shape == (1, 1, 60, 5, 6)
    with pytest.raises(ShapeError, match="cells are 5x6, not one at each of 6x5 pixels"):
        reconstruct(o, (6, 5), 60)
    with pytest.raises(ShapeError, match="2 batches"):
        reconstruct(Retina(seed=1).run(clip), (5, 6), 60)


def test_spikes_of_another_time_are_told_of() -> None:
    """Such as those of a second run, whose times go on from those of the first."""
    retina = Retina(seed=1)
    clip = np.random.default_rng(0).random((60, 5, 6)) * 10
    retina.run(clip)
    unit, time = retina.run(clip).spike_times(0)
    with pytest.warns(UserWarning, match="None of the .* spikes, from 0.06.* is in the 60 frames"):
        assert not reconstruct((unit, time), (5, 6), 60).any()
    assert reconstruct((unit, time - 0.06), (5, 6), 60).any()


def test_no_memory_and_no_width_is_too_much() -> None:
    """What lies before the film or outside of the image costs nothing."""
    spikes = np.array([0, 1, 0]), np.array([0.001, 0.002, 1e12])
    long = reconstruct(spikes, (4, 5), 30, memory=1e7, width=1e6)
    assert float(long.max()) == pytest.approx(2e-7 / 20 / (1 - math.exp(-5)), rel=1e-6)
    short = reconstruct(spikes, (4, 5), 30, memory=0.004, width=2.0, normalise="none")
    torch.testing.assert_close(short, reconstruct(spikes, (4, 5), 30, memory=0.004, width=0.9, normalise="none"))
