"""The response to a single bright pixel over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from convis_core.layer import Layer
from convis_core.plotting.canvas import GREY, axes_to_draw_in, colour_of, legend, quiet
from convis_core.plotting.impulse_window import measured_impulse

__all__ = ["plot_impulse"]


def plot_impulse(
    layer: Layer,
    ax: Axes | None = None,
    *,
    length: int | None = None,
    size: tuple[int, int] | None = None,
    amplitude: float = 1.0,
    background: float = 0.0,
    **options: Any,
) -> list[Line2D]:
    """Plot the response to an impulse over time, at the pixel where it is strongest.

    An impulse is one pixel that is brighter by `amplitude` for one frame. What is plotted is
    the change of the response it makes, from a state of rest, so that models can be compared
    whatever the size of their kernels.

    Parameters
    ----------
    layer : Layer
        The model; its state is untouched.
    ax : matplotlib axes, optional
        The current axes if not given; lines are added to what is there.
    length : int, optional
        Frames to show; 20, 50, 100, ... as the response needs if not given.
    size : tuple of int, optional
        Size of the image; 11 x 11, 21 x 21, ... pixels as the response needs if not given.
    amplitude, background : float
        Height of the impulse and what it is added to.
    **options
        Passed on to ``Axes.plot``.

    Returns
    -------
    list of Line2D
        One for each response and channel.

    Raises
    ------
    ParameterError
        If `layer` is not a Layer.

    Examples
    --------
    >>> import convis_core as convis
    >>> from matplotlib.figure import Figure
    >>> conv = convis.filters.Conv3d(kernel_dim=(3, 1, 1), bias=False)
    >>> conv.set_weight([3.0, 2.0, 1.0])
    >>> line, = plot_impulse(conv, Figure().subplots(), length=4)
    >>> line.get_ydata().tolist()
    [3.0, 2.0, 1.0, 0.0]
    """
    impulse = measured_impulse(layer, length, size, amplitude=amplitude, background=background)
    ax = axes_to_draw_in(ax)
    seen = ax.get_xlim()[1] if ax.lines else 0.0
    marker = "." if len(impulse.lags) <= 50 else None
    lines = []
    for n, (name, values) in enumerate(impulse.responses.items()):
        strongest = np.unravel_index(np.abs(values).max(axis=0).argmax(), values.shape[1:])
        look: dict[str, Any] = {"linewidth": 1.2, "marker": marker}
        if len(impulse.responses) > 1:
            look |= {"label": name, "color": colour_of(name, n)}
        lines += ax.plot(impulse.lags, values[:, strongest[0], strongest[1]], **(look | options))
    quiet(ax)
    ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    ax.set_xlim(0.0, max(float(impulse.lags[-1]), 1e3 * impulse.resolution.step, seen))
    ax.set_xlabel("time after the impulse (ms)")
    ax.set_ylabel("change of the response")
    ax.ticklabel_format(axis="y", scilimits=(-2, 4))
    if len(impulse.responses) > 1:
        legend(ax)
    return lines
