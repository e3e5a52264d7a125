"""Impulse responses: the kernel of a linear layer, in windows that can be compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

import convis_core as convis
from convis_core.errors import ParameterError
from convis_core.plotting import plot_impulse, plot_impulse_space
from convis_core.plotting.impulse_window import measured_impulse

RESOLUTION = convis.Resolution(20.0, 500.0)


def linear(*kernel_dim: int, population: bool = True) -> convis.Layer:
    torch.manual_seed(3)
    return convis.models.L(kernel_dim=kernel_dim, population=population, resolution=RESOLUTION)


def test_the_response_of_a_linear_model_is_its_kernel_around_the_impulse():
    model = linear(4, 5, 3)
    (response,) = measured_impulse(model, None, None).responses.values()
    assert response.shape == (20, 11, 11)
    weight = model.p.conv.weight.value[0, 0]
    np.testing.assert_allclose(response[:4, 3:8, 4:7], weight, atol=1e-6)
    assert np.abs(response).sum() == pytest.approx(np.abs(weight).sum(), rel=1e-4), "and nothing else"


@pytest.mark.parametrize("kernel_dim", [(3, 5, 5), (3, 4, 6), (2, 3, 4)])
def test_a_single_cell_answers_like_the_population_it_could_belong_to(kernel_dim):
    population, cell = linear(*kernel_dim), linear(*kernel_dim, population=False)
    cell.conv.set_weight(population.conv.weight)
    (expected,) = measured_impulse(population, None, None).responses.values()
    (response,) = measured_impulse(cell, None, None).responses.values()
    np.testing.assert_allclose(response, expected, atol=1e-6)


def test_lags_and_distances_are_in_ms_and_deg():
    impulse = measured_impulse(linear(3, 3, 3), None, None)
    np.testing.assert_allclose(impulse.lags[:3], [0.0, 2.0, 4.0])
    np.testing.assert_allclose(impulse.offsets(0), np.arange(-5, 6) / 20.0)


def test_similar_models_get_the_same_window():
    shapes = {next(iter(measured_impulse(linear(*dim), None, None).responses.values())).shape for dim in QUICKSTART}
    assert shapes == {(20, 11, 11)}


QUICKSTART = [(12, 10, 10), (10, 5, 5)]


def test_over_time_it_is_drawn_at_the_strongest_pixel(ax):
    model = linear(4, 3, 3)
    weight = torch.zeros(4, 3, 3)
    weight[:, 2, 0] = torch.tensor([1.0, -3.0, 2.0, 0.5])
    model.conv.set_weight(weight)
    (line,) = model.plot_impulse(length=6)
    np.testing.assert_allclose(line.get_ydata(), [1.0, -3.0, 2.0, 0.5, 0.0, 0.0], atol=1e-6)
    assert ax.get_xlabel() == "time after the impulse (ms)" and ax.get_xlim() == (0.0, 10.0)


def test_two_models_can_be_drawn_into_the_same_axes(ax):
    linear(12, 3, 3).plot_impulse(length=30, label="long")
    linear(3, 3, 3).plot_impulse(length=10, label="short")
    assert ax.get_xlim() == (0.0, 58.0)


def test_every_response_and_channel_has_a_line(ax):
    model = convis.filters.Conv3d(1, 2, kernel_dim=(3, 3, 3))
    assert [line.get_label() for line in plot_impulse(model, ax)] == ["output, channel 0", "output, channel 1"]


def test_space_shows_frames_and_slices_through_the_impulse():
    model = linear(4, 3, 3)
    weight = model.p.conv.weight.value[0, 0]
    frames, x_t, y_t = plot_impulse_space(model)
    np.testing.assert_allclose(x_t.get_array()[4:7, :4], weight[:, :, 1].T, atol=1e-6)
    np.testing.assert_allclose(y_t.get_array()[4:7, :4], weight[:, 1, :].T, atol=1e-6)
    np.testing.assert_allclose(frames.get_array()[4:7, 4:7], weight[0], atol=1e-6)
    assert (
        frames.get_clim() == x_t.get_clim() == y_t.get_clim() == pytest.approx((-abs(weight).max(), abs(weight).max()))
    )


def test_the_axes_of_a_slice_are_where_its_pixels_are():
    _, x_t, y_t = plot_impulse_space(linear(4, 3, 3), length=10, size=(5, 9))
    assert x_t.get_extent() == pytest.approx([-1.0, 19.0, 0.125, -0.125])
    assert y_t.get_extent() == pytest.approx([-1.0, 19.0, 0.225, -0.225])
    assert x_t.axes.get_ylabel() == "x, row (deg)" and y_t.axes.get_ylabel() == "y, column (deg)"


def test_each_model_has_a_figure_and_an_empty_one_is_used_first():
    figure = plt.figure()
    model = linear(3, 3, 3)
    model.plot_impulse_space()
    model.plot_impulse_space(limit=2.0)
    assert len(plt.get_fignums()) == 2
    assert figure.axes


def test_a_model_with_two_responses_has_three_images_each():
    model = convis.models.CentreSurround(duration=0.01, extent=0.2, seed=1)
    assert len(model.plot_impulse_space(length=10, size=(5, 5))) == 6


def test_state_and_parameters_are_untouched():
    model = linear(4, 3, 3, population=False)
    model.run(np.ones((10, 6, 6)))
    before = model.get_all()
    plot_impulse_space(model)
    after = model.get_all()
    torch.testing.assert_close(after["state"], before["state"])
    np.testing.assert_array_equal(after["parameters"]["conv.weight"], before["parameters"]["conv.weight"])


@pytest.mark.parametrize("plot", [plot_impulse, plot_impulse_space])
def test_what_cannot_answer_is_refused(plot):
    with pytest.raises(ParameterError, match="plot_5d_matshow"):
        plot(np.zeros((3, 3, 3)))
    with pytest.raises(ParameterError, match="at least 1"):
        plot(linear(3, 3, 3), length=-1)


def test_a_figure_must_be_a_figure():
    with pytest.raises(ParameterError, match=r"plt\.figure"):
        plot_impulse_space(linear(3, 3, 3), figure="one")
