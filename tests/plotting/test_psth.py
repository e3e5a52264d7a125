"""A peri-stimulus time histogram is a rate in Hz over time in s, with the trials it comes from above."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import same_color

import convis_core as convis
from convis_core.analysis import psth
from convis_core.errors import ConvisError, ParameterError
from convis_core.plotting import plot_psth

RESOLUTION = convis.Resolution(10.0, 100.0)


def trials(n: int = 5, channels: int = 1, frames: int = 40, rows: int = 1) -> np.ndarray:
    return np.random.default_rng(0).poisson(0.3, size=(n, channels, frames, rows, 1))


def test_steps_are_as_high_as_the_rate_and_end_with_their_bin(ax):
    counts = trials()
    (line,) = plot_psth(counts, ax, bin_width=0.1, resolution=RESOLUTION)
    np.testing.assert_allclose(line.get_xdata(), [0.0, 0.1, 0.2, 0.3, 0.4])
    by_hand = counts[:, 0, :, 0, 0].reshape(5, 4, 10).sum(axis=2).mean(axis=0) / 0.1
    np.testing.assert_allclose(line.get_ydata(), [*by_hand, by_hand[-1]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "rate (Hz)")
    assert ax.get_ylim()[0] == 0.0 and ax.get_xlim() == pytest.approx((0.0, 0.4))


def test_the_band_is_one_standard_error_to_each_side(ax):
    counts = trials()
    plot_psth(counts, ax, bin_width=0.1, resolution=RESOLUTION, trials=False)
    found = psth(counts, 0.1, resolution=RESOLUTION)
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    upper = found.rate[0, :, 0, 0] + found.error[0, :, 0, 0]
    assert heights.max() == pytest.approx(upper.max())
    assert heights.min() >= 0.0, "there are no rates below 0"


def test_trials_stand_above_in_rows_on_the_same_time(ax):
    counts = trials()
    plot_psth(counts, ax, bin_width=0.1, resolution=RESOLUTION)
    above = next(other for other in ax.figure.axes if other is not ax)
    (marks,) = above.lines
    trial, frame = np.nonzero(counts[:, 0, :, 0, 0])
    np.testing.assert_array_equal(marks.get_ydata(), trial)
    np.testing.assert_allclose(marks.get_xdata(), frame / 100)
    assert above.get_ylabel() == "trial" and above.get_xlim() == ax.get_xlim()
    assert above.get_title(loc="right") == "5 trials, bins of 100 ms"
    ax.figure.canvas.draw()
    assert above.get_position().y0 > ax.get_position().y1


@pytest.mark.parametrize("layout", ["constrained", "tight", "none"])
def test_nothing_is_cut_off_in_a_figure_that_lays_itself_out(layout):
    figure, axes = plt.subplots(1, 2, layout=layout, figsize=(9, 4))
    for ax in axes:
        plot_psth(trials(), ax, bin_width=0.1, resolution=RESOLUTION)
    figure.canvas.draw()
    room = figure.bbox
    for ax in figure.axes:
        for label in (ax.title, ax.xaxis.label, ax.yaxis.label, ax._right_title):
            box = label.get_window_extent()
            assert box.x0 >= room.x0 and box.x1 <= room.x1 and box.y0 >= room.y0 and box.y1 <= room.y1, label


def test_axes_put_somewhere_by_hand_are_shared_with_the_raster_too():
    ax = plt.figure().add_axes((0.2, 0.2, 0.5, 0.5))
    plot_psth(trials(), ax, bin_width=0.1, resolution=RESOLUTION)
    above = next(other for other in ax.figure.axes if other is not ax)
    assert ax.get_position().y0 == pytest.approx(0.2)
    assert above.get_position().y1 == pytest.approx(0.7)


def test_several_cells_have_a_colour_a_name_and_rows_of_their_own(ax):
    lines = plot_psth(trials(channels=2, rows=2), ax, bin_width=0.1, resolution=RESOLUTION)
    assert [line.get_label() for line in lines] == ["0, 0", "0, 1", "1, 0", "1, 1"]
    assert ax.get_legend().get_title().get_text() == "channel, x"
    above = next(other for other in ax.figure.axes if other is not ax)
    for k, (marks, line) in enumerate(zip(above.lines, lines, strict=True)):
        assert same_color(marks.get_color(), line.get_color())
        assert set(marks.get_ydata()) <= set(range(5 * k, 5 * k + 5))
    counts = trials(channels=2, rows=2)
    np.testing.assert_array_equal(
        np.unique(above.lines[2].get_ydata()) - 10, np.unique(np.nonzero(counts[:, 1, :, 0])[0])
    )


def test_of_many_cells_the_mean_is_drawn(ax):
    counts = trials(rows=20)
    (line,) = plot_psth(counts, ax, bin_width=0.1, resolution=RESOLUTION)
    assert line.get_ydata().mean() == pytest.approx(counts.mean() * 100, rel=0.1)
    assert ax.figure.axes == [ax]
    assert ax.get_title(loc="right") == "mean of 20 cells, 5 trials, bins of 100 ms"


def test_a_histogram_that_is_there_already_is_drawn_as_it_is(ax):
    found = psth(trials(), 0.1, resolution=RESOLUTION)
    (line,) = plot_psth(found, ax)
    np.testing.assert_allclose(line.get_ydata()[:-1], found.rate.ravel())
    assert ax.get_title(loc="right") == "bins of 100 ms"


def test_an_output_brings_its_time(ax):
    o = convis.Output([torch.as_tensor(trials()).float()], None, RESOLUTION, start=100)
    (line,) = plot_psth(o, ax, bin_width=0.1)
    np.testing.assert_allclose(line.get_xdata(), [1.0, 1.1, 1.2, 1.3, 1.4])
    above = next(other for other in ax.figure.axes if other is not ax)
    assert above.lines[0].get_xdata().min() >= 1.0


def test_a_single_trial_has_no_error_and_no_raster(ax):
    plot_psth(trials(n=1), ax, bin_width=0.1, resolution=RESOLUTION)
    assert ax.figure.axes == [ax] and len(ax.collections) == 0


def test_silence_is_a_rate_of_zero(ax):
    (line,) = plot_psth(np.zeros((3, 1, 40, 1, 1)), ax, bin_width=0.1, resolution=RESOLUTION)
    assert not line.get_ydata().any()


@pytest.mark.parametrize(("x", "bin_width"), [(trials() - 0.5, 0.1), (trials(), 1e-6), (trials(), 9.0)])
def test_what_is_no_histogram_is_refused(x, bin_width, ax):
    with pytest.raises(ParameterError):
        plot_psth(x, ax, bin_width=bin_width, resolution=RESOLUTION)


def test_several_responses_are_refused(ax):
    with pytest.raises(ConvisError, match=r"output\[0\]"):
        plot_psth(convis.Output([torch.ones(1, 1, 40, 1, 1)] * 2, None, RESOLUTION), ax)
