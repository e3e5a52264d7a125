"""Lines show the numbers they are said to show, against a time in the unit written on the axis."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import convis_core as convis
from convis_core.errors import ConvisError, ParameterError, ShapeError
from convis_core.plotting import plot_5d_time, plot_mean
from convis_core.plotting.signal import as_signal, evenly_chosen

RESOLUTION = convis.Resolution(10.0, 200.0)


def test_the_mean_over_space_against_frames(ax):
    x = torch.randn(1, 1, 50, 4, 5)
    (line,) = plot_5d_time(x, mean=(3, 4))
    assert line.axes is ax
    np.testing.assert_allclose(line.get_ydata(), x.mean(dim=(3, 4)).ravel(), atol=1e-6)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(50))
    assert ax.get_xlabel() == "time (frames)" and ax.get_ylabel() == "mean over x, y"


def test_with_a_resolution_time_is_in_seconds(ax):
    (line,) = plot_5d_time(np.zeros(10), ax, resolution=RESOLUTION)
    assert line.get_xdata()[-1] == pytest.approx(9 / 200)
    assert ax.get_xlabel() == "time (s)"


def test_an_output_brings_its_time(ax):
    o = convis.Output([torch.zeros(1, 1, 10, 1, 1)], resolution=RESOLUTION, start=100)
    (line,) = plot_5d_time(o, ax)
    np.testing.assert_allclose(line.get_xdata(), o.time)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from([0, 1, 3, 4])))
def test_any_axes_but_time_can_be_averaged_over(axes):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 2, 2))
    lines = plot_5d_time(x, Figure().subplots(), mean=tuple(axes))
    expected = np.moveaxis(x.mean(axis=tuple(axes), keepdims=True), 2, 0).reshape(5, -1)
    np.testing.assert_allclose(np.stack([line.get_ydata() for line in lines], axis=1), expected)


def test_two_calls_draw_over_each_other_and_keep_all_of_the_time(ax):
    plot_5d_time(np.zeros(100), ax)
    plot_5d_time(np.zeros(20), ax)
    assert len(ax.lines) == 2
    assert ax.get_xlim() == (0.0, 100.0)


def test_many_lines_are_thinned_and_it_says_so(ax):
    lines = plot_5d_time(np.zeros((30, 20, 20)), ax, max_lines=25)
    assert len(lines) == 25
    assert ax.get_title(loc="right") == "25 of 400 time courses"


def test_few_lines_are_named_by_their_place(ax):
    plot_5d_time(torch.zeros(1, 3, 10, 1, 1), ax)
    legend = ax.get_legend()
    assert legend.get_title().get_text() == "channel"
    assert [t.get_text() for t in legend.get_texts()] == ["0", "1", "2"]


def test_a_parameter_with_a_gradient_can_be_plotted(ax):
    layer = convis.filters.Conv3d(kernel_dim=(7, 1, 1), resolution=RESOLUTION)
    (line,) = plot_5d_time(layer.p.weight, ax)
    np.testing.assert_array_equal(line.get_ydata(), layer.weight.detach().ravel())


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 500), st.integers(1, 60))
def test_chosen_places_are_distinct_sorted_and_reach_the_end(n, most):
    chosen = evenly_chosen(n, most)
    assert len(chosen) == min(n, most)
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] == 0 and (len(chosen) == 1 or chosen[-1] == n - 1)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 12))
def test_bins_keep_the_number_of_spikes(n_frames, width):
    spikes = np.random.default_rng(n_frames).poisson(1.0, size=(n_frames, 2, 3)).astype(np.float64)
    binned = as_signal(spikes, RESOLUTION).binned(width)
    frames = np.minimum(width, n_frames - width * np.arange(binned.n_frames))
    total = (binned.values * frames[:, None, None]).sum()
    assert total == pytest.approx(spikes.sum())
    assert binned.resolution is not None
    assert binned.resolution.step == pytest.approx(width * RESOLUTION.step)


def test_the_mean_of_spikes_is_a_rate_in_hz(ax):
    spikes = np.zeros((100, 2, 2))
    spikes[::10] = 1
    (line,) = plot_mean(as_signal(spikes, RESOLUTION), ax, n_bins=10)
    np.testing.assert_allclose(line.get_ydata(), 20.0)  # one spike each 10 frames of 5 ms
    assert ax.get_ylabel() == "rate (Hz)"
    assert "bins of 50 ms" in ax.get_title(loc="right")


def test_the_mean_of_a_graded_response_has_its_standard_deviation_around_it(ax):
    x = np.random.default_rng(1).normal(size=(20, 4, 4))
    (line,) = plot_mean(x, ax)
    np.testing.assert_allclose(line.get_ydata(), x.mean(axis=(1, 2)))
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx((x.mean(axis=(1, 2)) + x.std(axis=(1, 2))).max())


@pytest.mark.parametrize("mean", [(2,), (5,), 2, (-1,)])
def test_time_and_axes_that_do_not_exist_are_refused(ax, mean):
    with pytest.raises(ParameterError, match="mean must name axes"):
        plot_5d_time(np.zeros((5, 2, 2)), ax, mean=mean)


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 2, 2)), np.array(["a"]), None])
def test_what_is_not_a_signal_is_refused(ax, wrong):
    with pytest.raises(ShapeError):
        plot_5d_time(wrong, ax)


def test_no_lines_at_all_are_refused(ax):
    with pytest.raises(ConvisError, match="max_lines"):
        plot_5d_time(np.zeros(5), ax, max_lines=0)
    with pytest.raises(ConvisError, match="n_bins"):
        plot_mean(np.ones(5), ax, n_bins=0)


def test_an_output_with_two_responses_has_to_be_chosen_from(ax):
    o = convis.Output([torch.zeros(1, 1, 3, 1, 1)] * 2, ["on", "off"])
    with pytest.raises(ShapeError, match="on, off"):
        plot_5d_time(o, ax)
