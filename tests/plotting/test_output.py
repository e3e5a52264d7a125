"""`Output.plot` shows each response in the way that was asked for, and in a good one if none was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

import convis_core as convis
from convis_core.errors import ConvisError, ParameterError, UnknownNameError
from convis_core.plotting import plot_output, plot_raster, plot_spike_trains

RESOLUTION = convis.Resolution(10.0, 1000.0)
NAMES = ("cells_ON", "cells_OFF")


def spiking(*shape: int, n: int = 1) -> convis.Output:
    generator = torch.Generator().manual_seed(1)
    trains = [(torch.rand(*shape, generator=generator) < 0.05).float() for _ in range(n)]
    return convis.Output(trains, NAMES[:n] if n > 1 else None, RESOLUTION)


def graded(*shape: int, n: int = 1) -> convis.Output:
    return convis.Output([torch.randn(*shape) for _ in range(n)], NAMES[:n] if n > 1 else None, RESOLUTION)


def test_lines_of_the_quickstart_are_spike_trains_one_above_the_other(ax):
    o = spiking(1, 1, 2000, 20, 20)
    (drawn,) = o.plot(mode="lines")
    assert isinstance(drawn, LineCollection) and drawn.axes is ax
    traces = drawn.get_segments()
    assert len(traces) == 40
    train = o.array()[0, 0, :, 0, 0]
    np.testing.assert_allclose(traces[0], np.column_stack([o.time, -0.75 * train]), atol=1e-6)
    assert all(t[:, 1].max() - t[:, 1].min() < 1.0 for t in traces), "no trace reaches into the next"
    assert ax.get_title(loc="right") == f"40 of 400 cells, {int(o.array().sum())} spikes in all"
    assert ax.get_xlim() == (0.0, 2.0) and ax.get_xlabel() == "time (s)"


def test_a_raster_has_a_mark_for_each_step_with_spikes(ax):
    o = spiking(1, 2, 100, 3, 3)
    (marks,) = o.plot(mode="raster")
    cell, frame = np.nonzero(o.array()[0].transpose(0, 2, 3, 1).reshape(18, 100))
    np.testing.assert_array_equal(marks.get_ydata(), cell)
    np.testing.assert_allclose(marks.get_xdata(), frame / 1000)


def test_two_populations_have_rows_and_colours_of_their_own(ax):
    on, off = spiking(1, 1, 100, 3, 3, n=2).plot(mode="raster")
    assert max(on.get_ydata()) < 9 <= min(off.get_ydata())
    assert same_color(on.get_color(), "#bf5700") and same_color(off.get_color(), "#1664a8")
    assert ax.get_ylim() == (17.5, -0.5)
    assert [text.get_text() for text in ax.texts] == list(NAMES)


def test_two_populations_share_the_rows_there_are(ax):
    drawn = spiking(1, 1, 50, 10, 10, n=2).plot(mode="lines", max_cells=8)
    assert [len(d.get_segments()) for d in drawn] == [4, 4]
    assert len(ax.get_yticks()) == 8


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (spiking(1, 1, 100, 4, 4), Line2D),
        (spiking(1, 1, 100, 2, 2), LineCollection),
        (graded(1, 1, 1, 4, 4), AxesImage),
        (graded(1, 1, 100, 1, 1), list),
        (graded(1, 1, 100, 4, 4), list),
    ],
)
def test_auto_chooses_by_what_there_is_to_see(output, kind):
    (drawn,) = output.plot()
    assert isinstance(drawn, kind)


def test_the_mean_of_two_responses_is_named_and_coloured(ax):
    drawn = graded(1, 1, 30, 4, 4, n=2).plot(mode="mean")
    assert [lines[0].get_label() for lines in drawn] == list(NAMES)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(NAMES)


def test_the_highest_rate_of_all_responses_is_inside(ax):
    low, high = torch.zeros(1, 1, 100, 2, 2), torch.ones(1, 1, 100, 2, 2)
    low[:, :, 3] = 1
    convis.Output([low, high], NAMES, RESOLUTION).plot(mode="mean")
    assert ax.get_ylim()[1] > 1000.0


def test_one_response_can_be_chosen_by_index_or_name(ax):
    o = graded(1, 1, 30, 1, 1, n=2)
    for k in (1, "cells_OFF"):
        ((line,),) = o.plot(mode="lines", k=k)
        np.testing.assert_array_equal(line.get_ydata(), o.array(1).ravel())
    with pytest.raises(UnknownNameError, match="cells_ON, cells_OFF"):
        o.plot(k="cells_on")
    with pytest.raises(UnknownNameError):
        o.plot(k=2)


def test_frames_of_spikes_are_rates_in_blocks(ax):
    o = spiking(1, 1, 200, 3, 3)
    (image,) = o.plot(mode="matshow", columns=10)
    first = o.array()[0, 0, :4].mean(axis=0) * 1000
    np.testing.assert_allclose(image.get_array()[:3, :3], first)
    assert ax.get_title(loc="right") == "rate (Hz) in blocks of 4 ms"


def test_frames_of_a_graded_response_are_its_values(ax):
    o = graded(1, 1, 6, 3, 3)
    (image,) = o.plot(mode="matshow", columns=6)
    np.testing.assert_array_equal(image.get_array()[:, :3], o.array()[0, 0, 0])
    assert ax.get_xlabel() == "time (ms)"


def test_images_of_two_responses_stand_side_by_side():
    images = graded(1, 1, 5, 3, 3, n=2).plot(mode="image")
    assert len({id(image.axes) for image in images}) == 2
    assert len(plt.get_fignums()) == 1
    with pytest.raises(ParameterError, match="k='cells_ON'"):
        graded(1, 1, 5, 3, 3, n=2).plot(mode="image", ax=images[0].axes)


def test_silent_cells_can_be_plotted(ax):
    silent = convis.Output([torch.zeros(1, 1, 10, 2, 2)], resolution=RESOLUTION)
    (marks,) = silent.plot(mode="raster")
    assert len(marks.get_xdata()) == 0 and ax.get_xlim() == pytest.approx((0.0, 0.01))


@pytest.mark.parametrize("plot", [plot_raster, plot_spike_trains])
def test_a_raster_of_what_is_not_spikes_is_refused(ax, plot):
    for wrong in (np.array([0.5, 1.0]), np.array([-1.0, 1.0])):
        with pytest.raises(ParameterError, match="spike counts"):
            plot(wrong, ax)
    with pytest.raises(ParameterError, match="max_cells"):
        plot(np.ones(3), ax, max_cells=0)


def test_other_modes_and_other_things_are_refused(ax):
    with pytest.raises(ParameterError, match="lines, mean, matshow, raster, image"):
        graded(1, 1, 5, 1, 1).plot(mode="line")
    with pytest.raises(ConvisError, match="plot_tensor"):
        plot_output(np.zeros(5))


@pytest.mark.parametrize("mode", ["auto", "lines", "mean", "matshow", "raster", "image"])
def test_an_output_without_responses_is_refused_in_every_mode(mode):
    with pytest.raises(ParameterError, match="without responses"):
        plot_output(convis.Output([]), mode=mode)
