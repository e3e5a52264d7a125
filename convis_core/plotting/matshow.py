"""A filter as a sequence of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.plotting.canvas import colour_bar, colours, empty_axes, limits, note
from convis_core.plotting.mosaic import Mosaic, best_columns
from convis_core.plotting.signal import Signal, as_signal, evenly_chosen
from convis_core.resolution import Resolution

__all__ = ["plot_5d_matshow"]


def plot_5d_matshow(
    w: Any,
    ax: Axes | None = None,
    *,
    resolution: Resolution | None = None,
    columns: int | None = None,
    limit: float | None = None,
    signed: bool = True,
    rate: bool = False,
    max_frames: int = 100,
    colorbar: bool = True,
    time_name: str = "lag",
) -> AxesImage:
    """Show a filter lag by lag in one image, the lags separated by a border of one pixel.

    Rows of a frame run down and columns to the right, as in ``plt.matshow``. The lag of a
    frame is that of its row, on the left, plus that of its column, below.

    Parameters
    ----------
    w : array, tensor, parameter or Output, ``[out_channel, in_channel, lag, x, y]``
        What to show; fewer axes are lifted to five. Each pair of channels starts a new row.
    ax : matplotlib axes, optional
        The current axes if not given, or a new figure if these hold data already.
    resolution : Resolution, optional
        Gives lags in ms; parameters and Outputs bring their own. Without it lags are in frames.
    columns : int, optional
        Frames in a row; chosen to fill the axes if not given.
    limit : float, optional
        Value of the strongest colour; the largest absolute value if not given.
    signed : bool
        True: blue to red, symmetric about zero. False: from zero up.
    rate : bool
        Whether values without sign are rates, and not grey levels.
    max_frames : int
        If there are more, evenly chosen ones are shown, and a note says so.
    colorbar : bool
        Whether to draw a colour bar.
    time_name : str
        What the time axis is called.

    Returns
    -------
    AxesImage
        Its array is the mosaic, with NaN as border.

    Raises
    ------
    ShapeError
        If `w` cannot be lifted to five axes.
    ParameterError
        If `columns`, `max_frames` or `limit` is not above 0.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> image = plot_5d_matshow(np.ones((12, 10, 10)), Figure().subplots(), columns=4)
    >>> image.get_array().shape
    (32, 43)
    """
    signal = as_signal(w, resolution)
    for name, value in (("columns", columns), ("max_frames", max_frames), ("limit", limit)):
        if value is not None and not value > 0:
            raise ParameterError(f"{name} must be above 0, got {value!r}.")
    chosen = evenly_chosen(signal.n_frames, max_frames)
    frames = signal.values[:, :, chosen].reshape(-1, len(chosen), *signal.values.shape[3:])
    mosaic, ax = _arrange(frames.shape, ax, columns)
    image = mosaic.paint(frames)
    low, high = limits(frames, signed) if limit is None else (-limit if signed else 0.0, limit)
    drawn = ax.imshow(image, cmap=colours(signed, rate), vmin=low, vmax=high, interpolation="nearest", aspect="equal")
    _label(ax, mosaic, signal, chosen, time_name)
    if colorbar:
        colour_bar(drawn, ax)
    return drawn


def _arrange(shape: tuple[int, ...], ax: Axes | None, columns: int | None) -> tuple[Mosaic, Axes]:
    """Choose the columns for the space there is, and for a figure of our own the space too."""
    groups, frames, height, width = shape
    wished = columns or best_columns(groups, frames, height, width, aspect=2.2)
    wanted = Mosaic(groups, frames, height, width, min(wished, frames)).shape
    own_width = 7.0
    own_height = float(np.clip((own_width - 1.2) * wanted[0] / wanted[1] + 0.9, 1.5, 9.0))
    ax = empty_axes(ax, (own_width, own_height))
    if columns is None:
        box = ax.get_window_extent()
        columns = best_columns(groups, frames, height, width, aspect=box.width / box.height)
    return Mosaic(groups, frames, height, width, min(columns, frames)), ax


def _label(ax: Axes, mosaic: Mosaic, signal: Signal, chosen: NDArray[np.intp], time_name: str) -> None:
    """Write the lag of each row on the left and what each column adds to it below."""
    milliseconds = 1.0 if signal.resolution is None else 1e3 * signal.resolution.step
    unit = "frames" if signal.resolution is None else "ms"
    lags = (signal.start + chosen) * milliseconds
    inside = [f"{lag - lags[0]:.4g}" for lag in lags[: mosaic.columns]]
    if mosaic.rows == 1:
        inside = [f"{lag:.4g}" for lag in lags]
    apart = -(-mosaic.columns // 16)  # more labels than these would touch
    ax.set_xticks(mosaic.column_centres()[::apart], labels=inside[::apart])
    ax.set_xlabel(f"{time_name} ({unit})" if mosaic.rows == 1 else f"+ {time_name} within the row ({unit})")
    names = []
    for group in range(mosaic.groups):
        out, into = divmod(group, signal.values.shape[1])
        head = f"{out}, {into}" if mosaic.groups > 1 else ""
        starts = [f"{lag:.4g}" for lag in lags[:: mosaic.columns]] if mosaic.rows > 1 else [""]
        names += [f"{head}:  {starts[0]}" if head and starts[0] else head or starts[0], *starts[1:]]
    ax.set_yticks(mosaic.row_centres(), labels=names)
    groups = "out, in channel" if mosaic.groups > 1 else ""
    rows = f"{time_name} ({unit})" if mosaic.rows > 1 else ""
    ax.set_ylabel(":  ".join(part for part in (groups, rows) if part))
    ax.tick_params(length=0, labelsize="small")
    ax.spines[:].set_visible(False)
    if len(chosen) < signal.n_frames:
        note(ax, f"{len(chosen)} of {signal.n_frames} frames")
