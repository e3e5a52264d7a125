"""One value for each pixel, as an image with its axes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from convis_core.errors import ShapeError
from convis_core.plotting.canvas import colour_bar, colours, empty_axes, limits, note
from convis_core.plotting.signal import as_signal
from convis_core.resolution import Resolution
from convis_core.tensors import TIME, describe_shape

__all__ = ["plot_image"]


def plot_image(
    x: Any,
    ax: Axes | None = None,
    *,
    frame: int | None = None,
    resolution: Resolution | None = None,
    label: str = "",
) -> AxesImage:
    """Show one frame, or the mean over time, as an image.

    Parameters
    ----------
    x : array, tensor, parameter or Output
        With one batch and one channel.
    ax : matplotlib axes, optional
        The current axes if not given, or a new figure if these hold data already.
    frame : int, optional
        Which frame; the mean over all of them if not given.
    resolution : Resolution, optional
        Turns spike counts into rates; an Output brings its own.
    label : str
        What the colour stands for.

    Returns
    -------
    AxesImage

    Raises
    ------
    ShapeError
        If there is no such frame, or more than one batch or channel.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> plot_image(np.ones((50, 4, 6)), Figure().subplots()).get_array().shape
    (4, 6)
    """
    signal = as_signal(x, resolution)
    values = signal.values
    if values.shape[:2] != (1, 1):
        raise ShapeError(
            f"An image needs one batch and one channel, got {describe_shape(values.shape)}.",
            "Choose one, e.g. x[:1, :1], or use plot_5d_matshow, which shows all of them.",
        )
    if frame is not None and not -signal.n_frames <= frame < signal.n_frames:
        raise ShapeError(f"There is no frame {frame}; there are {signal.n_frames}.")
    image = values.mean(axis=TIME)[0, 0] if frame is None else values[0, 0, frame]
    spikes = signal.is_spikes
    if frame is None and spikes and signal.n_frames > 1:
        scale = 1.0 if signal.resolution is None else signal.resolution.steps_per_second
        image, label = image * scale, label or ("spikes per frame" if signal.resolution is None else "rate (Hz)")
    signed = bool(image.min() < 0)
    ax = empty_axes(ax, (5.0, 4.2))
    low, high = limits(image, signed)
    drawn = ax.imshow(
        image, cmap=colours(signed, rate=spikes), vmin=low, vmax=high, interpolation="nearest", aspect="equal"
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("y, column (px)")
    ax.set_ylabel("x, row (px)")
    colour_bar(drawn, ax, label)
    if signal.n_frames > 1:
        note(ax, f"mean of {signal.n_frames} frames" if frame is None else f"frame {frame} of {signal.n_frames}")
    return drawn
