"""What the bqplot views have in common: a card with a header, axes in the notebook's colours, a hub."""

from __future__ import annotations

import math
import warnings
from importlib.util import find_spec
from typing import Any

import bqplot
import numpy as np
from ipywidgets import HTML, HBox, Label, Layout, VBox
from numpy.typing import NDArray

from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.ticks import decades, nice_ticks, tick_format

__all__ = ["CurveView"]

MARGIN = {"top": 8, "bottom": 38, "left": 52, "right": 14}
Y_TICKS = 5
NOWHERE = -1e9
"""Where a mark waits that has nothing to show. bqplot draws NaN with errors, and a mark that is made visible while its
view is being built stays hidden for good."""
EMPTY = np.ones(2)
AWAY = EMPTY + NOWHERE


if find_spec("bqplot_gl") is not None:
    warnings.warn(
        "bqplot-gl is installed. Its presence breaks the selectors of bqplot in JupyterLab, and so the "
        "selection of time in the plots: pip uninstall bqplot-gl.",
        stacklevel=2,
    )


class CurveView(VBox):
    """A bqplot figure in a card, updated through a hub.

    Parameters
    ----------
    title : str
        Header of the card.
    x_label, y_label : str
        Quantity and unit of the axes.
    hub, cursor : optional
        Those of the dashboard; a view that stands alone makes its own.
    height : int
        Height of the figure in pixels.
    y_scale : bqplot.Scale, optional
        Linear if not given.
    x_ticks : int
        Most numbers along the horizontal axis.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        hub: Hub | None = None,
        cursor: Cursor | None = None,
        height: int = 190,
        y_scale: bqplot.Scale | None = None,
        x_ticks: int = 11,
    ) -> None:
        self._x_ticks = x_ticks
        self._owns_hub = hub is None
        self.hub = Hub() if hub is None else hub
        self.cursor = cursor or Cursor()
        self.x, self.y = bqplot.LinearScale(min=0.0, max=1.0), y_scale or bqplot.LinearScale(min=0.0, max=1.0)
        self._share = bqplot.LinearScale(min=0.0, max=1.0)  # height of the plot, for lines from bottom to top
        self._axes = [_axis(self.x, x_label, "bottom", x_ticks), _axis(self.y, y_label, "left", Y_TICKS)]
        self._spans: dict[bqplot.Axis, tuple[float, float]] = {}
        self._extents: dict[bqplot.Lines, tuple[float, float, float, float]] = {}
        self.figure = bqplot.Figure(
            axes=self._axes,
            marks=[],
            fig_margin=MARGIN,
            animation_duration=0,
            display_toolbar=False,
            background_style={"fill": "none"},
            padding_x=0.0,
            padding_y=0.0,
            layout=Layout(width="100%", height=f"{height}px", min_width="0"),
        )
        self.hub.keep_fitted(self.figure)
        self.info = Label("")
        self.info.add_class("convis-info")
        name = HTML(f"<b>{title}</b>")
        head = HBox([name, self.info])
        head.add_class("convis-head")
        super().__init__([head, self.figure])
        self.add_class("convis-curves")
        self.add_class("convis-card")

    def line(self, colour: str, *, width: float = 1.6, dashed: bool = False, **options: Any) -> bqplot.Lines:
        """Add a line in one of the theme's colours, e.g. ``on``, ``off``, ``ghost``, ``accent``."""
        mark = bqplot.Lines(
            x=AWAY,
            y=EMPTY,
            scales={"x": self.x, "y": self.y},
            colors=[f"var(--cv-{colour})"],
            stroke_width=width,
            line_style="dashed" if dashed else "solid",
            **options,
        )
        self.figure.marks = [*self.figure.marks, mark]
        return mark

    def band(self, colour: str) -> bqplot.Lines:
        """Add an area between two lines, ``y`` of shape [2, n]."""
        paint = [f"var(--cv-{colour})"]
        return self.line(colour, width=0.0, fill="between", fill_colors=paint, fill_opacities=[0.13], opacities=[0.0])

    def upright(self, colour: str = "accent", *, dashed: bool = False) -> bqplot.Lines:
        """Add a vertical line over the whole height; its place is its ``x``, a pair of equal numbers."""
        mark = bqplot.Lines(
            x=AWAY,
            y=np.array([0.0, 1.0]),
            scales={"x": self.x, "y": self._share},
            preserve_domain={"x": True},
            colors=[f"var(--cv-{colour})"],
            stroke_width=1.2,
            line_style="dashed" if dashed else "solid",
        )
        self.figure.marks = [*self.figure.marks, mark]
        return mark

    def draw(self, mark: bqplot.Lines, x: NDArray[np.float64], y: NDArray[np.float64] | None) -> None:
        """Give a line its points, ``y`` of shape [n] or, for a band, [2, n]; fewer than two take it away."""
        if y is None or len(x) < 2:
            self._extents.pop(mark, None)
            self.hub.set(mark, x=AWAY, y=EMPTY)
        else:
            self._extents[mark] = (x[0], x[-1], float(np.min(y)), float(np.max(y)))
            self.hub.set(mark, x=x, y=y)

    def frame(self, window: tuple[float, float] | None = None) -> None:
        """Fit the axes to what is drawn, or time to a window, with ticks at round numbers."""
        if self._extents:
            x0, x1, low, high = np.array(list(self._extents.values())).T
            self._set_axis(self.x, self._axes[0], window or (float(x0.min()), float(x1.max())), self._x_ticks)
            self._set_axis(self.y, self._axes[1], self._roomy(float(low.min()), float(high.max())), Y_TICKS)
        elif window is not None:
            self._set_axis(self.x, self._axes[0], window, self._x_ticks)
            self._set_axis(self.y, self._axes[1], (0.0, 1.0), Y_TICKS)

    def _roomy(self, low: float, high: float) -> tuple[float, float]:
        """Limits at round numbers, so that the axis stays where it is while a curve moves a little."""
        if isinstance(self.y, bqplot.LogScale):
            return low / 1.2, high * 1.2
        if not high > low:
            low, high = low - (0.5 * abs(low) or 1.0), high + (0.5 * abs(high) or 1.0)
        ticks = nice_ticks(low, high, Y_TICKS)
        half = 0.5 * (float(ticks[1] - ticks[0]) if len(ticks) > 1 else high - low)
        return half * math.floor(low / half + 0.001), half * math.ceil(high / half - 0.001)

    def _set_axis(self, scale: bqplot.Scale, axis: bqplot.Axis, span: tuple[float, float], most: int) -> None:
        if self._spans.get(axis) == span:
            return  # every change of an axis has the whole plot drawn anew
        self._spans[axis] = span
        ticks = _ticks(scale, span, most)
        self.hub.set(scale, min=span[0], max=span[1])
        self.hub.set(axis, tick_values=ticks, tick_format=tick_format(ticks))

    def mark(self, upright: bqplot.Lines, x: float | None) -> None:
        """Move a vertical line; None takes it away."""
        self.hub.set(upright, x=np.full(2, NOWHERE if x is None else x))

    def show_info(self, text: str) -> None:
        """Set the grey text on the right of the header."""
        self.hub.set(self.info, value=text)

    def close(self) -> None:
        """Close the widget, and its hub if that was its own."""
        super().close()
        if getattr(self, "_owns_hub", False):
            self.hub.close()


def _ticks(scale: bqplot.Scale, span: tuple[float, float], most: int) -> NDArray[np.float64]:
    return (decades if isinstance(scale, bqplot.LogScale) else nice_ticks)(*span, most)


def _axis(scale: bqplot.Scale, label: str, side: str, most: int) -> bqplot.Axis:
    ticks = _ticks(scale, (scale.min, scale.max), most)
    return bqplot.Axis(
        tick_values=ticks,
        tick_format=tick_format(ticks),
        scale=scale,
        label=label,
        side=side,
        grid_lines="solid",
        grid_color="var(--cv-grid)",
        color="var(--cv-muted)",
        label_color="var(--cv-muted)",
        label_offset="30px" if side == "bottom" else "40px",
    )
