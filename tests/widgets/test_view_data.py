"""What the views compute from a run before anything is drawn."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convis_core import Chunk, Output
from convis_core.models import CentreSurround
from convis_core.tensors import lift
from convis_widgets.controls.rows import parameter_rows
from convis_widgets.views.events import RasterFeed, chosen_cells, spike_events
from convis_widgets.views.impulse import ImpulseResponse
from convis_widgets.views.kernel import KernelData
from convis_widgets.views.losscurve import LossCurve
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.profile import SpatialProfile
from convis_widgets.views.raster import SpikeRaster
from convis_widgets.views.rates import BinnedRates
from convis_widgets.views.ticks import decades, nice_ticks, tick_format
from convis_widgets.views.volume import FilterVolume


def chunks(counts: np.ndarray, cuts: list[int]) -> list[Chunk]:
    """Cut counts ``[time, x, y]`` into chunks."""
    edges = np.cumsum([0, *cuts])
    parts = [lift(counts[a:b]) for a, b in itertools.pairwise(edges)]
    return [Chunk(int(a), part, Output([part], start=int(a))) for a, part in zip(edges, parts, strict=False)]


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_rates_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    counts = np.random.default_rng(0).poisson(0.2, (sum(cuts), 2, 3)).astype(np.float32)
    rates = BinnedRates(bin_steps=10, scale=1000.0)
    for chunk in chunks(counts, cuts):
        rates.add(chunk)
    n = len(counts) // 10
    expected = counts[: 10 * n].reshape(n, 10, 2, 3).mean(axis=1) * 1000.0
    assert len(rates.bins) == n
    if n:
        np.testing.assert_allclose(rates.cell(0, (1, 2)), expected[:, 1, 2], rtol=1e-3)
        np.testing.assert_allclose(rates.population(0)[0], expected.mean(axis=(1, 2)), rtol=1e-5)
        np.testing.assert_allclose(rates.time(0.001), (np.arange(n) + 0.5) * 0.01)


def test_the_smoothed_rate_of_a_step_rises_with_the_time_constant() -> None:
    rates = BinnedRates(bin_steps=1, scale=1.0, smoothing=5.0)
    rates.add(chunks(np.concatenate([np.zeros((1, 1, 1)), np.ones((20, 1, 1))]), [21])[0])
    expected = 1.0 - np.exp(-np.arange(21) / 5.0)
    np.testing.assert_allclose(rates.cell(0, (0, 0)), expected, atol=1e-3)


def test_a_jump_in_time_starts_the_rates_anew() -> None:
    rates = BinnedRates(bin_steps=10, scale=1.0)
    first, second = chunks(np.ones((40, 1, 1)), [20, 20])
    rates.add(second)
    assert rates.time(1.0).tolist() == [25.0, 35.0]
    rates.add(first)
    assert rates.time(1.0).tolist() == [5.0, 15.0]


def test_the_bins_of_a_window_are_those_that_overlap_it() -> None:
    rates = BinnedRates(bin_steps=10, scale=1.0)
    rates.add(chunks(np.ones((100, 1, 1)), [100])[0])
    assert rates.time(0.001, rates.between(0.025, 0.041, 0.001)).tolist() == pytest.approx([0.025, 0.035, 0.045])


@given(rows=st.integers(1, 80), columns=st.integers(1, 80))
def test_chosen_cells_are_different_cells_and_not_too_many(rows: int, columns: int) -> None:
    cells = chosen_cells((rows, columns), most=50)
    assert 1 <= len(cells) <= 50
    assert len(set(cells.tolist())) == len(cells)
    assert cells.max() < rows * columns


@given(st.lists(st.integers(0, 3), min_size=6, max_size=30))
def test_there_are_as_many_events_as_spikes(counts: list[int]) -> None:
    table = np.array(counts[: len(counts) // 3 * 3], dtype=float).reshape(-1, 3)
    frame, cell = spike_events(table)
    back = np.zeros_like(table)
    np.add.at(back, (frame, cell), 1)
    np.testing.assert_array_equal(back, table)


def test_a_raster_gets_every_spike_of_its_cells_once(cells: CentreSurround, frames: np.ndarray) -> None:
    raster = SpikeRaster(n_cells=[1, 1])
    feed = RasterFeed(raster)
    total = 0.0
    for chunk in cells.stream(frames, dt=60):
        feed.on_chunk(chunk)
        total += float(sum(response.sum() for response in chunk.output))
    assert raster.n_cells == [72, 72]
    assert raster.snapshot().n_events == total > 0
    assert raster.snapshot().fields["now"] == pytest.approx(0.2)
    raster.close()


def test_the_kernel_of_a_view_is_that_of_the_model(cells: CentreSurround) -> None:
    data = KernelData.of(cells)
    np.testing.assert_allclose(data.weights[1], -data.weights[0])
    assert data.index_of((4, 5), (4, 5)) == (2, 2)
    assert data.index_of((40, 5), (4, 5)) is None
    assert data.at((2, 2), 0).argmax() == data.weights[0, :, 2, 2].argmax()
    assert not data.at(None, 0).any()


def test_every_view_of_a_filter_shows_that_of_a_model(cells: CentreSurround) -> None:
    views = FilterMosaic(), ImpulseResponse(), SpatialProfile(), FilterVolume()
    for view in views:
        view.show(cells)
    mosaic, impulse, profile, volume = views
    data = KernelData.of(cells)
    np.testing.assert_array_equal(mosaic.snapshot().arrays["weights"], data.tiles)
    assert (mosaic.dt, mosaic.pixel_per_degree) == (data.step * data.thinning, data.pixel_per_degree)
    for shown in (impulse._data, profile._data, volume._data):
        np.testing.assert_array_equal(shown.weights, data.weights)
    for view in views:
        view.close()


def test_a_long_filter_is_thinned_and_its_tiles_keep_their_times() -> None:
    data = KernelData(np.zeros((1, 100, 3, 3), np.float32), step=0.001, pixel_per_degree=10.0)
    assert data.tiles.shape == (34, 3, 3)
    assert data.tile_ms(10) == pytest.approx(30.0)


def test_rows_come_from_the_declarations(cells: CentreSurround) -> None:
    rows = {row["name"]: row for row in parameter_rows(cells)}
    assert set(rows) == {handle.name for handle in cells.user_parameters}
    tau = rows["receptive_field.tau_center"]
    assert (tau["value"], tau["default"], tau["unit"], tau["scale"]) == (0.01, 0.01, "s", "log")
    assert tau["group"] == "receptive field"
    assert "time constant" in tau["doc"]


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), most=st.integers(2, 12))
def test_ticks_lie_inside_and_are_not_too_many(low: float, span: float, most: int) -> None:
    ticks = nice_ticks(low, low + span, most)
    assert len(ticks) <= most
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= tick <= low + span + slack for tick in ticks)


@given(start=st.floats(-9.0, 9.0), decades_long=st.one_of(st.floats(0.2, 2.5), st.floats(0.2, 12.0)))
def test_ticks_of_a_logarithmic_axis_do_not_crowd(start: float, decades_long: float) -> None:
    low, ratio = 10.0**start, 10.0**decades_long
    ticks = decades(low, low * ratio, 5)
    assert 1 <= len(ticks) <= 5
    gaps = np.diff(np.log(ticks)) / np.log(ratio)
    assert gaps.min(initial=1.0) > 0.1, ticks  # of the axis: a number needs a tenth of 150 pixels


def test_decades_and_formats_are_what_a_person_would_write() -> None:
    assert decades(0.02, 30.0, 6).tolist() == pytest.approx([0.1, 1.0, 10.0])
    assert tick_format(np.array([0.0, 0.25, 0.5])) == ".2f" or tick_format(np.array([0.0, 0.2, 0.4])) == ".1f"
    assert tick_format(np.array([1e-5, 1.5e-5])) == "~e"
    assert tick_format(np.array([5e4, 1e5, 1.5e5])) == "~s"
    assert tick_format(10.0 ** np.arange(-3, 5)) == "~g"


@pytest.mark.parametrize("weights", [1.0, -1.0, 0.0])
def test_a_cloud_of_the_filter_in_3d_is_never_without_a_point(weights: float) -> None:
    view = FilterVolume()
    view.show(KernelData(np.full((1, 4, 3, 3), weights, np.float32), 0.001, 10.0))
    assert view._due is not None
    view._due.join(10.0)
    shown = {sign: cloud.size for sign, cloud in view._clouds.items()}
    for sign, cloud in view._clouds.items():
        assert len(cloud.x) == len(cloud.y) == len(cloud.z) == len(shown[sign]) == (36 if sign * weights > 0 else 1)
        assert (shown[sign] > 0).all() == (sign * weights > 0)
    assert "convis-card" in view._dom_classes, "alone in a cell it is a card like the others"
    assert view.figure.animation == 0, "nothing moves that has not happened"
    view.close()


def test_without_ipyvolume_the_view_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipyvolume", None)
    view = FilterVolume()
    assert "pip install ipyvolume" in view.figure.value
    view.show(KernelData(np.ones((1, 4, 3, 3), np.float32), 0.001, 10.0))
    view.close()


def test_curves_without_a_point_have_no_more_numbers_than_those_with_one() -> None:
    view = LossCurve()
    assert [len(axis.tick_values) for axis in view.figure.axes] == [6, 2], (
        "six, for a long fit has long numbers in a narrow card"
    )
    view.close()
