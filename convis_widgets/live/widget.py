"""What the own views have in common: they post to a hub and can post everything again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets
from ipywidgets import widget_serialization
from numpy.typing import ArrayLike

from convis_widgets.live.cursor import Cursor
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.wire import Part, make_part

__all__ = ["LiveWidget"]


class LiveWidget(anywidget.AnyWidget):
    """Base of the own views and controls.

    Parameters
    ----------
    hub : Hub, optional
        The dashboard's hub. A widget that stands alone in a cell makes its own.
    cursor : Cursor, optional
        The dashboard's selection.
    """

    _css = front_end("convis.css")
    cursor = traitlets.Instance(Cursor).tag(sync=True, **widget_serialization)
    title = traitlets.Unicode("", help="header of the card").tag(sync=True)

    def __init__(self, hub: Hub | None = None, cursor: Cursor | None = None, **kwargs: Any) -> None:
        super().__init__(cursor=Cursor() if cursor is None else cursor, **kwargs)
        self._owned_hub = Hub() if hub is None else None
        self.hub: Hub = hub or self._owned_hub  # type: ignore[assignment]
        self._lock = threading.RLock()
        self._present = Part(self.model_id, fields={"reset": True})  # a snapshot starts from nothing
        self.hub.register(self)
        self.on_msg(type(self)._on_message)

    def post(
        self,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, ArrayLike] | None = None,
        *,
        append: Sequence[str] = (),
    ) -> None:
        """Show something new, from any thread; see :class:`~convis_widgets.live.wire.Part`."""
        part = make_part(self.model_id, fields, arrays, append=append)
        with self._lock:  # a page that loads meanwhile must get this part once: in the snapshot or after it
            self._present = self._remember(self._present.merged(part))
            self.hub.post(part)

    def snapshot(self) -> Part:
        """Return the whole present state, as one part."""
        with self._lock:
            return self._present

    def resync(self) -> None:
        """Post the whole present state; a view calls for it whenever it is loaded into a page."""
        with self._lock:
            self.hub.post(self.snapshot(), replace=True)

    def close(self) -> None:
        """Close the widget, and its hub if that was its own."""
        super().close()
        if (hub := getattr(self, "_owned_hub", None)) is not None:
            hub.close()

    def _remember(self, present: Part) -> Part:
        """Bound what is kept for a snapshot; views with appended events do so."""
        return present

    def _on_message(self, content: Mapping[str, Any], _buffers: Sequence[memoryview]) -> None:
        if content.get("type") == "hello":
            self.resync()
        else:
            self._command(content)

    def _command(self, content: Mapping[str, Any]) -> None:
        """Handle what the page sent; controls do."""
