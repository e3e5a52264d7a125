"""Tuning curves say what was varied, in which unit, and what is preferred."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.projections.polar import PolarAxes

from convis_core import filters
from convis_core.analysis import Tuning, direction_tuning, temporal_frequency_tuning
from convis_core.errors import ParameterError
from convis_core.plotting import plot_tuning

ANGLES = np.arange(8) * math.pi / 4
ONE_WAY = Tuning(ANGLES, 1 + np.cos(ANGLES - math.pi / 2), "direction", "mean")
FREQUENCIES = Tuning(np.array([16.0, 1.0, 4.0]), np.array([0.2, 1.0, 0.8]), "temporal frequency", "modulation")


@pytest.fixture
def round_axes():
    return plt.figure().add_subplot(projection="polar")


def test_directions_are_drawn_round_and_closed():
    line = plot_tuning(ONE_WAY)
    assert isinstance(line.axes, PolarAxes)
    np.testing.assert_allclose(line.get_xdata(), [*ANGLES, ANGLES[0]])
    np.testing.assert_allclose(line.get_ydata(), [*ONE_WAY.responses, ONE_WAY.responses[0]])
    assert line.axes.get_xlabel() == "mean response"


def test_the_preferred_direction_is_shown_as_long_as_it_is_preferred(round_axes):
    plot_tuning(ONE_WAY, round_axes)
    _, arrow = round_axes.lines
    angle, strength = ONE_WAY.direction_index()
    np.testing.assert_allclose(arrow.get_xdata(), angle)
    assert arrow.get_ydata()[1] / round_axes.get_ylim()[1] == pytest.approx(strength)
    assert round_axes.get_title(loc="right") == "preferred 90°, direction index 0.50"


def test_what_is_not_preferred_has_no_angle(ax):
    both_ways = Tuning(ANGLES, 1 + np.cos(2 * ANGLES))
    plot_tuning(both_ways, ax)
    assert ax.get_title(loc="right") == "no direction is preferred"
    assert len(ax.lines) == 1
    plot_tuning(both_ways, ax, orientation=True)
    assert ax.get_title(loc="right") == "preferred 0°, orientation index 0.50"


def test_an_axis_of_motion_is_the_mean_of_both_directions(round_axes, ax):
    line = plot_tuning(ONE_WAY, round_axes, orientation=True)
    np.testing.assert_allclose(line.get_ydata(), 1.0)  # what one direction has more the opposite one has less
    straight = plot_tuning(ONE_WAY, ax, orientation=True)
    np.testing.assert_allclose(straight.get_xdata(), [0, 45, 90, 135, 180])
    assert ax.get_xlabel() == "axis of motion (°)"


def test_a_straight_curve_ends_where_it_began(ax):
    line = plot_tuning(ONE_WAY, ax)
    np.testing.assert_allclose(line.get_xdata(), np.arange(0, 361, 45))
    assert line.get_ydata()[0] == line.get_ydata()[-1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("direction of motion (°)", "mean response")
    assert ax.get_ylim()[0] == 0.0


def test_directions_may_come_in_any_order_and_beyond_a_turn(ax):
    turned = Tuning(ANGLES[::-1] - math.pi, ONE_WAY.responses[::-1][[4, 5, 6, 7, 0, 1, 2, 3]])
    np.testing.assert_allclose(plot_tuning(turned, ax).get_ydata()[:-1], ONE_WAY.responses, atol=1e-12)


def test_frequencies_stand_in_order_on_a_logarithmic_axis(ax):
    line = plot_tuning(FREQUENCIES, ax)
    assert line.get_xdata().tolist() == [1.0, 4.0, 16.0]
    assert line.get_ydata().tolist() == [1.0, 0.8, 0.2]
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "temporal frequency (Hz)"
    assert ax.get_ylabel() == "modulation of the response"
    assert ax.get_title(loc="right") == "preferred 1 Hz"
    ax.figure.canvas.draw()
    assert {"1", "4", "16"} <= {text.get_text() for text in ax.get_xticklabels()}


def test_near_frequencies_stand_on_a_linear_axis(ax):
    plot_tuning(Tuning(np.array([4.0, 8.0]), np.ones(2), "temporal frequency"), ax)
    assert ax.get_xscale() == "linear" and ax.get_ylabel() == "response"


def test_what_was_measured_says_what_it_is(ax):
    layer, options = filters.NLRectify(), {"size": (5, 5), "cycles": 1, "settle": 0.0}
    frequencies = temporal_frequency_tuning(layer, [4.0, 8.0], measure="mean", **options)
    assert (frequencies.quantity, frequencies.measure) == ("temporal frequency", "mean")
    directions = direction_tuning(layer, 4, **options)
    assert (directions.quantity, directions.measure) == ("direction", "modulation")
    assert plot_tuning(directions, polar=False).axes.get_ylabel() == "modulation of the response"


def test_a_response_below_zero_is_drawn_straight_only(round_axes, ax):
    below = Tuning(ANGLES, np.cos(ANGLES))
    with pytest.raises(ParameterError, match="polar=False"):
        plot_tuning(below, round_axes)
    plot_tuning(below, ax)
    assert ax.get_ylim()[0] < -1.0


def test_no_response_at_all_is_drawn_too(round_axes):
    line = plot_tuning(Tuning(ANGLES, np.zeros(8)), round_axes)
    assert not line.get_ydata().any() and round_axes.get_ylim()[1] > 0


def test_what_does_not_suit_is_refused(ax, round_axes):
    with pytest.raises(ParameterError, match="Tuning"):
        plot_tuning(np.ones(3), ax)
    with pytest.raises(ParameterError, match="no direction"):
        plot_tuning(FREQUENCIES, round_axes)
    with pytest.raises(ParameterError, match="axes given"):
        plot_tuning(ONE_WAY, ax, polar=True)
    with pytest.raises(ParameterError, match="both directions"):
        plot_tuning(Tuning(ANGLES[:5], np.ones(5)), ax, orientation=True)
