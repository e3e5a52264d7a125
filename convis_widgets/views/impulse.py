"""The response at one pixel to a brief flash: the filter over time at the selected place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core import Layer
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.curves import CurveView
from convis_widgets.views.kernel import KernelData

__all__ = ["ImpulseResponse"]

COLOURS = ("on", "off")


class ImpulseResponse(CurveView):
    """Impulse response of each output channel at ``cursor.pixel`` to a flash on ``cursor.anchor``.

    The curve before the last change of the filter stays as a thin ghost; a dashed line marks ``cursor.lag``.

    Parameters
    ----------
    unit : str
        Unit of the response.
    hub, cursor
        See `convis_widgets.views.curves.CurveView`.
    """

    def __init__(self, unit: str = "", hub: Hub | None = None, cursor: Cursor | None = None) -> None:
        label = f"response ({unit})" if unit else "response"
        super().__init__("Impulse response", "lag (ms)", label, hub, cursor)
        self._ghost = self.line("muted", width=1.0, opacities=[0.6])
        self._curves = [self.line(colour) for colour in COLOURS]
        self._mark = self.upright(dashed=True)
        self._data: KernelData | None = None
        self._before: NDArray[np.floating] | None = None
        self.cursor.observe(lambda _: self._draw(), ["pixel", "anchor"])
        self.cursor.observe(lambda _: self._draw_lag(), "lag")

    def show(self, filter: KernelData | Layer) -> None:
        """Show a filter, or that of a model; the one shown before becomes the ghost."""
        data = KernelData.of(filter)
        if self._data is not None and self._data.weights.shape == data.weights.shape:
            self._before = self._data.weights
        else:
            self._before = None
        self._data = data
        self._draw()
        self._draw_lag()

    def _draw(self) -> None:
        data = self._data
        if data is None:
            return
        place = data.index_of(self.cursor.pixel, self.cursor.anchor)
        time = data.lag_ms
        for channel, mark in enumerate(self._curves):
            self.draw(mark, time, data.at(place, channel) if channel < data.weights.shape[0] else None)
        self.draw(self._ghost, time, None if self._before is None else data.pick(self._before, place, 0))
        self.frame()
        x, y = self.cursor.pixel
        self.show_info(f"pixel ({x}, {y}); grey: before the change")

    def _draw_lag(self) -> None:
        if self._data is not None:
            self.mark(self._mark, self._data.tile_ms(self.cursor.lag))
