"""Time courses as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from convis_core.errors import ParameterError
from convis_core.plotting.canvas import axes_to_draw_in, legend, mark_time, note, quiet
from convis_core.plotting.signal import Signal, as_signal, evenly_chosen
from convis_core.resolution import Resolution
from convis_core.tensors import AXES, TIME

__all__ = ["plot_5d_time", "plot_mean"]

FEW = 8
"""So many lines have a colour and a name each."""


def plot_5d_time(
    x: Any,
    ax: Axes | None = None,
    *,
    mean: int | Sequence[int] = (),
    resolution: Resolution | None = None,
    max_lines: int = 50,
    **options: Any,
) -> list[Line2D]:
    """Plot time courses; ``plot_5d_time(o[0], mean=(3, 4))`` is the mean over space.

    Parameters
    ----------
    x : array, tensor, parameter or Output, ``[batch, channel, time, x, y]``
        What to plot; fewer axes are lifted to five.
    ax : matplotlib axes, optional
        The current axes if not given; lines are added to what is there.
    mean : int or sequence of int
        Axes to average over; every place along the others gets a line of its own.
    resolution : Resolution, optional
        Gives time in s; an Output brings its own. Without it time is in frames.
    max_lines : int
        If there are more, evenly chosen ones are drawn, and a note says so.
    **options
        Passed on to ``Axes.plot``.

    Returns
    -------
    list of Line2D

    Raises
    ------
    ShapeError
        If `x` cannot be lifted to five axes.
    ParameterError
        If `mean` names an axis that does not exist, or time.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> line, = plot_5d_time(np.ones((1, 1, 100, 4, 4)), Figure().subplots(), mean=(3, 4))
    >>> line.get_ydata().shape
    (100,)
    """
    signal = averaged(as_signal(x, resolution), mean)
    if max_lines < 1:
        raise ParameterError(f"max_lines must be at least 1, got {max_lines!r}.")
    ax = axes_to_draw_in(ax)
    cells = evenly_chosen(signal.n_cells, max_lines)
    courses = signal.courses()[:, cells]
    lines = ax.plot(signal.time, courses, **(_style(len(cells)) | options))
    if len(lines) > 1 and "label" not in options:
        _tell_apart(ax, lines, signal.cell_places(cells), options)
    quiet(ax)
    mark_time(ax, signal.time, signal.resolution)
    if not ax.get_ylabel():
        ax.set_ylabel("value" if mean == () else f"mean over {_named(mean)}")
    if len(cells) < signal.n_cells:
        note(ax, f"{len(cells)} of {signal.n_cells} time courses")
    return lines


def plot_mean(signal: Any, ax: Axes | None = None, *, n_bins: int = 200, **options: Any) -> list[Line2D]:
    """Plot the mean over all cells: the rate in bins for spikes, else mean and standard deviation.

    Parameters
    ----------
    signal : array, tensor, parameter or Output
        What to average.
    ax : matplotlib axes, optional
        The current axes if not given.
    n_bins : int
        Largest number of bins for spikes.
    **options
        Passed on to ``Axes.plot``.

    Examples
    --------
    >>> import convis_core as convis
    >>> from matplotlib.figure import Figure
    >>> o = convis.models.L(kernel_dim=(3, 3, 3)).run(convis.samples.moving_grating(100))
    >>> len(plot_mean(o, Figure().subplots()))
    1
    """
    signal = as_signal(signal)
    if n_bins < 1:
        raise ParameterError(f"n_bins must be at least 1, got {n_bins!r}.")
    ax = axes_to_draw_in(ax)
    if signal.is_spikes:
        lines = _rate(signal, ax, n_bins, options)
    else:
        courses = signal.courses().astype(np.float64)
        middle, spread = courses.mean(axis=1), courses.std(axis=1)
        lines = ax.plot(signal.time, middle, **(_style(1) | options))
        if signal.n_cells > 1:
            ax.fill_between(
                signal.time, middle - spread, middle + spread, color=lines[0].get_color(), alpha=0.15, linewidth=0
            )
            note(ax, f"mean ± standard deviation of {signal.n_cells} cells")
        ax.set_ylabel("response")
    quiet(ax)
    mark_time(ax, signal.time, signal.resolution)
    return lines


def averaged(signal: Signal, mean: int | Sequence[int]) -> Signal:
    """Average over some axes, keeping all five."""
    axes = _axes(mean)
    for axis in axes:
        if axis not in range(5) or axis == TIME:
            listed = ", ".join(f"{k} {name}" for k, name in enumerate(AXES) if k != TIME)
            raise ParameterError(f"mean must name axes among {listed}; got {axis!r}.", "For example mean=(3, 4).")
    if not axes:
        return signal
    values = signal.values.mean(axis=axes, keepdims=True, dtype=np.float64)
    return Signal(values, signal.resolution, signal.start)


def _axes(mean: int | Sequence[int]) -> tuple[int, ...]:
    return (mean,) if isinstance(mean, int) else tuple(mean)


def _named(mean: int | Sequence[int]) -> str:
    return ", ".join(AXES[axis] for axis in _axes(mean))


def _style(n: int) -> dict[str, Any]:
    return {"linewidth": 1.1} if n <= FEW else {"linewidth": 0.7, "alpha": 0.8}


def _tell_apart(
    ax: Axes, lines: list[Line2D], places: tuple[list[str], list[tuple[int, ...]]], options: dict[str, Any]
) -> None:
    """Tell few lines apart by a legend, many by a colour that runs with their place."""
    if len(lines) <= FEW:
        for line, place in zip(lines, places[1], strict=True):
            line.set_label(", ".join(str(k) for k in place))
        legend(ax, ", ".join(places[0]))
    elif not {"color", "c"} & set(options):
        for line, shade in zip(lines, plt.get_cmap("viridis")(np.linspace(0.0, 0.9, len(lines))), strict=True):
            line.set_color(shade)


def _rate(signal: Signal, ax: Axes, n_bins: int, options: dict[str, Any]) -> list[Line2D]:
    """Draw the spikes per cell and second, counted in bins of whole frames; the last may be shorter."""
    width = -(-signal.n_frames // n_bins)
    per_frame = signal.binned(width).courses().mean(axis=1)
    resolution = signal.resolution
    scale = 1.0 if resolution is None else resolution.steps_per_second
    ends = np.append(signal.time[::width], signal.time[-1] + 1.0 / scale)
    lines = ax.plot(
        ends, np.append(per_frame, per_frame[-1]) * scale, **(_style(1) | {"drawstyle": "steps-post"} | options)
    )
    ax.set_ylabel("spikes per cell and frame" if resolution is None else "rate (Hz)")
    most = max(float(np.max(line.get_ydata())) for line in ax.lines)
    ax.set_ylim(0.0, 1.1 * most)
    bins = f"bins of {width} frames" if resolution is None else f"bins of {1e3 * width / scale:.3g} ms"
    note(ax, f"mean of {signal.n_cells} cells, {bins}")
    return lines
