"""Where ganglion cells are, and what they see of a map."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from convis_core.errors import ParameterError
from convis_core.retina import LogPolarScheme, Retina
from convis_core.retina.cell_array import CellArray, margin, rings, sample_map, square


def test_a_map_is_read_between_its_pixels() -> None:
    """A plane is read exactly; the centre of the cells is half a pixel beyond that of the map."""
    x, y = torch.meshgrid(torch.arange(8.0), torch.arange(10.0), indexing="ij")
    plane = (2 * x + 3 * y)[None, None, None].double()
    places = np.array([[0.0, 0.0], [0.13, -0.07], [-0.2, 0.11]])
    read = sample_map(plane, places, 10.0)
    assert read.shape == (1, 1, 1, 3, 1)
    np.testing.assert_allclose(read.flatten(), 2 * (4 + 10 * places[:, 1]) + 3 * (5 + 10 * places[:, 0]))


def test_beyond_the_edge_the_map_goes_on() -> None:
    plane = torch.arange(6.0).reshape(1, 1, 1, 2, 3)
    far = np.array([[9.0, 9.0], [-9.0, -9.0]])
    assert sample_map(plane, far, 10.0).flatten().tolist() == [5.0, 0.0]
    assert sample_map(torch.full((1, 1, 2, 1, 1), 7.0), far, 10.0).unique().tolist() == [7.0]


@pytest.mark.parametrize("density", [5.0, 20.0])
def test_squares_have_their_density_and_are_centred(density: float) -> None:
    places = square(1.0, 0.6, density)
    assert len(places) == math.floor(density) * math.floor(0.6 * density)
    np.testing.assert_allclose(places.mean(axis=0), 0.0, atol=1e-12)
    assert np.diff(np.unique(places[:, 0])) == pytest.approx(1 / density)


@pytest.mark.parametrize("scheme", [None, LogPolarScheme(0.2, 3.0)])
def test_rings_are_as_dense_as_the_retina(scheme: LogPolarScheme | None) -> None:
    places = rings(2.0, 30.0, scheme, np.random.default_rng(1))
    radius = np.hypot(*places.T)
    assert radius[0] == 0.0 and radius.max() <= 1.0
    for low, high in ((0.0, 0.2), (0.5, 1.0)):
        inside = ((radius >= low) & (radius < high)).sum() / (np.pi * (high**2 - low**2))
        local = 1.0 if scheme is None else scheme.at((low + high) / 2)
        assert inside == pytest.approx((30.0 * local) ** 2, rel=0.25)


def test_jitter_moves_each_cell_by_less_than_a_distance() -> None:
    still, moved = CellArray(density=20.0), CellArray(density=20.0, jitter=0.5)
    a, b = (array.positions((20.0, 20.0), 20.0, None, 3) for array in (still, moved))
    distance = np.hypot(*(b - a).T)
    assert 0 < distance.max() < 0.5 / 20.0 and np.ptp(np.arctan2(*(b - a).T)) > 5
    np.testing.assert_array_equal(b, moved.positions((20.0, 20.0), 20.0, None, 3))


def test_an_array_is_at_most_what_can_be_seen_whole() -> None:
    assert margin([0.05, 0.15], [0.0], 20.0) == 23
    array = CellArray(size=(0.4, 0.3), density=20.0)
    assert array.extent((27, 31), 23, 20.0) == (8.0, 5.0)
    assert CellArray("circular", size=(0.4, 0.4)).extent((27, 31), 23, 20.0) == (5.0, 5.0)
    assert CellArray().extent((27, 31), 23, 20.0) == (9.0, 5.0), "as large as the image allows"
    with pytest.raises(ParameterError, match="density"):
        CellArray(density=0.0)


def test_cells_one_by_one_need_an_array_and_numbers_of_their_own() -> None:
    """Without an array they were left out in silence."""
    channel = "ganglion-layers.0.spiking-channel"
    unit = {"x-offset__deg": 0.1, "mvaspike-id": 3}
    with pytest.raises(ParameterError, match="all-units places 1 cells, and no array"):
        Retina({f"{channel}.all-units.+": unit})
    square = {f"{channel}.square-array": {"uniform-density__inv-deg": 5.0}}
    with pytest.raises(ParameterError, match="2 cells of all-units have the number 3"):
        Retina({**square, f"{channel}.all-units": [unit, unit]})


def test_a_retina_looks_at_the_middle_and_numbers_its_cells() -> None:
    array = {"square-array": {"size-x__deg": 0.2, "size-y__deg": 0.1, "uniform-density__inv-deg": 10.0}}
    layers = [{"sign": s, "spiking-channel": array} for s in (1, -1)]
    scales = {
        "outer-plexiform-layer.linear-version.surround-sigma__deg": 0.05,
        "contrast-gain-control.adaptation-sigma__deg": 0.05,
    }
    retina = Retina({"ganglion-layers": layers, **scales}, seed=1)
    frames = np.random.default_rng(1).random((200, 20, 24)) * 20
    o = retina.run(frames, record="opl")
    assert o[0].shape == (1, 1, 200, 2, 1) and o.opl.shape[3:] == (7, 8)
    assert set(o.spike_times()[0]) == {0, 1, 2, 3}
    alone = Retina({"ganglion-layers": layers, **scales}, seed=1).run(frames[:, 6:13, 8:16])
    np.testing.assert_array_equal(alone.array(0), o.array(0))
