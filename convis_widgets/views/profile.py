"""The filter over space at the selected lag, along a line through its centre."""

from __future__ import annotations

import numpy as np

from convis_core import Layer
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.curves import CurveView
from convis_widgets.views.kernel import KernelData

__all__ = ["SpatialProfile"]


class SpatialProfile(CurveView):
    """Filter at ``cursor.lag`` along the two axes through the selected pixel.

    Parameters
    ----------
    hub, cursor
        See `convis_widgets.views.curves.CurveView`.
    """

    def __init__(self, hub: Hub | None = None, cursor: Cursor | None = None) -> None:
        super().__init__("Spatial profile", "position (deg)", "weight", hub, cursor, x_ticks=6)
        self._down = self.line("muted", width=1.2, dashed=True)
        self._across = self.line("on")
        self._data: KernelData | None = None
        self.cursor.observe(lambda _: self._draw(), ["lag", "pixel", "anchor"])

    def show(self, filter: KernelData | Layer) -> None:
        """Show a filter, or that of a model."""
        data = KernelData.of(filter)
        self._data = data
        self._draw()

    def _draw(self) -> None:
        data = self._data
        if data is None:
            return
        rows, columns = data.weights.shape[2:]
        centre = ((rows - 1) // 2, (columns - 1) // 2)
        x, y = data.index_of(self.cursor.pixel, self.cursor.anchor) or centre
        frame = data.weights[0, min(self.cursor.lag * data.thinning, data.weights.shape[1] - 1)]
        for mark, values, middle in ((self._across, frame[x], centre[1]), (self._down, frame[:, y], centre[0])):
            position = (np.arange(len(values)) - middle) / data.pixel_per_degree
            self.draw(mark, position, values.astype(np.float64))
        self.frame()
        self.show_info(f"lag {data.tile_ms(self.cursor.lag):.3g} ms; dashed: down")
