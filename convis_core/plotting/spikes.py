"""Spikes: a dot for each, or a trace for each cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.plotting.canvas import axes_to_draw_in, mark_time, note, quiet
from convis_core.plotting.signal import Signal, as_signal, evenly_chosen
from convis_core.resolution import Resolution

__all__ = ["MOST_ROWS", "MOST_TRACES", "plot_raster", "plot_spike_trains"]

MOST_ROWS = 2000
MOST_TRACES = 40


def plot_raster(
    x: Any,
    ax: Axes | None = None,
    *,
    resolution: Resolution | None = None,
    max_cells: int = MOST_ROWS,
    first_row: int = 0,
    of_rows: int | None = None,
    **options: Any,
) -> Line2D:
    """Draw a mark for each time step with spikes, one row for each cell, the first on top.

    Parameters
    ----------
    x : array, tensor or Output, ``[batch, channel, time, x, y]``
        Spike counts.
    ax : matplotlib axes, optional
        The current axes if not given.
    resolution : Resolution, optional
        Gives time in s; an Output brings its own.
    max_cells : int
        If there are more, evenly chosen ones are drawn, and a note says so.
    first_row, of_rows : int
        Row of the first cell and number of rows in all, to put one population below another.
    **options
        Passed on to ``Axes.plot``.

    Raises
    ------
    ParameterError
        If the values are not spike counts.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> marks = plot_raster(np.eye(4)[:, None], Figure().subplots())
    >>> marks.get_ydata().tolist()
    [0, 1, 2, 3]
    """
    signal = _counts(as_signal(x, resolution))
    ax = axes_to_draw_in(ax)
    cells = _chosen(signal, max_cells)
    row, frame = np.nonzero(signal.courses()[:, cells].T > 0)
    n_rows = of_rows or first_row + len(cells)
    room = ax.get_window_extent().height / ax.figure.dpi * 72 / n_rows
    look: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": float(np.clip(0.9 * room, 1.0, 12.0))}
    look |= {"markeredgewidth": 0.8, "rasterized": len(row) > 20_000}
    marks = ax.plot(signal.time[frame], first_row + row, **(look | options))[0]
    quiet(ax)
    ax.grid(False, axis="y")
    mark_time(ax, signal.time, signal.resolution)
    ax.set_ylim(n_rows - 0.5, -0.5)
    ax.set_ylabel("cell")
    note(ax, _how_many(signal, len(cells)))
    return marks


def plot_spike_trains(
    x: Any,
    ax: Axes | None = None,
    *,
    resolution: Resolution | None = None,
    max_cells: int = MOST_TRACES,
    first_row: int = 0,
    of_rows: int | None = None,
    **options: Any,
) -> LineCollection:
    """Draw a trace for each cell, one above the other, as high as the spikes in each step.

    Parameters
    ----------
    x : array, tensor or Output, ``[batch, channel, time, x, y]``
        Spike counts.
    ax : matplotlib axes, optional
        The current axes if not given.
    resolution : Resolution, optional
        Gives time in s; an Output brings its own.
    max_cells : int
        If there are more, evenly chosen ones are drawn, and a note says so.
    first_row, of_rows : int
        Row of the first cell and number of rows in all, to put one population below another.
    **options
        Passed on to ``matplotlib.collections.LineCollection``.

    Raises
    ------
    ParameterError
        If the values are not spike counts.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> len(plot_spike_trains(np.eye(4)[:, None], Figure().subplots()).get_segments())
    4
    """
    signal = _counts(as_signal(x, resolution))
    ax = axes_to_draw_in(ax)
    cells = _chosen(signal, max_cells)
    courses = signal.courses()[:, cells]
    height = 0.75 / max(float(courses.max()), 1.0)
    rows = first_row + np.arange(len(cells))
    traces = [np.column_stack([signal.time, row - height * courses[:, k]]) for k, row in enumerate(rows)]
    look: dict[str, Any] = {"linewidth": 0.7, "color": "C0"}
    drawn = LineCollection(traces, **(look | options))
    ax.add_collection(drawn)
    quiet(ax)
    ax.grid(False, axis="y")
    mark_time(ax, signal.time, signal.resolution)
    n_rows = of_rows or first_row + len(cells)
    ax.set_ylim(n_rows - 0.5, -1.0)
    _name_rows(ax, signal, cells, first_row, apart=-(-n_rows // 10))
    note(ax, _how_many(signal, len(cells)))
    return drawn


def _counts(signal: Signal) -> Signal:
    if not signal.is_spikes and signal.values.any():
        raise ParameterError(
            "Expected spike counts, whole numbers from 0, got values from "
            f"{signal.values.min():.4g} to {signal.values.max():.4g}.",
            "Plot a graded response with mode='lines' or 'mean'.",
        )
    return signal


def _name_rows(ax: Axes, signal: Signal, cells: NDArray[np.intp], first_row: int, apart: int) -> None:
    """Write beside some rows which cell they belong to, keeping the names of the rows above."""
    axes, places = signal.cell_places(cells[::apart])
    ticks = [int(tick) for tick in ax.get_yticks()] if first_row else []
    names = [text.get_text() for text in ax.get_yticklabels()] if first_row else []
    names += [", ".join(str(k) for k in place) for place in places]
    ticks += range(first_row, first_row + len(cells), apart)
    ax.set_yticks(ticks, labels=names)
    ax.set_ylabel(f"cell ({', '.join(axes)})" if axes else "cell")


def _chosen(signal: Signal, max_cells: int) -> NDArray[np.intp]:
    if max_cells < 1:
        raise ParameterError(f"max_cells must be at least 1, got {max_cells!r}.")
    return evenly_chosen(signal.n_cells, max_cells)


def _how_many(signal: Signal, shown: int) -> str:
    cells = f"{shown} of {signal.n_cells}" if shown < signal.n_cells else str(signal.n_cells)
    return f"{cells} cells, {int(signal.values.sum(dtype=np.float64))} spikes in all"
