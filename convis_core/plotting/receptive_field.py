"""A figure of a fitted receptive field: maps, time courses, nonlinearity with data, history, scores."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.report import FitReport
from convis_core.plotting.canvas import GREY, colour_bar, colours, empty_figure, legend, limits, quiet
from convis_core.tensors import to_tensor

__all__ = ["plot_fit_report"]


def plot_fit_report(report: FitReport, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw a `FitReport`.

    Parameters
    ----------
    report : FitReport
    figure : Figure, optional
        An empty one; the current one if it is empty, else a new one.
    """
    field, rank = report.field, report.field.rank
    canvas = empty_figure(figure, (max(10.0, 3.0 * (rank + 1)), 6.0))
    above, below = np.ravel(np.asarray(canvas.subfigures(2, 1)))
    low, high = limits(field.maps, signed=True)
    *maps, course = np.atleast_1d(above.subplots(1, rank + 1))
    for k, ax in enumerate(maps):
        image = ax.imshow(field.maps[k], cmap=colours(signed=True), vmin=low, vmax=high)
        ax.set(title=f"map {k + 1}", xlabel="y, column (px)", ylabel="x, row (px)" if k == 0 else "")
    colour_bar(image, maps[-1], "drive per unit")
    _time_courses(report, course)
    panels = [_nonlinearity, _history, _scores] if len(field.history) else [_nonlinearity, _scores]
    for draw, ax in zip(panels, below.subplots(1, len(panels)), strict=True):
        draw(report, ax)
    return canvas


def _time_courses(report: FitReport, ax: Axes) -> None:
    for k, course in enumerate(report.field.time_courses):
        ax.plot(course, marker=".", label=f"part {k + 1}")
    ax.set(title="time courses", xlabel="lag (frames)", ylabel="weight")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    quiet(ax)
    if report.field.rank > 1:
        legend(ax)


def _nonlinearity(report: FitReport, ax: Axes) -> None:
    ax.errorbar(report.drive, report.counts, report.errors, fmt="o", markersize=4, label="test part")
    drive = np.linspace(report.drive.min(), report.drive.max(), 100)
    ax.plot(drive, nonlinearity_named(report.field.nonlinearity).rate(to_tensor(drive)).numpy(), label="model")
    ax.set(title="nonlinearity", xlabel="drive", ylabel="spikes per bin")
    quiet(ax)
    ax.legend(loc="upper left", fontsize="small", framealpha=0.8, edgecolor="none")


def _history(report: FitReport, ax: Axes) -> None:
    history = report.field.history
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    ax.plot(np.arange(1, len(history) + 1), history, marker=".")
    ax.set(title="spike history", xlabel="bins since a spike", ylabel="drive")
    quiet(ax)


def _scores(report: FitReport, ax: Axes) -> None:
    names = list(report.scores)
    for row, (bits, (low, high), _) in enumerate(report.scores.values()):
        ax.plot([low, high], [row, row], color=f"C{row}")
        ax.plot([bits], [row], "o", color=f"C{row}")
    ax.set(title="scores on the test part", xlabel="bits per spike", ylim=(len(names) - 0.5, -0.5))
    ax.set_yticks(range(len(names)), labels=names)
    quiet(ax)
