"""Figures are drawn without a screen, and closed after each test."""

from __future__ import annotations

from collections.abc import Generator

import matplotlib
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes


@pytest.fixture(autouse=True)
def settings_are_kept() -> Generator[None]:
    """Draw every open figure, so that errors of drawing show, and hold matplotlib's settings to what they were."""
    before = dict(matplotlib.rcParams)
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
    assert dict(matplotlib.rcParams) == before


@pytest.fixture
def ax() -> Axes:
    return plt.subplots()[1]
