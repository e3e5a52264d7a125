"""Peri-stimulus time histogram: the rate over time, its error, and the trials it is the mean of."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from convis_core.analysis import PSTH, psth
from convis_core.errors import ParameterError
from convis_core.plotting.canvas import axes_to_draw_in, legend, mark_time, note, quiet
from convis_core.plotting.signal import Signal, as_signal
from convis_core.plotting.spikes import plot_raster
from convis_core.plotting.time_courses import FEW
from convis_core.resolution import Resolution, default_resolution

__all__ = ["plot_psth"]


def plot_psth(
    x: Any,
    ax: Axes | None = None,
    *,
    bin_width: float = 0.01,
    trials: bool = True,
    resolution: Resolution | None = None,
    **options: Any,
) -> list[Line2D]:
    """Plot the rate over repeated trials, with its standard error, below a raster of the trials.

    Parameters
    ----------
    x : array, tensor, Output or PSTH
        Spike counts ``[trial, channel, time, x, y]``, or what `psth` made of them.
    ax : matplotlib axes, optional
        The current axes if not given; the raster takes their upper part.
    bin_width : float
        In s; rounded to whole frames.
    trials : bool
        Whether to draw the trials. There are none to draw of a PSTH, nor of more than eight cells,
        of which the mean is plotted.
    resolution : Resolution, optional
        Frames per second; that of an Output, else the default.
    **options
        Passed on to ``Axes.plot`` for the rate.

    Returns
    -------
    list of Line2D
        The rate of each cell, or their mean.

    Raises
    ------
    ParameterError
        If the values are no spike counts, or a bin is shorter than half a frame or longer than a trial.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> counts = np.random.default_rng(0).poisson(0.05, size=(20, 1, 500, 1, 1))
    >>> (rate,) = plot_psth(counts, Figure().subplots(), bin_width=0.05)
    >>> len(rate.get_xdata()) - 1  # bins
    10
    """
    ax = axes_to_draw_in(ax)
    signal = None if isinstance(x, PSTH) else _counts(x, resolution)
    histogram = x if signal is None else psth(signal.values, bin_width, resolution=signal.resolution)
    start = 0.0 if signal is None or signal.resolution is None else signal.start * signal.resolution.step
    width = 2.0 * float(histogram.time[0])  # the first bin begins at 0, and its middle is half a bin later
    edges = start + np.append(histogram.time - width / 2, histogram.time[-1] + width / 2)
    rates, errors = (np.moveaxis(a, 1, 0).reshape(a.shape[1], -1) for a in (histogram.rate, histogram.error))
    cells = rates.shape[1]
    if cells > FEW:
        rates, errors = rates.mean(axis=1, keepdims=True), np.full((len(rates), 1), np.nan)
    lines = [_rate(ax, edges, rates[:, k], errors[:, k], options) for k in range(rates.shape[1])]
    _label(ax, edges, 1000 * width, cells, signal)
    if 1 < cells <= FEW and "label" not in options:
        _name_cells(ax, lines, signal)
    if trials and signal is not None and len(signal.values) > 1 and cells <= FEW:
        _trials(ax, signal, lines)
    return lines


def _counts(x: Any, resolution: Resolution | None) -> Signal:
    """Take spike counts with their sampling, which a histogram in s cannot do without."""
    signal = as_signal(x, resolution)
    if not signal.is_spikes and signal.values.any():
        low, high = signal.values.min(), signal.values.max()
        raise ParameterError(
            f"Expected spike counts, whole numbers from 0, got values from {low:.4g} to {high:.4g}.",
            "Plot a graded response with plot_mean, or give what convis.analysis.psth made of it.",
        )
    return signal if signal.resolution else Signal(signal.values, default_resolution(), signal.start)


def _rate(ax: Axes, edges: NDArray[Any], rate: NDArray[Any], error: NDArray[Any], options: dict[str, Any]) -> Line2D:
    """Draw steps that end with their bin, within plus and minus one standard error."""
    steps = [np.append(values, values[-1]) for values in (rate, rate - error, rate + error)]
    look: dict[str, Any] = {"drawstyle": "steps-post", "linewidth": 1.3}
    (line,) = ax.plot(edges, steps[0], **(look | options))
    if np.isfinite(error).all():
        ax.fill_between(
            edges, np.maximum(steps[1], 0.0), steps[2], step="post", color=line.get_color(), alpha=0.2, linewidth=0
        )
    return line


def _name_cells(ax: Axes, lines: list[Line2D], signal: Signal | None) -> None:
    axes, names = ["cell"], [str(k) for k in range(len(lines))]
    if signal is not None:
        one = Signal(signal.values[:1])
        axes, places = one.cell_places(np.arange(one.n_cells))
        names = [", ".join(map(str, place)) for place in places]
    for line, name in zip(lines, names, strict=True):
        line.set_label(name)
    legend(ax, ", ".join(axes))


def _label(ax: Axes, edges: NDArray[Any], width_ms: float, cells: int, signal: Signal | None) -> None:
    quiet(ax)
    ax.set_xlabel("time (s)")
    ax.set_xlim(float(edges[0]), float(edges[-1]))
    ax.set_ylabel("rate (Hz)")
    ax.set_ylim(0.0, 1.05 * max(ax.get_ylim()[1], 1e-9))
    said = [f"mean of {cells} cells"] if cells > FEW else []
    said += [f"{len(signal.values)} trials"] if signal is not None else []
    note(ax, ", ".join([*said, f"bins of {width_ms:.3g} ms"]))


def _trials(ax: Axes, signal: Signal, lines: list[Line2D]) -> None:
    """Draw a row for each trial above, the cells in their colours one below the other."""
    trials, channels, frames = signal.values.shape[:3]
    by_cell = np.moveaxis(signal.values, 0, -1).reshape(channels, frames, -1, trials)
    rasters = by_cell.transpose(0, 2, 3, 1).reshape(len(lines), trials, frames)
    above = _room_above(ax)
    for k, line in enumerate(lines):
        rows = Signal(rasters[k][:, None, :, None, None], signal.resolution, signal.start)
        plot_raster(rows, above, first_row=k * trials, of_rows=len(lines) * trials, color=line.get_color())
    mark_time(above, signal.time, signal.resolution)
    above.set_xlabel("")
    above.tick_params(labelbottom=False, bottom=False)
    above.set_ylabel("trial" if len(lines) == 1 else "trials of each")
    if len(lines) > 1:
        above.set_yticks([])
    note(above, ax.get_title(loc="right"))
    ax.set_title("", loc="right")


def _room_above(ax: Axes) -> Axes:
    """Leave the lower part of its place to `ax`, in whatever layout it stands, and return axes in the upper one."""
    figure, place = ax.figure, ax.get_subplotspec()
    if place is not None:
        rows = place.subgridspec(2, 1, height_ratios=(2, 3), hspace=0.05)
        ax.set_subplotspec(rows[1])
        return figure.add_subplot(rows[0], sharex=ax)
    x, y, width, height = ax.get_position().bounds
    ax.set_position((x, y, width, 0.58 * height))
    return figure.add_axes((x, y + 0.62 * height, width, 0.38 * height), sharex=ax)
