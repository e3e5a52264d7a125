"""A figure of a fit: filters, nonlinearity with data, what follows a spike, how learning went, scores."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from convis_core.estimation.nonlinearity_estimate import NonlinearityEstimate
from convis_core.estimation.portrait import ShownFilter
from convis_core.estimation.report import FitReport
from convis_core.plotting.canvas import GREY, colour_bar, colours, empty_figure, legend, limits, quiet
from convis_core.plotting.learning_curve import plot_learning_curve
from convis_core.plotting.nonlinearity import plot_nonlinearity
from convis_core.tensors import to_tensor

__all__ = ["plot_fit_report"]

Array = np.ndarray[Any, Any]
Image = tuple[str, Array, Array]
"""Title, values and errors of a map."""

Course = tuple[str, Array, Array | None]
"""Label, values and errors of a time course."""

MOST_MAPS: Final = 8
"""Maps in a row, beyond which they are too small to be seen."""

MOST_LABELS: Final = 6
"""Lines that a legend names without hiding them."""


def plot_fit_report(report: FitReport, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw a `FitReport`.

    A filter that is a sum of separable parts is shown by their maps and time courses, any other one by its
    strongest lag and pixel; of many, the first eight. A line in a map goes around the pixels that are more than two
    standard deviations away from 0.

    Parameters
    ----------
    report : FitReport
    figure : Figure, optional
        An empty one; the current one if it is empty, else a new one.
    """
    there = {
        _nonlinearity: report.observed is not None,
        _after_spikes: bool(report.portrait.after_spikes),
        _learning: report.learning is not None,
        _losses: bool(report.losses),
    }
    panels = [draw for draw in (*there, _scores) if there.get(draw, True)]
    filters = report.portrait.filters
    images, courses, title, unit = _shown(filters)
    shown = len(images) + bool(courses)
    canvas = empty_figure(figure, (max(12.0, 3.0 * shown), 6.0 if shown else 3.2))
    below = canvas
    if shown:
        above, below = np.ravel(np.asarray(canvas.subfigures(2, 1)))
        *maps, course = np.atleast_1d(above.subplots(1, shown))
        _maps(maps, images)
        _time_courses(course, courses, title, unit)
    for draw, ax in zip(panels, np.atleast_1d(below.subplots(1, len(panels))), strict=True):
        draw(report, ax)
    return canvas


def _shown(filters: tuple[ShownFilter, ...]) -> tuple[list[Image], list[Course], str, str]:
    """Maps, time courses, and title and unit of these."""
    if len(filters) == 1 and filters[0].parts:
        parts = filters[0].parts[:MOST_MAPS]
        images = [(f"map {k + 1}", part.map, part.map_error) for k, part in enumerate(parts)]
        return images, [(f"part {k + 1}", part.time_course, None) for k, part in enumerate(parts)], "time courses", ""
    images, courses = [], []
    for shown in filters[:MOST_MAPS]:
        lag, x, y = shown.strongest
        images.append((f"{shown.name} at lag {lag}", shown.values[lag], shown.errors[lag]))
        error = shown.errors[:, x, y] if shown.errors_are_known else None
        courses.append((shown.name, shown.values[:, x, y], error))
    title = "each at its strongest pixel"
    if len(filters) == 1:
        x, y = filters[0].strongest[1:]
        title = f"filter at pixel ({x}, {y})" + ", 2 errors" * filters[0].errors_are_known
    return images, courses, title, "drive per unit"


def _maps(axes: list[Axes], images: list[Image]) -> None:
    """Maps on one scale; a line goes around the pixels that are two standard deviations away from 0."""
    low, high = limits(np.stack([values for _, values, _ in images]), signed=True)
    for k, (ax, (title, values, error)) in enumerate(zip(axes, images, strict=True)):
        image = ax.imshow(values, cmap=colours(signed=True), vmin=low, vmax=high)
        sure = np.abs(values) > 2.0 * error
        if sure.any() and not sure.all():
            _outline(ax, sure)
        ax.set(title=title, xlabel="y, column (px)", ylabel="x, row (px)" if k == 0 else "")
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    colour_bar(image, axes[-1], "drive per unit")


def _outline(ax: Axes, pixels: Array) -> None:
    """Draw a line along the edges of pixels; dark, for a map is pale in both themes."""
    fine = 10
    rows, columns = ((np.arange(n * fine) + 0.5) / fine - 0.5 for n in pixels.shape)
    ax.contour(columns, rows, np.kron(pixels, np.ones((fine, fine))), levels=[0.5], colors="0.25", linewidths=0.9)


def _time_courses(ax: Axes, courses: list[Course], title: str, unit: str) -> None:
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    for label, course, error in courses:
        (line,) = ax.plot(course, marker=".", label=label)
        if error is not None:
            low, high = course - 2.0 * error, course + 2.0 * error
            ax.fill_between(np.arange(len(course)), low, high, color=line.get_color(), alpha=0.3, linewidth=0)
    ax.set(title=title, xlabel="lag (frames)", ylabel=unit or "weight")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    quiet(ax)
    if 1 < len(courses) <= MOST_LABELS:
        legend(ax, loc="best")


def _nonlinearity(report: FitReport, ax: Axes) -> None:
    observed, portrait = report.observed, report.portrait
    if isinstance(observed, NonlinearityEstimate):
        plot_nonlinearity(observed, ax)
    elif observed is not None:
        places, means = observed.drive.numpy(), observed.response.numpy()
        ax.errorbar(
            places, means, 2.0 * observed.errors.numpy(), fmt="o", markersize=4, elinewidth=1.0, label="data, 2 errors"
        )
        ax.set(ylabel="response")
        quiet(ax)
    low, high = ax.get_xlim()
    drive = np.linspace(low, high, 100)
    ax.plot(drive, portrait.curve(to_tensor(drive)).numpy(), color="C1", label="model")
    title = "nonlinearity, test part" if portrait.drive_name == "drive" else "predicted and observed"
    ax.set(title=title, xlabel=portrait.drive_name, xlim=(low, high))
    legend(ax, loc="upper left")


def _after_spikes(report: FitReport, ax: Axes) -> None:
    lines = report.portrait.after_spikes
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    for name, line in lines.items():
        ax.plot(np.arange(1, len(line) + 1), line, marker=".", label=name)
    ax.set(title="spike history" if len(lines) == 1 else "after a spike", xlabel="bins since a spike", ylabel="drive")
    quiet(ax)
    if 1 < len(lines) <= MOST_LABELS:
        legend(ax, loc="best")


def _learning(report: FitReport, ax: Axes) -> None:
    if report.learning is not None:
        plot_learning_curve(report.learning, ax)


def _losses(report: FitReport, ax: Axes) -> None:
    ax.plot(report.losses, marker="." if len(report.losses) < 50 else None)
    if 0.0 < 10.0 * min(report.losses) < max(report.losses):
        ax.set_yscale("log")
    ax.set(title="loss during the fit", xlabel="update", ylabel="loss before it")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    quiet(ax)


def _scores(report: FitReport, ax: Axes) -> None:
    names = list(report.scores)
    for row, (value, (low, high), _) in enumerate(report.scores.values()):
        ax.plot([low, high], [row, row], color=f"C{row}")
        ax.plot([value], [row], "o", color=f"C{row}")
    ax.set(title="scores on the test part", xlabel=report.measure, ylim=(len(names) - 0.5, -0.5))
    ax.set_yticks(range(len(names)), labels=[name.replace(" ", "\n", 1) for name in names])
    quiet(ax)
