"""A thread that drives an iterator of events, so that its cell, script or page stays free."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, Literal, TypeVar

from convis_core.errors import StateError
from convis_core.orders import Orders

__all__ = ["Driver", "DriverState"]

Event = TypeVar("Event")
DriverState = Literal["ready", "running", "paused", "finished", "stopped", "failed", "closed"]


class Driver(Generic[Event]):
    """Calls ``next`` on an iterator in a thread of its own, when it is told to.

    Everything that touches what the iterator works on goes through `submit` and is done
    between two events, on that thread. While there is nothing to do the thread sleeps; if
    the driver is forgotten meanwhile, its thread ends.

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
        self._orders = Orders()
        self._iterator: Iterator[Event] | None = None
        self.state: DriverState = "ready"
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=_serve, args=(weakref.ref(self), self._orders), name=name, daemon=True)
        weakref.finalize(self, self._orders.close).atexit = False
        self._thread.start()
        _living.add(self)

    # Commands, from any thread ---------------------------------------------------------------

    def start(self) -> None:
        """Go on, or start again after the end."""
        self._orders.give(self, running=True)

    def pause(self) -> None:
        """Stop after the present event, ready to go on."""
        self._orders.give(self, self._pause, running=False)

    def step(self) -> None:
        """Produce exactly one event, then pause."""
        self._orders.give(self, running=False, steps=1)

    def stop(self) -> Future[object]:
        """End the run after the present event; the next start begins afresh."""
        return self._orders.give(self, self._stop, running=False)

    def submit(self, job: Callable[[], object]) -> Future[object]:
        """Do something between two events, on the thread; the future has its result or error."""
        return self._orders.give(self, job)

    def close(self, timeout: float | None = 10.0) -> None:
        """Stop, and end the thread."""
        self._orders.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def wait(self, timeout: float | None = None) -> DriverState:
        """Block until there is nothing left to do and return the state."""
        if threading.current_thread() is self._thread:
            raise StateError("A run cannot wait for its own end.", "Wait in another thread than on_event is called in.")
        with self._orders.changed:
            self._orders.changed.wait_for(self._orders.all_done, timeout)
            return self.state

    def drop(self) -> None:
        """Close the iterator, so that a new one is made; to be called on the thread, by a job."""
        iterator, self._iterator = self._iterator, None
        close = getattr(iterator, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:
                self.error = self.error or error

    # The thread ------------------------------------------------------------------------------

    def work(self) -> bool:
        """Do what has been ordered until nothing is left; return whether there can be more."""
        while self._orders.next():
            self._orders.do_jobs()
            if self._orders.closing:
                self._stop()
                self._change("closed")
                return False
            if self._orders.running or self._orders.steps:
                self._advance()
        return True

    def _advance(self) -> None:
        """Produce one event, keeping the pace."""
        started = time.monotonic()
        try:
            if self._iterator is None:
                self.error = None
                self._iterator = self._make()
            if self.state != "running" and self._orders.running:
                self._change("running")
            event = next(self._iterator)
            self._on_event(event)
            wanted = self._pace(event) if self._pace else 0.0
        except StopIteration:
            self._end("finished")
            return
        except BaseException as error:  # it is kept and shown by whoever watches: a thread must not die silently
            self.error = error
            self._end("failed")
            return
        if self._orders.step_done():
            self._change("paused")
        self._orders.rest(wanted - (time.monotonic() - started))

    def _end(self, state: DriverState) -> None:
        self.drop()
        self._orders.halt()
        self._change(state)

    def _pause(self) -> None:
        if self.state == "running":
            self._change("paused")

    def _stop(self) -> None:
        self.drop()
        if self.state in ("running", "paused"):
            self._change("stopped")

    def _change(self, state: DriverState) -> None:
        self.state = state
        try:
            if self._on_change is not None:
                self._on_change(state)
        except BaseException as error:  # nobody is told of this failure, for the one who tells is what failed
            self.error = self.error or error
            self._orders.halt()
            self.state = "closed" if state == "closed" else "failed"


_living: weakref.WeakSet[Driver[Any]] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """End every run with the interpreter: a thread that is cut off in the middle of a tensor aborts the process."""
    drivers = list(_living)
    for driver in drivers:
        driver.close(timeout=0.0)
    for driver in drivers:
        driver.close()


def _serve(reference: weakref.ref[Driver[Event]], orders: Orders) -> None:
    """Let a driver work, not holding on to it while it does not, so that a forgotten one can be collected."""
    try:
        while (driver := reference()) is not None and driver.work():
            del driver
            orders.sleep()
    finally:
        orders.end()
