"""A figure of a fitted receptive field: maps, time courses, nonlinearity with data, history, scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.report import FitReport
from convis_core.plotting.canvas import GREY, colour_bar, colours, empty_figure, legend, limits, quiet
from convis_core.plotting.learning_curve import plot_learning_curve
from convis_core.plotting.nonlinearity import plot_nonlinearity
from convis_core.tensors import to_tensor

__all__ = ["plot_fit_report"]

Array = np.ndarray[Any, Any]


def plot_fit_report(report: FitReport, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw a `FitReport`.

    A line in a map goes around the pixels that are more than two standard deviations away from 0.

    Parameters
    ----------
    report : FitReport
    figure : Figure, optional
        An empty one; the current one if it is empty, else a new one.
    """
    field = report.field
    shown = field.rank if field.method == "separable" else 1  # else each "part" is one lag of the filter
    canvas = empty_figure(figure, (max(12.0, 3.0 * (shown + 1)), 6.0))
    above, below = np.ravel(np.asarray(canvas.subfigures(2, 1)))
    *maps, course = np.atleast_1d(above.subplots(1, shown + 1))
    lag, x, y = np.unravel_index(np.abs(field.filter).argmax(), field.filter.shape)
    if field.method == "separable":
        _maps(maps, field.maps, field.map_errors, [f"map {k + 1}" for k in range(shown)])
        _time_courses(report, course)
    else:
        _maps(maps, field.filter[lag : lag + 1], field.filter_error[lag : lag + 1], [f"filter at lag {lag}"])
        _time_course_at(report, course, int(x), int(y))
    there = {_history: len(field.history) > 0, _learning: report.learning is not None}
    panels = [draw for draw in (_nonlinearity, _history, _learning, _scores) if there.get(draw, True)]
    for draw, ax in zip(panels, below.subplots(1, len(panels)), strict=True):
        draw(report, ax)
    return canvas


def _maps(axes: list[Axes], maps: Array, errors: Array, titles: list[str]) -> None:
    """Maps on one scale; a line goes around the pixels that are two standard deviations away from 0."""
    low, high = limits(maps, signed=True)
    for k, (ax, values, error, title) in enumerate(zip(axes, maps, errors, titles, strict=True)):
        image = ax.imshow(values, cmap=colours(signed=True), vmin=low, vmax=high)
        sure = np.abs(values) > 2.0 * error
        if sure.any() and not sure.all():
            _outline(ax, sure)
        ax.set(title=title, xlabel="y, column (px)", ylabel="x, row (px)" if k == 0 else "")
    colour_bar(image, axes[-1], "drive per unit")


def _outline(ax: Axes, pixels: Array) -> None:
    """Draw a line along the edges of pixels; dark, for a map is pale in both themes."""
    fine = 10
    rows, columns = ((np.arange(n * fine) + 0.5) / fine - 0.5 for n in pixels.shape)
    ax.contour(columns, rows, np.kron(pixels, np.ones((fine, fine))), levels=[0.5], colors="0.25", linewidths=0.9)


def _time_course_at(report: FitReport, ax: Axes, x: int, y: int) -> None:
    course, error = report.field.filter[:, x, y], 2.0 * report.field.filter_error[:, x, y]
    lags = np.arange(len(course))
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    (line,) = ax.plot(lags, course, marker=".")
    ax.fill_between(lags, course - error, course + error, color=line.get_color(), alpha=0.3, linewidth=0)
    ax.set(title=f"filter at pixel ({x}, {y}), 2 errors", xlabel="lag (frames)", ylabel="drive per unit")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    quiet(ax)


def _time_courses(report: FitReport, ax: Axes) -> None:
    for k, course in enumerate(report.field.time_courses):
        ax.plot(course, marker=".", label=f"part {k + 1}")
    ax.set(title="time courses", xlabel="lag (frames)", ylabel="weight")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    quiet(ax)
    if report.field.rank > 1:
        legend(ax)


def _nonlinearity(report: FitReport, ax: Axes) -> None:
    plot_nonlinearity(report.observed, ax)
    low, high = ax.get_xlim()
    drive = np.linspace(low, high, 100)
    rate = nonlinearity_named(report.field.nonlinearity).rate(to_tensor(drive)).numpy()
    ax.plot(drive, rate, color="C1", label="model")
    ax.set(title="nonlinearity, test part", xlim=(low, high))
    ax.legend(loc="upper left", fontsize="small", framealpha=0.8, edgecolor="none")


def _history(report: FitReport, ax: Axes) -> None:
    history = report.field.history
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    ax.plot(np.arange(1, len(history) + 1), history, marker=".")
    ax.set(title="spike history", xlabel="bins since a spike", ylabel="drive")
    quiet(ax)


def _learning(report: FitReport, ax: Axes) -> None:
    if report.learning is not None:
        plot_learning_curve(report.learning, ax)


def _scores(report: FitReport, ax: Axes) -> None:
    names = list(report.scores)
    for row, (bits, (low, high), _) in enumerate(report.scores.values()):
        ax.plot([low, high], [row, row], color=f"C{row}")
        ax.plot([bits], [row], "o", color=f"C{row}")
    ax.set(title="scores on the test part", xlabel="bits per spike", ylim=(len(names) - 0.5, -0.5))
    ax.set_yticks(range(len(names)), labels=names)
    quiet(ax)
