"""Where figures are drawn and how they look: quiet frames, units on the axes, one pair of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.resolution import Resolution

__all__ = [
    "GREY",
    "axes_to_draw_in",
    "colour_bar",
    "colour_of",
    "colours",
    "empty_axes",
    "empty_figure",
    "legend",
    "limits",
    "mark_time",
    "note",
    "quiet",
]

ON: Final = ("#bf5700", "#f09040")
OFF: Final = ("#1664a8", "#6fb3ea")
SMALL_PRINT: Final = ("#68707a", "#98a0a8")
"""Colours on a light and on a dark ground; each can be read there as text."""
GREY: Final = "#808890"


def axes_to_draw_in(ax: Axes | None) -> Axes:
    """Return the axes given, the current ones, or new ones where no figure is open: lines can be added to them."""
    if ax is None:
        return plt.gca() if plt.get_fignums() else plt.figure(layout="constrained").gca()
    if not isinstance(ax, Axes):
        raise ParameterError(f"ax must be matplotlib axes, got {type(ax).__name__}.", "Make some with plt.subplots().")
    return ax


def empty_axes(ax: Axes | None, size: tuple[float, float] | None = None) -> Axes:
    """Return the axes given, or the current ones; a new figure where these hold data already.

    An image cannot share axes with another, so it does as ``plt.matshow`` does.
    """
    if ax is not None:
        return axes_to_draw_in(ax)
    if plt.get_fignums() and not (plt.gcf().axes and plt.gca().has_data()):
        return plt.gca()
    return plt.figure(figsize=size, layout="constrained").gca()


def empty_figure(figure: Figure | SubFigure | None, size: tuple[float, float]) -> Figure | SubFigure:
    """Return the figure given, or the current one if nothing is in it, or a new one."""
    if figure is not None:
        if not isinstance(figure, (Figure, SubFigure)):
            raise ParameterError(
                f"figure must be a matplotlib figure, got {type(figure).__name__}.", "Make one with plt.figure()."
            )
        return figure
    if plt.get_fignums() and not (plt.gcf().axes or plt.gcf().subfigs):
        current = plt.gcf()
        if current.get_layout_engine() is None:
            current.set_layout_engine("constrained")
        return current
    return plt.figure(figsize=size, layout="constrained")


def quiet(ax: Axes) -> None:
    """Leave two thin axes and a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(color=GREY)
    ax.grid(True, color=GREY, alpha=0.15, linewidth=0.8)
    ax.set_axisbelow(True)


def legend(ax: Axes, title: str = "", loc: Literal["upper right", "upper left", "best"] = "upper right") -> None:
    """Name the lines in a corner, readable above whatever lies there."""
    ax.legend(title=title or None, loc=loc, fontsize="small", framealpha=0.8, edgecolor="none")


def note(ax: Axes, text: str) -> None:
    """Say in small print what is and what is not shown, above the axes on the right."""
    if text:
        ax.set_title(text, loc="right", fontsize="small", color=SMALL_PRINT[on_dark()], fontweight="normal")


def mark_time(ax: Axes, time: NDArray[Any], resolution: Resolution | None) -> None:
    """Label the time axis and fit it to all that was drawn on it; the last frame has a width too."""
    label = "time (frames)" if resolution is None else "time (s)"
    first, last = float(time[0]), float(time[-1]) + (1.0 if resolution is None else resolution.step)
    if ax.get_xlabel() == label:  # there are other time courses already
        left, right = ax.get_xlim()
        first, last = min(first, left), max(last, right)
    ax.set_xlabel(label)
    ax.set_xlim(first, last)


def limits(values: NDArray[Any], signed: bool) -> tuple[float, float]:
    """Limits of a colour scale: symmetric about zero if signed, and never empty."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    if signed:
        most = float(np.abs(finite).max()) or 1.0
        return -most, most
    low, high = min(float(finite.min()), 0.0), float(finite.max())
    return low, high if high > low else low + 1.0


def colours(signed: bool, rate: bool = False) -> Colormap:
    """Blue through neutral to red for what has a sign, a uniform map for rates, else grey levels."""
    return plt.get_cmap("RdBu_r" if signed else "viridis" if rate else "gray")


def colour_of(name: str, k: int) -> str:
    """Colour of response `k`: orange for ON and blue for OFF cells, else from the current cycle."""
    pair = {"ON": ON, "OFF": OFF}.get(name.upper().rsplit("_", 1)[-1])
    return pair[on_dark()] if pair else f"C{k}"


def on_dark() -> bool:
    """Whether axes are dark in the style in use."""
    red, green, blue = to_rgb(plt.rcParams["axes.facecolor"])
    return 0.3 * red + 0.6 * green + 0.1 * blue < 0.5


def colour_bar(image: AxesImage, ax: Axes, label: str = "") -> None:
    """Put a slim colour bar beside the image, as high as it is and with its limits as ticks."""
    beside = ax.inset_axes((1.02, 0.0, 0.025, 1.0))
    figure = ax.figure
    bar = figure.colorbar(image, cax=beside)
    low, high = image.get_clim()
    ticks = [low, 0.0, high] if low < 0.0 < high else [low, high]
    bar.set_ticks(ticks, labels=_tick_labels(ticks))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize="small")
    if label:
        bar.set_label(label, fontsize="small")


def _tick_labels(ticks: Sequence[float]) -> list[str]:
    return [f"{tick:.3g}".replace("-", "\u2212") for tick in ticks]
