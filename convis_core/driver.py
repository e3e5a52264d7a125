"""A thread that drives an iterator of events, so that its cell, script or page stays free."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, Literal, TypeVar

from convis_core.errors import StateError

__all__ = ["Driver", "DriverState"]

Event = TypeVar("Event")
DriverState = Literal["ready", "running", "paused", "finished", "stopped", "failed", "closed"]


class Driver(Generic[Event]):
    """Calls ``next`` on an iterator in a thread of its own, when it is told to.

    Everything that touches what the iterator works on goes through `submit` and is done
    between two events, on that thread. While there is nothing to do the thread sleeps.

    Parameters
    ----------
    make : callable
        Returns a fresh iterator, for the first start and after every stop.
    on_event : callable
        Called with every event, on the thread.
    on_change : callable, optional
        Called with every new state, on the thread.
    pace : callable, optional
        Seconds that an event should last at least; 0 for as fast as it goes.

    Attributes
    ----------
    state : str
        ready, running, paused, finished, stopped, failed or closed.
    error : Exception or None
        What ended a failed run.
    """

    def __init__(
        self,
        make: Callable[[], Iterator[Event]],
        on_event: Callable[[Event], None],
        *,
        on_change: Callable[[DriverState], None] | None = None,
        pace: Callable[[Event], float] | None = None,
        name: str = "convis-driver",
    ) -> None:
        self._make, self._on_event, self._on_change, self._pace = make, on_event, on_change, pace
        self._wake = threading.Condition()
        self._jobs: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._running, self._steps = False, 0
        self._closing = False
        self._iterator: Iterator[Event] | None = None
        self.state: DriverState = "ready"
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    # Commands, from any thread ---------------------------------------------------------------

    def start(self) -> None:
        """Go on, or start again after the end."""
        self._command(running=True)

    def pause(self) -> None:
        """Stop after the present event, ready to go on."""
        self.submit(self._pause)
        self._command(running=False)

    def step(self) -> None:
        """Produce exactly one event, then pause."""
        self._command(running=False, steps=1)

    def stop(self) -> Future[object]:
        """End the run after the present event; the next start begins afresh."""
        self._command(running=False)
        return self.submit(self._stop)

    def close(self, timeout: float | None = 10.0) -> None:
        """Stop, and end the thread."""
        with self._wake:
            self._closing, self._running, self._steps = True, False, 0
            self._wake.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def submit(self, job: Callable[[], object]) -> Future[object]:
        """Do something between two events, on the thread; the future has its result or error."""
        future: Future[object] = Future()
        with self._wake:
            if self._closing:
                raise StateError("This run has been closed.", "Make a new one.")
            self._jobs.append((job, future))
            self._wake.notify_all()
        return future

    def wait(self, timeout: float | None = None) -> DriverState:
        """Block until nothing is running any more and return the state."""
        with self._wake:
            self._wake.wait_for(lambda: not self._busy() and not self._jobs, timeout)
            return self.state

    def _command(self, *, running: bool, steps: int = 0) -> None:
        with self._wake:
            if self._closing:
                raise StateError("This run has been closed.", "Make a new one.")
            self._running = running
            self._steps = self._steps + steps if steps else 0
            self._wake.notify_all()

    def _busy(self) -> bool:
        return self._running or self._steps > 0 or (self._closing and self.state != "closed")

    # The thread ------------------------------------------------------------------------------

    def _loop(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._jobs or self._running or self._steps or self._closing)
                jobs, closing = list(self._jobs), self._closing
                self._jobs.clear()
            for job, future in jobs:
                _do(job, future)
            if closing:
                self._stop()
                self._change("closed")
                return
            if self._running or self._steps:
                self._advance()
            else:
                with self._wake:
                    self._wake.notify_all()

    def _advance(self) -> None:
        """Produce one event, keeping the pace."""
        started = time.monotonic()
        try:
            if self._iterator is None:
                self.error = None
                self._iterator = self._make()
            if self.state != "running" and self._running:
                self._change("running")
            event = next(self._iterator)
            self._on_event(event)
        except StopIteration:
            self._end("finished")
            return
        except Exception as error:  # it is kept and shown by whoever watches: a thread must not die silently
            self.error = error
            self._end("failed")
            return
        with self._wake:
            if self._steps:
                self._steps -= 1
            stepped = not self._running and not self._steps
        if stepped:
            self._change("paused")
        self._hold(event, started)

    def _hold(self, event: Event, started: float) -> None:
        rest = (self._pace(event) if self._pace else 0.0) - (time.monotonic() - started)
        if rest <= 0:
            return
        with self._wake:  # a command cuts the waiting short
            self._wake.wait_for(lambda: self._jobs or not self._running or self._closing, rest)

    def _end(self, state: DriverState) -> None:
        with self._wake:
            self._running, self._steps = False, 0
        self.drop()
        self._change(state)

    def _pause(self) -> None:
        if self.state == "running":
            self._change("paused")

    def _stop(self) -> None:
        self.drop()
        if self.state in ("running", "paused"):
            self._change("stopped")

    def drop(self) -> None:
        """Close the iterator, so that a new one is made; to be called on the thread, by a job."""
        iterator, self._iterator = self._iterator, None
        close = getattr(iterator, "close", None)
        if close is not None:
            close()

    def _change(self, state: DriverState) -> None:
        with self._wake:
            self.state = state
            self._wake.notify_all()
        if self._on_change is not None:
            self._on_change(state)


def _do(job: Callable[[], object], future: Future[object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except Exception as error:
        future.set_exception(error)
