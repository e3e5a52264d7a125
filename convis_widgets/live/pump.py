"""The thread that sends one message a tick, and the next only after the browser has painted the last.

A tick is in flight from sending until its acknowledgement. One more may follow it at once if a person waits for it: the
curve that belongs to a slider being moved. When none comes within ``timeout`` the tab may be hidden,
closed or reloading, or the server may have dropped the message: the pump then asks (``probe``) at that slow rate, and
sends the tick again if the browser says it never came. So a closed laptop costs one tiny message a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from convis_widgets.live.wire import Part

__all__ = ["Pump", "PumpStats"]

SendTick = Callable[[int, Sequence[Part]], None]
SendProbe = Callable[[int], None]


@dataclass
class PumpStats:
    """What the pump has done so far.

    ``round_trip_ms`` is the time of the last tick from sending to acknowledgement, ``paint_ms`` how much of it the page
    took to hand on and paint what had come.
    """

    sent: int = 0
    acked: int = 0
    timeouts: int = 0
    resent: int = 0
    dropped: int = 0
    round_trip_ms: float = 0.0
    paint_ms: float = 0.0


@dataclass(frozen=True)
class _Flight:
    parts: Sequence[Part]
    sent_at: float


class Pump:
    """Collect parts from any thread; send them as ticks.

    Parameters
    ----------
    send, probe : callable
        ``send(seq, parts)`` puts a tick on the wire, ``probe(seq)`` asks whether it has come.
    max_rate : float
        Ticks per second, at most.
    timeout : float
        Seconds to wait for an acknowledgement before probing.
    max_events : int
        Unsent events kept for one widget; older ones are dropped and counted in ``stats.dropped``.
    on_error : callable
        Receives what ``send`` raised; the pump goes on.
    """

    def __init__(
        self,
        send: SendTick,
        probe: SendProbe,
        *,
        max_rate: float = 30.0,
        timeout: float = 1.0,
        max_events: int = 2_000_000,
        on_error: Callable[[Exception], None],
    ) -> None:
        self.stats = PumpStats()
        self._send, self._probe, self._on_error = send, probe, on_error
        self._interval, self._timeout, self._max_events = 1.0 / max_rate, timeout, max_events
        self._changed = threading.Condition()
        self._pending: dict[str, Part] = {}
        self._flights: dict[int, _Flight] = {}  # by number, the oldest first
        self._held = 0
        self._urgent = False
        self._seq = 0
        self._sent_at = self._deadline = float("-inf")
        self._closed = False
        self._thread: threading.Thread | None = None

    def post(self, part: Part, *, replace: bool = False) -> None:
        """Queue news for a widget; ``replace`` discards what was queued for it before."""
        with self._changed:
            if self._closed:
                return
            waiting = None if replace else self._pending.get(part.to)
            merged = part if waiting is None else waiting.merged(part)
            kept = merged.newest(self._max_events)
            self.stats.dropped += merged.n_events - kept.n_events
            self._pending[part.to] = kept
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="convis-hub", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @contextmanager
    def together(self, *, urgent: bool = False) -> Iterator[None]:
        """Keep back what is posted in this block until its end, so that it is painted at once.

        ``urgent`` then sends it even while a tick is in flight, but never more than one.
        """
        with self._changed:
            self._held += 1
        try:
            yield
        finally:
            with self._changed:
                self._held -= 1
                self._urgent = self._urgent or urgent
                self._changed.notify_all()

    def acknowledge(self, seq: int, paint_ms: float = 0.0) -> None:
        """Note that the browser has painted tick ``seq``, and so all before it."""
        with self._changed:
            if seq in self._flights:
                self.stats.round_trip_ms = 1000.0 * (time.monotonic() - self._flights[seq].sent_at)
                self.stats.paint_ms = paint_ms
                for landed in [number for number in self._flights if number <= seq]:
                    del self._flights[landed]
                    self.stats.acked += 1
                self._changed.notify_all()

    def missing(self, seq: int, received: int) -> None:
        """Note that the browser, asked for tick ``seq``, has seen those up to ``received``: send the rest again."""
        with self._changed:
            if seq in self._flights:
                self.stats.resent += 1
                for lost in sorted((number for number in self._flights if number > received), reverse=True):
                    for part in self._flights.pop(lost).parts:
                        waiting = self._pending.get(part.to)
                        self._pending[part.to] = part if waiting is None else part.merged(waiting)
                self._changed.notify_all()

    def forget_flight(self) -> None:
        """Stop waiting for the tick in flight; a page has (re)loaded and is about to get everything anew."""
        with self._changed:
            self._flights.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread; what is queued is discarded."""
        with self._changed:
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                job = self._next_job()
            if job is None:
                return
            try:
                job()
            except Exception as error:  # the wire may fail in any way; the next tick may still go through
                self._on_error(error)

    def _next_job(self) -> Callable[[], None] | None:
        """Wait (holding the lock) until there is something to send; None when closed."""
        while not self._closed:
            now = time.monotonic()
            if self._pending and not self._held and self._may_leave():
                if (rest := self._sent_at + self._interval - now) <= 0 or self._urgent:
                    return self._take_off(now)
                self._changed.wait(rest)
            elif self._flights:
                if now >= self._deadline:
                    self.stats.timeouts += 1
                    self._deadline = now + self._timeout
                    return partial(self._probe, self._seq)
                self._changed.wait(self._deadline - now)
            else:
                self._changed.wait()
        return None

    def _may_leave(self) -> bool:
        return not self._flights or (self._urgent and len(self._flights) == 1)

    def _take_off(self, now: float) -> Callable[[], None]:
        parts = list(self._pending.values())
        self._pending = {}
        self._urgent = False
        self._seq += 1
        self._flights[self._seq] = _Flight(parts, now)
        self.stats.sent += 1
        self._sent_at, self._deadline = now, now + self._timeout
        return partial(self._send, self._seq, parts)
