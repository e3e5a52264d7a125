"""Tuning curves: over direction or axis of motion, round or straight, and over temporal frequency."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray

from convis_core.analysis import Tuning
from convis_core.errors import ParameterError
from convis_core.plotting.canvas import GREY, axes_to_draw_in, note, quiet

__all__ = ["plot_tuning"]

LABELS = {"mean": "mean response", "modulation": "modulation of the response", "": "response"}

WEAKEST = 0.005
"""An index below is none: the angle that goes with it is an accident of rounding."""


def plot_tuning(
    tuning: Tuning,
    ax: Axes | None = None,
    *,
    polar: bool | None = None,
    orientation: bool = False,
    **options: Any,
) -> Line2D:
    """Plot a tuning curve.

    Over direction a line shows the preferred one, as long as it is preferred: from the middle to
    the rim if there is no response to any other. What is preferred stands above in numbers.

    Parameters
    ----------
    tuning : Tuning
        As `direction_tuning` or `temporal_frequency_tuning` measures it.
    ax : matplotlib axes, optional
        Axes of a polar projection give a round curve, others a straight one. If not given, directions
        are drawn round in a new figure, frequencies in the current axes.
    polar : bool, optional
        Round or straight, where no `ax` says so.
    orientation : bool
        Whether to take opposite directions for one axis of motion, and average over both.
    **options
        Passed on to ``Axes.plot``.

    Returns
    -------
    Line2D

    Raises
    ------
    ParameterError
        If frequencies are to be drawn round, if responses below 0 are, or if directions without their
        opposites are to be axes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> angles = np.arange(8) * np.pi / 4
    >>> line = plot_tuning(Tuning(angles, 1 + np.cos(angles)), Figure().subplots())
    >>> line.axes.get_xlabel()
    'direction of motion (°)'
    """
    if not isinstance(tuning, Tuning):
        raise ParameterError(
            f"Expected a Tuning, got {type(tuning).__name__}.", "Measure one: direction_tuning(model)."
        )
    over_directions = tuning.quantity == "direction"
    if not over_directions and (polar or orientation or isinstance(ax, PolarAxes)):
        raise ParameterError("A temporal frequency has no direction.", "Plot it with polar=False, orientation=False.")
    if ax is not None and polar is not None and polar != isinstance(ax, PolarAxes):
        raise ParameterError(
            f"polar={polar} does not suit the axes given.", "Make some with plt.subplots(subplot_kw={'polar': True})."
        )
    if not over_directions:
        return _frequencies(tuning, axes_to_draw_in(ax), options)
    directions, responses = _folded(tuning) if orientation else (tuning.values, tuning.responses)
    if ax is None:
        ax = plt.figure(layout="constrained").add_subplot(projection="polar") if polar is not False else plt.gca()
    name, preferred = (
        ("orientation", tuning.orientation_index()) if orientation else ("direction", tuning.direction_index())
    )
    if isinstance(ax, PolarAxes):
        line = _round(ax, directions, responses, preferred, orientation, options)
        ax.set_xlabel(LABELS[tuning.measure])
    else:
        ax = axes_to_draw_in(ax)
        line = _straight(ax, directions, responses, preferred, orientation, options)
        ax.set_xlabel("axis of motion (°)" if orientation else "direction of motion (°)")
        ax.set_ylabel(LABELS[tuning.measure])
    angle, strength = preferred
    said = f"preferred {math.degrees(angle):.0f}°, {name} index {strength:.2f}"
    note(ax, said if strength >= WEAKEST else f"no {name} is preferred")
    return line


def _folded(tuning: Tuning) -> tuple[NDArray[Any], NDArray[Any]]:
    """Average opposite directions."""
    degrees = np.degrees(tuning.values) % 360.0
    order = np.argsort(degrees)
    half = len(order) // 2
    first, opposite = order[:half], order[half:]
    if len(order) % 2 or not np.allclose(degrees[opposite] - degrees[first], 180.0, atol=0.1):
        raise ParameterError(
            "An axis of motion needs both directions along it.", "Measure an even number, evenly spread: directions=8."
        )
    return np.radians(degrees[first]), (tuning.responses[first] + tuning.responses[opposite]) / 2


def _look(options: dict[str, Any]) -> dict[str, Any]:
    return {"marker": "o", "markersize": 4.0, "linewidth": 1.3} | options


def _round(
    ax: PolarAxes,
    directions: NDArray[Any],
    responses: NDArray[Any],
    preferred: tuple[float, float],
    orientation: bool,
    options: dict[str, Any],
) -> Line2D:
    if responses.min() < 0:
        raise ParameterError(
            f"Responses below 0, here {responses.min():.3g}, cannot be drawn round.", "Plot them with polar=False."
        )
    if orientation:  # each axis points both ways
        directions, responses = np.append(directions, directions + math.pi), np.append(responses, responses)
    closed = np.append(directions, directions[0]), np.append(responses, responses[0])
    (line,) = ax.plot(*closed, **_look(options))
    ax.fill(*closed, color=line.get_color(), alpha=0.15, linewidth=0)
    rim = 1.08 * max(float(np.max(drawn.get_ydata())) for drawn in ax.lines) or 1.0
    angle, strength = preferred
    ends = [angle, angle + math.pi] if orientation else [angle]
    for end in ends:
        ax.plot([end, end], [0.0, strength * rim], color=line.get_color(), linewidth=2.5, solid_capstyle="butt")
    ax.set_ylim(0.0, rim)
    ax.set_rlabel_position(math.degrees(angle) + (112.5 if orientation else 202.5))  # where the curve is low
    ax.grid(True, color=GREY, alpha=0.3, linewidth=0.8)
    ax.spines["polar"].set_color(GREY)
    ax.tick_params(axis="y", labelsize="small", labelcolor=GREY)
    return line


def _straight(
    ax: Axes,
    directions: NDArray[Any],
    responses: NDArray[Any],
    preferred: tuple[float, float],
    orientation: bool,
    options: dict[str, Any],
) -> Line2D:
    turn = 180.0 if orientation else 360.0
    degrees = np.degrees(directions) % turn
    order = np.argsort(degrees)
    degrees, responses = degrees[order], responses[order]
    (line,) = ax.plot(np.append(degrees, degrees[0] + turn), np.append(responses, responses[0]), **_look(options))
    if preferred[1] >= WEAKEST:
        ax.axvline(math.degrees(preferred[0]), color=line.get_color(), linewidth=0.9, linestyle=":")
    quiet(ax)
    _start_at_zero(ax, responses)
    ax.set_xticks(np.arange(0.0, turn + 1.0, turn / 4))
    ax.set_xlim(0.0, turn)
    return line


def _frequencies(tuning: Tuning, ax: Axes, options: dict[str, Any]) -> Line2D:
    order = np.argsort(tuning.values)
    (line,) = ax.plot(tuning.values[order], tuning.responses[order], **_look(options))
    quiet(ax)
    _start_at_zero(ax, tuning.responses)
    low, high = float(tuning.values.min()), float(tuning.values.max())
    if low > 0 and high >= 8 * low:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("temporal frequency (Hz)")
    ax.set_ylabel(LABELS[tuning.measure])
    note(ax, f"preferred {tuning.preferred:g} Hz")
    return line


def _start_at_zero(ax: Axes, responses: NDArray[Any]) -> None:
    """Let heights be compared by eye, unless a response falls below."""
    if responses.min() >= 0 and ax.get_ylim()[1] > 0:
        ax.set_ylim(bottom=0.0)
