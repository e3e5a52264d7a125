"""One binary message a tick for a whole dashboard.

Two small messages in a row cost more than ten times one (the server's socket waits for the first to be acknowledged),
and nothing holds back a kernel that sends faster than a page can draw. So every view posts to one hub, the hub keeps
the newest of everything, and sends it in one message when the page has painted the last.

On the wire, kernel to page::

    {type: "tick", seq, parts: [{to, kind, fields, arrays: [{name, dtype, shape, append, buffer}]}]} + buffers
    {type: "probe", seq}

and page to kernel::

    {type: "hello"}                the page has just loaded: send everything
    {type: "ack", seq, paint_ms}   painted, in so many ms after it came
    {type: "missing", seq, received}  answer to a probe: that tick never came, the last was ``received``
"""

from __future__ import annotations

import threading
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import anywidget
import numpy as np
import traitlets
from ipywidgets import DOMWidget, Widget, widget_serialization
from numpy.typing import NDArray

from convis_widgets.live.front_end import front_end
from convis_widgets.live.pump import Pump, PumpStats
from convis_widgets.live.wire import Part, make_part, pack

__all__ = ["Hub", "Resyncable"]


class Resyncable(Protocol):
    """A view that can post its whole present state again."""

    def resync(self) -> None:
        """Post the present state, replacing whatever is queued."""


class Hub(anywidget.AnyWidget):
    """Carry the news of many widgets to the page, one message a tick.

    A hub need not be displayed. Posting is safe from any thread.

    Parameters
    ----------
    max_rate : float
        Ticks per second, at most.
    timeout : float
        Seconds without acknowledgement after which the page is taken to be hidden or gone.
    max_events : int
        Unsent events (spikes) kept for one view.
    on_error : callable, optional
        Receives errors of the sending thread; by default their traceback is printed.

    Examples
    --------
    >>> hub = Hub()
    >>> hub.stats.sent
    0
    >>> hub.close()
    """

    _esm = front_end("hub.js")
    _css = front_end("convis.css")
    wire = traitlets.Instance(Widget, help="carries the messages").tag(sync=True, **widget_serialization)
    paints = traitlets.List(traitlets.Dict(), help="attributes that follow the theme's colours").tag(sync=True)
    plots = traitlets.List(traitlets.Unicode(), help="plots that are to follow the size of the page").tag(sync=True)
    hovers = traitlets.List(traitlets.Dict(), help="plots in which the pointer is followed").tag(sync=True)
    links = traitlets.List(traitlets.Dict(), help="connections made inside the page, without the kernel").tag(sync=True)

    def __init__(
        self,
        *,
        max_rate: float = 30.0,
        timeout: float = 1.0,
        max_events: int = 2_000_000,
        on_error: Callable[[Exception], None] = traceback.print_exception,
        **kwargs: Any,
    ) -> None:
        # A plain widget, for an anywidget stays deaf for good on a page that takes two seconds to load its module.
        super().__init__(wire=Widget(), **kwargs)
        this = weakref.ref(self)  # the thread must not keep the hub alive

        def send(seq: int, parts: Sequence[Part]) -> None:
            if (hub := this()) is not None:
                headers, buffers = pack(parts)
                hub.wire.send({"type": "tick", "seq": seq, "parts": headers}, buffers)

        def probe(seq: int) -> None:
            if (hub := this()) is not None:
                hub.wire.send({"type": "probe", "seq": seq})

        self._pump = Pump(send, probe, max_rate=max_rate, timeout=timeout, max_events=max_events, on_error=on_error)
        self._views: weakref.WeakSet[Any] = weakref.WeakSet()
        self._foreign: dict[str, Part] = {}
        self._lock = threading.Lock()
        self.wire.on_msg(_listener(this))

    @property
    def stats(self) -> PumpStats:
        """Ticks sent, acknowledged, timed out, sent again; events dropped; last round trip in ms."""
        return self._pump.stats

    def register(self, view: Resyncable) -> None:
        """Have ``view.resync()`` called whenever a page loads."""
        self._views.add(view)

    def post(self, part: Part, *, replace: bool = False) -> None:
        """Queue news; the newest wins, appended events are merged. ``replace`` discards what was queued before."""
        self._pump.post(part, replace=replace)

    def together(self, *, urgent: bool = False) -> AbstractContextManager[None]:
        """Let all that is posted in a ``with`` block travel in one tick, even where it takes a while to work out.

        ``urgent`` is for what answers a person: it need not wait until the page has painted the tick before it.
        """
        return self._pump.together(urgent=urgent)

    def set(self, widget: Widget, **attributes: NDArray[Any] | Sequence[Any] | float | str | None) -> None:
        """Set attributes of a foreign widget (a bqplot mark or scale) in the page only, within the next tick.

        NumPy arrays travel as binary; numbers, strings and None as JSON. The kernel's copy of the widget stays as it
        is; the hub remembers the values and sends them again when a page loads.

        Parameters
        ----------
        widget : Widget
            Any ipywidget with a model in the page.
        **attributes
            For example ``hub.set(lines, x=time, y=rate)`` or ``hub.set(scale, min=0.0, max=1.0)``.
        """
        arrays = {name: value for name, value in attributes.items() if isinstance(value, np.ndarray) and value.ndim}
        fields = {name: value for name, value in attributes.items() if name not in arrays}
        part = make_part(widget.model_id, fields, arrays, kind="set")
        with self._lock:
            known = self._foreign.get(part.to)
            self._foreign[part.to] = part if known is None else known.merged(part)
            self.post(part)

    def link(self, source: Widget, attr: str, target: Widget, to: str, **how: Any) -> None:
        """Let an attribute follow another inside the page.

        Parameters
        ----------
        source, target : Widget
            Any two widgets, own or foreign.
        attr, to : str
            ``target.to`` is set whenever ``source.attr`` changes.
        item : int, optional
            Take this element of an array (``selected``, ``brush``).
        scale, offset : float, optional
            ``value * scale + offset``.
        repeat : int, optional
            Repeat the value into an array of this length (the two ends of a vertical line).
        otherwise : float or None, optional
            What to set when the source is None; left out, the target then stays as it is.
        save : bool, optional
            Also tell the kernel about the new value of the target.
        """
        known = {"item", "scale", "offset", "repeat", "otherwise", "save"}
        if unknown := set(how) - known:
            raise TypeError(f"Hub.link knows {sorted(known)}, got {sorted(unknown)}.")
        link = {"source": source.model_id, "attr": attr, "target": target.model_id, "to": to, **how}
        self.links = [*self.links, link]

    def follow_pointer(self, plot: DOMWidget, scale: Widget, target: Widget, to: str) -> None:
        """Set an attribute to the value under the pointer in a bqplot figure, None when it leaves, and tell the kernel.

        Parameters
        ----------
        plot : DOMWidget
            Holds the figure; wherever it is displayed, the pointer is followed.
        scale : Widget
            Horizontal scale of the figure, whose ``min`` and ``max`` are set.
        target, to : Widget, str
            ``target.to`` becomes the value.
        """
        name = f"convis-hover-{plot.model_id}"
        plot.add_class(name)
        hover = {"name": name, "scale": scale.model_id, "target": target.model_id, "to": to}
        self.hovers = [*self.hovers, hover]

    def paint(self, widget: Widget, attr: str, value: Any) -> None:
        """Set an attribute of a foreign widget to colours of the theme, now and whenever the theme changes.

        Parameters
        ----------
        widget : Widget
            Any ipywidget that cannot read CSS itself.
        attr : str
            Its attribute.
        value : str, list or dict
            The value, in which each string ``"var(--cv-card)"`` stands for that colour of `convis.css`.
        """
        self.paints = [*self.paints, {"target": widget.model_id, "attr": attr, "value": value}]

    def keep_fitted(self, plot: Widget) -> None:
        """Have a bqplot figure lay itself out anew after the window has changed, which it misses while it is built."""
        self.plots = [*self.plots, plot.model_id]

    def resync(self) -> None:
        """Send the whole present state of every registered view and of every foreign widget set so far."""
        self._pump.forget_flight()
        with self._lock:
            for part in self._foreign.values():
                self.post(part, replace=True)
        for view in list(self._views):
            view.resync()

    def close(self) -> None:
        """End the sending thread and the widget."""
        if (pump := getattr(self, "_pump", None)) is not None:
            pump.close()
            self.wire.close()
        super().close()

    def _receive(self, content: Mapping[str, Any]) -> None:
        kind = content.get("type")
        if kind == "ack":
            self._pump.acknowledge(content["seq"], content.get("paint_ms", 0.0))
        elif kind == "missing":
            self._pump.missing(content["seq"], content["received"])
        elif kind == "hello":
            self.resync()


def _listener(hub: weakref.ref[Hub]) -> Callable[[Widget, Mapping[str, Any], Sequence[memoryview]], None]:
    """Hand what the page says to a hub, without keeping the hub alive."""

    def receive(_wire: Widget, content: Mapping[str, Any], _buffers: Sequence[memoryview]) -> None:
        if (receiver := hub()) is not None:
            receiver._receive(content)

    return receive
