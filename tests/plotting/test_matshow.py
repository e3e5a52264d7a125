"""A filter as a sequence of images: every value in its place, one pixel of border, honest labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

import convis_core as convis
from convis_core.errors import ParameterError, ShapeError
from convis_core.plotting import plot_5d_matshow, plot_image, plot_tensor
from convis_core.plotting.mosaic import Mosaic, best_columns

small = st.integers(1, 7)


@settings(deadline=None, max_examples=50)
@given(small, small, small, small, small)
def test_every_frame_can_be_read_off_the_mosaic_and_the_rest_is_border(groups, frames, height, width, columns):
    mosaic = Mosaic(groups, frames, height, width, min(columns, frames))
    values = np.arange(float(groups * frames * height * width)).reshape(groups, frames, height, width)
    image = mosaic.paint(values)
    for group in range(groups):
        for frame in range(frames):
            x, y = mosaic.corner(group, frame)
            np.testing.assert_array_equal(image[x : x + height, y : y + width], values[group, frame])
    assert np.isfinite(image).sum() == values.size
    assert image.shape == mosaic.shape
    assert len(mosaic.column_centres()) * (width + 1) - 1 == image.shape[1]
    assert len(mosaic.row_centres()) * (height + 1) - 1 == image.shape[0]


@settings(deadline=None, max_examples=50)
@given(small, st.integers(1, 60), small, small, st.floats(0.1, 10.0))
def test_columns_are_within_a_sixth_of_the_largest_frames(groups, frames, height, width, aspect):
    def scale(columns: int) -> float:
        rows = groups * math.ceil(frames / columns)
        return min(aspect / (columns * (width + 1)), 1 / (rows * (height + 1)))

    chosen = best_columns(groups, frames, height, width, aspect)
    assert scale(chosen) > 0.85 * max(scale(c) for c in range(1, frames + 1))


def test_the_quickstart_filter_is_twelve_frames_with_a_border_of_one_pixel(ax):
    weight = torch.randn(1, 1, 12, 10, 10)
    image = plot_5d_matshow(weight, ax, columns=4)
    array = image.get_array()
    assert array.shape == (3 * 11 - 1, 4 * 11 - 1)
    np.testing.assert_array_equal(array[11:21, 22:32], weight[0, 0, 6])
    assert array.mask[10].all() and array.mask[:, 10].all()


def test_limits_are_symmetric_about_zero_and_white_is_zero(ax):
    image = plot_5d_matshow(np.array([[[0.0, 1.0], [-3.0, 0.5]]]), ax)
    assert image.get_clim() == (-3.0, 3.0)
    assert min(image.cmap(image.norm(0.0))[:3]) > 0.95
    red, blue = image.cmap(image.norm(3.0)), image.cmap(image.norm(-3.0))
    assert red[0] > red[2] and blue[2] > blue[0]


@pytest.mark.parametrize(("options", "expected"), [({"limit": 2.0}, (-2.0, 2.0)), ({"signed": False}, (0.0, 5.0))])
def test_limits_can_be_chosen(ax, options, expected):
    assert plot_5d_matshow(np.full((2, 3, 3), 5.0), ax, **options).get_clim() == expected


def test_a_filter_of_zeros_is_drawn_in_the_colour_of_zero(ax):
    image = plot_5d_matshow(np.zeros((2, 3, 3)), ax)
    assert image.norm(0.0) == 0.5


def test_lags_of_a_parameter_are_in_ms_of_its_layer(ax):
    layer = convis.filters.Conv3d(kernel_dim=(6, 3, 3), resolution=convis.Resolution(10.0, 200.0))
    plot_5d_matshow(layer.p.weight, ax, columns=3)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "5", "10"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0", "15"]
    assert "(ms)" in ax.get_xlabel() and "(ms)" in ax.get_ylabel()


def test_lags_of_a_bare_tensor_are_in_frames(ax):
    plot_5d_matshow(torch.zeros(3, 2, 2), ax, columns=3)
    assert ax.get_xlabel() == "lag (frames)"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1", "2"]


def test_channels_have_rows_of_their_own(ax):
    weight = torch.arange(4.0).reshape(2, 2, 1, 1, 1).expand(2, 2, 3, 1, 1)
    image = plot_5d_matshow(weight, ax, columns=3)
    np.testing.assert_array_equal(image.get_array()[::2, 0], [0, 1, 2, 3])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0, 0", "0, 1", "1, 0", "1, 1"]


def test_too_many_frames_are_thinned_and_it_says_so(ax):
    plot_5d_matshow(np.zeros((500, 2, 2)), ax, max_frames=20)
    assert ax.get_title(loc="right") == "20 of 500 frames"


def test_it_draws_into_empty_current_axes_and_not_over_another_image():
    _, (left, right) = plt.subplots(1, 2)
    plt.sca(left)
    assert plot_5d_matshow(np.zeros((2, 2, 2))).axes is left
    plt.sca(right)
    assert plot_5d_matshow(np.zeros((2, 2, 2))).axes is right
    plt.title("a title")
    assert right.get_title() == "a title"
    assert plot_5d_matshow(np.zeros((2, 2, 2))).axes.figure is not right.figure


def test_an_image_is_the_mean_over_time_or_one_frame(ax):
    film = np.arange(24.0).reshape(2, 3, 4) - 5.0
    np.testing.assert_array_equal(plot_image(film, ax).get_array(), film.mean(axis=0))
    np.testing.assert_array_equal(plot_image(film, ax, frame=1).get_array(), film[1])


def test_an_image_of_spikes_is_their_rate(ax):
    spikes = np.zeros((4, 2, 2))
    spikes[::2, 0, 1] = 1
    image = plot_image(spikes, ax, resolution=convis.Resolution(10.0, 100.0))
    np.testing.assert_array_equal(image.get_array(), [[0, 50.0], [0, 0]])


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((30,), "Line2D"), ((4, 5), "AxesImage"), ((12, 4, 5), "AxesImage"), ((500, 4, 5), "Line2D")],
)
def test_plot_tensor_goes_by_the_shape(ax, shape, kind):
    drawn = plot_tensor(np.ones(shape), ax)
    assert type(drawn[0] if isinstance(drawn, list) else drawn).__name__ == kind


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 2, 2)), np.zeros((0, 3, 3)), "kernel", object(), 3.0])
@pytest.mark.parametrize("plot", [plot_5d_matshow, plot_tensor, plot_image])
def test_what_has_not_the_right_shape_is_refused(ax, plot, wrong):
    with pytest.raises(ShapeError):
        plot(wrong, ax)


@pytest.mark.parametrize("options", [{"columns": 0}, {"max_frames": 0}, {"limit": -1.0}, {"ax": "here"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ParameterError):
        plot_5d_matshow(np.zeros((2, 2, 2)), **options)


def test_an_image_refuses_channels_and_frames_that_do_not_exist(ax):
    with pytest.raises(ShapeError, match="one channel"):
        plot_image(np.zeros((1, 2, 3, 4, 4)), ax)
    with pytest.raises(ShapeError, match="no frame 7"):
        plot_image(np.zeros((3, 4, 4)), ax, frame=7)
