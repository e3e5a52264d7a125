"""The filter in space-time, through ipyvolume; the one place that knows that package."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from ipywidgets import HTML, HBox, Label, VBox, Widget
from numpy.typing import NDArray

from convis_core import Layer
from convis_widgets.live.hub import Hub
from convis_widgets.views.kernel import KernelData

__all__ = ["FilterVolume"]

EDGE = 32
"""Voxels along an edge: enough to see the shape, few enough to paint several times a second."""
REST = 0.6
"""Seconds without a change after which a filter is drawn: that takes up to a second, and sliders come first."""
STYLE = {
    "background-color": "var(--cv-card)",
    "box": {"visible": True, "color": "var(--cv-border)"},
    "axes": {
        "visible": True,
        "color": "var(--cv-border)",
        "label": {"color": "var(--cv-muted)"},
        "ticklabel": {"color": "var(--cv-card)"},
        **{axis: {"label": {"color": "var(--cv-muted)"}, "ticklabel": {"color": "var(--cv-card)"}} for axis in "xyz"},
    },
}
INSTALL = "The view in three dimensions needs ipyvolume. Install it with: pip install ipyvolume ipython_genutils six"
NOWHERE = np.full((3, 1), 0.5)
"""A point that is not seen, for its size is 0."""


class FilterVolume(VBox):
    """Filter as two clouds in space-time, for positive and for negative weights; drag or press arrow keys to turn it.

    Without ipyvolume it says what to install, and everything else goes on working.

    Parameters
    ----------
    hub : Hub, optional
        That of the dashboard.
    size : int
        Width and height in pixels that are computed; the card may show them larger or smaller.
    """

    def __init__(self, hub: Hub | None = None, size: int = 280) -> None:
        self._owns_hub = hub is None
        self.hub = Hub() if hub is None else hub
        self._clouds: dict[int, Any] = {}
        self._unseen: list[Widget] = []
        self._lock = threading.Lock()
        self._due: threading.Timer | None = None
        self._data: KernelData | None = None
        try:
            self.figure, info = self._figure(size), "drag or arrows"
        except ImportError:
            self.figure, info = HTML(INSTALL), "not installed"
        head = HBox([HTML("<b>Kernel in 3-D</b>"), _grey(info)])
        head.add_class("convis-head")
        super().__init__([head, self.figure])
        self.add_class("convis-volume")
        self.add_class("convis-card")

    def _figure(self, size: int) -> Any:
        import ipyvolume as ipv

        # a scene for each display: in one that they shared, each would show the box that another hides in its own
        figure = ipv.figure(width=size, height=size, scene=None)
        container = ipv.gcc()  # made with every figure, shown by none of ours
        self._unseen = [container, container.legend]
        for sign, colour in ((1, "positive"), (-1, "negative")):
            cloud = ipv.scatter(*NOWHERE, size=0.0, marker="diamond")
            self.hub.paint(cloud, "color", f"var(--cv-{colour})")
            self._clouds[sign] = cloud
        figure.animation = 0.0  # a cloud that turns into another on its way shows what has never been
        ipv.xyzlim(0, 1)
        ipv.xyzlabel("lag", "y", "x")
        figure.camera.position = (1.2, 0.8, 1.9)
        self.hub.paint(figure, "style", STYLE)
        return figure

    def close(self) -> None:
        """Close the widget, and its hub if that was its own."""
        super().close()
        for part in getattr(self, "_unseen", ()):
            part.close()
        if (due := getattr(self, "_due", None)) is not None:
            due.cancel()
        if getattr(self, "_owns_hub", False):
            self.hub.close()

    def show(self, filter: KernelData | Layer) -> None:
        """Show a filter, or that of a model as soon as it no longer changes."""
        data = KernelData.of(filter)
        with self._lock:
            self._data = data
            if self._due is not None:
                self._due.cancel()
            if self._clouds:
                self._due = threading.Timer(REST, self._draw)
                self._due.daemon = True
                self._due.start()

    def _draw(self) -> None:
        with self._lock:
            data, self._due = self._data, None
        if data is None:
            return
        weights = _reduced(data.weights[0], EDGE)
        limit = float(np.abs(weights).max()) or 1.0
        for sign, cloud in self._clouds.items():
            strength = np.clip(sign * weights / limit, 0.0, 1.0)
            lag, x, y = places = np.nonzero(strength > 0.05)
            size = np.array(weights.shape, dtype=float)
            where, sizes = np.stack([lag / size[0], 1.0 - x / size[1], y / size[2]]), 2.5 + 6.0 * strength[places]
            if not len(lag):  # ipyvolume stumbles over a cloud without a point
                where, sizes = NOWHERE, np.zeros(1)
            with cloud.hold_sync():
                cloud.x, cloud.y, cloud.z = where
                cloud.size = sizes


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
