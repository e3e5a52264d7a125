"""A nonlinearity that was estimated: the curve, how sure it is, and the data under it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from convis_core.estimation import NonlinearityEstimate
from convis_core.plotting.canvas import axes_to_draw_in, quiet

__all__ = ["plot_nonlinearity"]

POINTS = 200


def plot_nonlinearity(estimate: NonlinearityEstimate, ax: Axes | None = None, *, level: float = 0.95) -> Line2D:
    """Draw a nonlinearity over the drive, with its interval as a band; points are groups of frames.

    Bars show the interval of the points for Poisson counts.

    Parameters
    ----------
    estimate : NonlinearityEstimate
    ax : matplotlib axes, optional
        The current axes if not given.
    level : float
        Of the intervals.

    Returns
    -------
    Line2D
        The curve.

    Examples
    --------
    >>> from convis_core.estimation import estimate_nonlinearity
    >>> from matplotlib.figure import Figure
    >>> rng = np.random.default_rng(0)
    >>> drive = rng.standard_normal(1000)
    >>> line = plot_nonlinearity(estimate_nonlinearity(drive, rng.poisson(np.exp(drive))), Figure().subplots())
    >>> line.axes.get_ylabel()
    'spikes per bin'
    """
    axes, data = axes_to_draw_in(ax), estimate.groups
    places, counts = data.drive.numpy(), (data.spikes / data.frames).numpy()
    low, high = data.interval(data.drive, level)
    bars = np.stack([counts - low.numpy(), high.numpy() - counts]).clip(min=0.0)
    points = axes.errorbar(places, counts, bars, fmt="o", markersize=4, color="C0", elinewidth=1.0)
    points.set_label("data")
    drive = np.linspace(places.min(), places.max(), POINTS)
    (line,) = axes.plot(drive, estimate(drive), color="C2", label=estimate.method)
    axes.fill_between(drive, *estimate.interval(drive, level), color="C2", alpha=0.25, linewidth=0)
    axes.set(xlabel="drive", ylabel="spikes per bin", title="nonlinearity")
    axes.set_ylim(0.0, 1.15 * float(max(high.max(), estimate(drive).max())))
    quiet(axes)
    return line
