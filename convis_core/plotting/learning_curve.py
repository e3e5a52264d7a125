"""The score of a fit over the length of the recording it learnt from."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from convis_core.estimation import LearningCurve
from convis_core.plotting.canvas import axes_to_draw_in, legend, quiet

__all__ = ["plot_learning_curve"]


def plot_learning_curve(curve: LearningCurve, ax: Axes | None = None) -> list[Line2D]:
    """Draw bits per spike on the frames a fit learnt from and, with its 95 % interval, on the test part.

    Parameters
    ----------
    curve : LearningCurve
    ax : matplotlib axes, optional
        The current axes if not given.

    Returns
    -------
    list of Line2D
        That of the frames learnt from and that of the test part.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> curve = LearningCurve((100, 200), (20, 44), (0.9, 0.8), (0.3, 0.6), ((0.2, 0.4), (0.5, 0.7)))
    >>> [line.get_label() for line in plot_learning_curve(curve, Figure().subplots())]
    ['learnt from', 'test part']
    """
    axes, frames = axes_to_draw_in(ax), np.array(curve.frames)
    (learnt,) = axes.plot(frames, curve.learnt, "--", marker=".", color="C1", label="learnt from")
    (test,) = axes.plot(frames, curve.test, marker="o", markersize=4, color="C0", label="test part")
    low, high = np.array(curve.intervals).T
    axes.fill_between(frames, low, high, color="C0", alpha=0.25, linewidth=0)
    axes.set_xscale("log")
    axes.set_xticks(frames, labels=[str(n) for n in frames], rotation=30)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(title="learning curve", xlabel="frames learnt from", ylabel="bits per spike")
    quiet(axes)
    legend(axes, loc="best")
    return [learnt, test]
