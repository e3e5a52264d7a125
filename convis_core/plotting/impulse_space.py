"""The response to a single bright pixel in space and time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from convis_core.layer import Layer
from convis_core.plotting.canvas import GREY, colour_bar, colours, empty_figure, limits, note
from convis_core.plotting.impulse_window import Impulse, measured_impulse
from convis_core.plotting.mosaic import Mosaic
from convis_core.plotting.signal import evenly_chosen

__all__ = ["plot_impulse_space"]

N_FRAMES = 10


def plot_impulse_space(
    layer: Layer,
    figure: Figure | SubFigure | None = None,
    *,
    length: int | None = None,
    size: tuple[int, int] | None = None,
    amplitude: float = 1.0,
    background: float = 0.0,
    limit: float | None = None,
) -> list[AxesImage]:
    """Plot the response to an impulse as frames and as slices through space and time.

    Above are frames of the response, below what happens over time along the column and
    along the row of the impulse. Distances are those of the responding cell from the
    impulse; a model with a single time series is probed with impulses at all pixels.

    Parameters
    ----------
    layer : Layer
        The model; its state is untouched.
    figure : matplotlib figure or subfigure, optional
        The current figure if it is empty, else a new one.
    length : int, optional
        Frames to observe; 20, 50, 100, ... as the response needs if not given.
    size : tuple of int, optional
        Size of the image; 11 x 11, 21 x 21, ... pixels as the response needs if not given.
    amplitude, background : float
        Height of the impulse and what it is added to.
    limit : float, optional
        Value of the strongest colour; give the same for several models to compare them.

    Returns
    -------
    list of AxesImage
        Frames, x over time and y over time, for each response and channel in turn.

    Raises
    ------
    ParameterError
        If `layer` is not a Layer.

    Examples
    --------
    >>> import convis_core as convis
    >>> from matplotlib.figure import Figure
    >>> frames, x_t, y_t = plot_impulse_space(convis.filters.Conv3d(kernel_dim=(5, 3, 3)), Figure())
    >>> x_t.get_array().shape  # 11 pixels, 20 lags
    (11, 20)
    """
    impulse = measured_impulse(layer, length, size, amplitude=amplitude, background=background)
    n = len(impulse.responses)
    whole = empty_figure(figure, (8.0, 4.4 * n))
    rows = whole.subfigures(n, 1, squeeze=False)[:, 0] if n > 1 else [whole]
    drawn = []
    for row, (name, values) in zip(rows, impulse.responses.items(), strict=True):
        top = limit or limits(values, signed=True)[1]
        axes = row.subplot_mosaic([["frames", "frames"], ["x", "y"]], height_ratios=[1, 1.7])
        drawn.append(_frames(axes["frames"], values, impulse, top))
        drawn += [_slice(axes["xy"[axis]], values, impulse, axis, top) for axis in (0, 1)]
        colour_bar(drawn[-1], axes["y"])
        title = type(layer).__name__ if n == 1 else f"{type(layer).__name__}: {name}"
        axes["frames"].set_title(title, loc="left", fontsize="medium")
    return drawn


def _frames(ax: Axes, values: NDArray[Any], impulse: Impulse, top: float) -> AxesImage:
    """Draw frames side by side, evenly chosen from the part of the response that is not over."""
    strength = np.abs(values).max(axis=(1, 2))
    lively = np.flatnonzero(strength > 1e-3 * strength.max()) if strength.max() > 0 else np.arange(len(values))
    chosen = evenly_chosen(int(lively[-1]) + 1, N_FRAMES)
    mosaic = Mosaic(1, len(chosen), values.shape[1], values.shape[2], columns=len(chosen))
    drawn = ax.imshow(mosaic.paint(values[None, chosen]), cmap=colours(True), vmin=-top, vmax=top)
    drawn.set_interpolation("nearest")
    ax.set_xticks(mosaic.column_centres(), labels=[f"{impulse.lags[k]:.4g}" for k in chosen])
    ax.set_xlabel("time after the impulse (ms)")
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    height, width = (np.array(values.shape[1:]) / impulse.resolution.pixel_per_degree).tolist()
    note(ax, f"frames of {height:g} × {width:g} deg")
    return drawn


def _slice(ax: Axes, values: NDArray[Any], impulse: Impulse, axis: int, top: float) -> AxesImage:
    """Draw what happens along one axis through the impulse; time runs to the right."""
    middle = (values.shape[2 - axis] - 1) // 2
    across = values.take(middle, axis=2 - axis).T
    lags, offsets = impulse.lags, impulse.offsets(axis)
    half_t, half_s = 500.0 * impulse.resolution.step, 0.5 / impulse.resolution.pixel_per_degree
    drawn = ax.imshow(
        across,
        cmap=colours(True),
        vmin=-top,
        vmax=top,
        interpolation="nearest",
        aspect="auto",
        extent=(lags[0] - half_t, lags[-1] + half_t, offsets[-1] + half_s, offsets[0] - half_s),
    )
    ax.axhline(0.0, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_xlabel("time after the impulse (ms)")
    ax.set_ylabel(f"{'xy'[axis]}, {('row', 'column')[axis]} (deg)")
    ax.spines[:].set_color(GREY)
    return drawn
