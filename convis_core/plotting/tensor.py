"""A figure for any array, chosen by its shape."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from convis_core.plotting.image import plot_image
from convis_core.plotting.matshow import plot_5d_matshow
from convis_core.plotting.signal import as_signal
from convis_core.plotting.time_courses import plot_5d_time
from convis_core.resolution import Resolution

__all__ = ["plot_tensor"]

FILTER_LENGTH = 64
"""Up to so many frames are shown as images; more are a signal, shown as time courses."""


def plot_tensor(x: Any, ax: Axes | None = None, *, resolution: Resolution | None = None, **options: Any) -> Any:
    """Plot an array by its shape.

    One frame is an image, a single pixel a line, a few frames a sequence of images, and
    many frames time courses.

    Parameters
    ----------
    x : array, tensor, parameter or Output
        ``[time]``, ``[x, y]``, ``[time, x, y]`` or ``[batch, channel, time, x, y]``.
    ax : matplotlib axes, optional
        The current axes if not given.
    resolution : Resolution, optional
        Gives units of time where `x` does not bring them.
    **options
        Passed on to `plot_image`, `plot_5d_time` or `plot_5d_matshow`.

    Returns
    -------
    AxesImage or list of Line2D

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> [type(plot_tensor(np.ones(shape), Figure().subplots())).__name__ for shape in [(9,), (9, 9), (9, 9, 9)]]
    ['list', 'AxesImage', 'AxesImage']
    """
    signal = as_signal(x, resolution)
    batch, channel, time, rows, columns = signal.values.shape
    if rows == columns == 1:
        return plot_5d_time(signal, ax, **options)
    if time == batch == channel == 1:
        return plot_image(signal, ax, **options)
    if time <= FILTER_LENGTH:
        return plot_5d_matshow(signal, ax, **options)
    return plot_5d_time(signal, ax, **options)
