"""Figures can be read on a light and on a dark ground."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from convis_core.plotting import plot_mean
from convis_core.plotting.canvas import colour_of, note


@pytest.fixture(params=["default", "dark_background"])
def style(request: pytest.FixtureRequest) -> Generator[str]:
    with plt.style.context(request.param):
        yield request.param


def contrast(one: str, other: str) -> float:
    """Ratio of luminances as the guidelines for accessible pages define it (WCAG 2, 1.4.3)."""

    def luminance(colour: str) -> float:
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["ganglion_spikes_ON", "ganglion_spikes_OFF"])
def test_names_of_populations_can_be_read(style, name):
    assert contrast(colour_of(name, 0), plt.rcParams["axes.facecolor"]) >= 4.5


def test_small_print_can_be_read(style):
    ax = plt.subplots()[1]
    note(ax, "mean of 4 cells")
    assert contrast(ax._right_title.get_color(), plt.rcParams["figure.facecolor"]) >= 4.5


def test_a_figure_made_for_a_plot_cuts_nothing_off(style):
    (line,) = plot_mean(1e-4 * np.random.default_rng(0).normal(size=(50, 3, 3)))
    figure = line.axes.figure
    figure.canvas.draw()
    assert line.axes.yaxis.label.get_window_extent().x0 >= 0
