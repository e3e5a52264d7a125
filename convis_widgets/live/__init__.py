"""How the kernel and the page talk: the hub, the shared cursor and the base of the own views."""

from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.live.widget import LiveWidget
from convis_widgets.live.wire import Part, make_part

__all__ = ["Cursor", "Hub", "LiveWidget", "Part", "make_part"]
