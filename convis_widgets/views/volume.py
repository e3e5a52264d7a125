"""The filter in space-time, through ipyvolume; the one place that knows that package."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from ipywidgets import HTML, HBox, Label, VBox
from numpy.typing import NDArray

from convis_widgets.views.kernel import KernelData

__all__ = ["FilterVolume"]

EDGE = 24
"""Voxels along an edge: enough to see the shape, few enough to paint several times a second."""
INTERVAL = 0.5
"""Seconds between two paintings at least; a volume takes about a quarter of a second to draw."""
INSTALL = "The view in three dimensions needs ipyvolume. Install it with: pip install ipyvolume ipython_genutils six"


class FilterVolume(VBox):
    """Filter as two clouds in space-time, one for positive and one for negative weights; drag to turn.

    Without ipyvolume it says what to install, and everything else goes on working.

    Parameters
    ----------
    height : int
        Height in pixels.
    """

    def __init__(self, height: int = 190) -> None:
        head = HBox([HTML("<b>Kernel in space-time</b>"), _grey("drag to turn")])
        head.add_class("convis-head")
        self._scatter: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._due: threading.Timer | None = None
        self._drawn = float("-inf")
        self._data: KernelData | None = None
        try:
            body = self._figure(height)
        except ImportError:
            body = Label(INSTALL)
        super().__init__([head, body])

    def _figure(self, height: int) -> Any:
        import ipyvolume as ipv

        figure = ipv.figure(width=260, height=height, controls=True)
        ipv.style.box_off()
        ipv.style.axes_off()
        ipv.xyzlim(0, 1)
        for sign, colour in ((1, "#c23b22"), (-1, "#2b6cb0")):
            nowhere = np.full(1, -10.0)
            self._scatter[sign] = ipv.scatter(nowhere, nowhere, nowhere, color=colour, size=2, marker="sphere")
        figure.background_color = "rgba(0,0,0,0)"
        return figure

    def show(self, data: KernelData) -> None:
        """Show a filter, soon: paintings are kept apart by half a second, and the newest filter is drawn."""
        with self._lock:
            self._data = data
            if self._due is None and self._scatter:
                wait = max(0.0, self._drawn + INTERVAL - time.monotonic())
                self._due = threading.Timer(wait, self._draw)
                self._due.daemon = True
                self._due.start()

    def _draw(self) -> None:
        with self._lock:
            data, self._due, self._drawn = self._data, None, time.monotonic()
        if data is None:
            return
        weights = _reduced(data.weights[0], EDGE)
        limit = float(np.abs(weights).max()) or 1.0
        for sign, scatter in self._scatter.items():
            strength = np.clip(sign * weights / limit, 0.0, 1.0)
            lag, x, y = np.nonzero(strength > 0.12)
            size = np.array(weights.shape, dtype=float)
            with scatter.hold_sync():
                scatter.x, scatter.y, scatter.z = lag / size[0], y / size[2], 1.0 - x / size[1]
                scatter.size = 1.0 + 5.0 * strength[lag, x, y]


def _reduced(weights: NDArray[np.float32], edge: int) -> NDArray[np.float32]:
    """Average blocks until no axis is longer than `edge`."""
    for axis in range(weights.ndim):
        block = -(-weights.shape[axis] // edge)
        if block > 1:
            rest = -weights.shape[axis] % block
            padded = np.pad(weights, [(0, rest if k == axis else 0) for k in range(weights.ndim)])
            shape = list(padded.shape)
            shape[axis : axis + 1] = [padded.shape[axis] // block, block]
            weights = padded.reshape(shape).mean(axis=axis + 1)
    return weights


def _grey(text: str) -> Label:
    label = Label(text)
    label.add_class("convis-info")
    return label
