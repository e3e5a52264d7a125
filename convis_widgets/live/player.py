"""Driving an iterator of events in the background, under the control of a person."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import torch

from convis_core import Driver
from convis_core.driver import DriverState
from convis_core.errors import ConvisError, UnknownNameError

__all__ = ["Player"]

Event = TypeVar("Event")
RATE_WINDOW = 1.0
"""Seconds over which the shown speed is averaged."""


class Player(Generic[Event]):
    """Drives an iterator of events; plays, pauses, steps, stops; tells whoever watches.

    All work happens on one background thread. Commands are carried out between two
    events; callbacks are called on that thread.

    Attributes
    ----------
    watchers : list of callable
        Called with every event.
    listeners : list of callable
        Called without arguments whenever the state, the position or an error changes.
    error : Exception or None
        What ended a failed run.
    """

    def __init__(self) -> None:
        self.watchers: list[Callable[[Event], object]] = []
        self.listeners: list[Callable[[], object]] = []
        self.fresh = True
        self._progress: deque[tuple[float, int]] = deque(maxlen=200)
        self._driver: Driver[Event] = Driver(
            self._events, self._show, on_change=self._changed, pace=self.pace, name="convis-player"
        )
        self._leave_a_processor()

    @property
    def state(self) -> DriverState:
        """What it is doing: ready, running, paused, finished, stopped, failed or closed."""
        return self._driver.state

    @property
    def error(self) -> BaseException | None:
        return self._driver.error

    @property
    def rate(self) -> float:
        """Frames, or chunks of a fit, per second of real time, over the last second."""
        if len(self._progress) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self._progress[0], self._progress[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0

    def play(self) -> None:
        """Go on; after the end, begin again."""
        self._driver.start()

    def pause(self) -> None:
        """Stop after the present event, ready to go on."""
        self._driver.pause()

    def step(self) -> None:
        """Compute one event, then pause."""
        self._driver.step()

    def stop(self) -> None:
        """End after the present event; the next start begins afresh."""
        self._driver.stop().add_done_callback(lambda _: self._rewind())

    def restart(self) -> None:
        """Begin afresh, at once."""
        self._driver.stop()
        self.submit(self._rewind)
        self._driver.start()

    def command(self, name: str, value: Any = None) -> None:
        """Carry out a command of the transport by its name."""
        commands = self.commands()
        if name not in commands:
            raise UnknownNameError(f"There is no command {name!r}.", f"There are: {', '.join(commands)}.")
        commands[name](value)

    def commands(self) -> dict[str, Callable[[Any], object]]:
        """Commands that a transport may give, by name."""
        return {
            "play": lambda _: self.play(),
            "pause": lambda _: self.pause(),
            "step": lambda _: self.step(),
            "stop": lambda _: self.stop(),
            "restart": lambda _: self.restart(),
        }

    def report(self) -> dict[str, Any]:
        """What a transport shows besides the state."""
        return {"rate": self.rate}

    def submit(self, job: Callable[[], object]) -> Future[object]:
        """Do something to the model between two events, e.g. change a parameter."""
        return self._driver.submit(job)

    def wait(self, timeout: float | None = None) -> DriverState:
        """Block until it no longer runs; for scripts and tests."""
        return self._driver.wait(timeout)

    def close(self) -> None:
        """Stop and end the thread."""
        self._driver.close()

    def pace(self, event: Event) -> float:
        """Seconds of real time that an event should last at least."""
        return 0.0

    def events(self, fresh: bool) -> Iterator[Event]:
        """Return the iterator to drive, from the beginning or from where it was left."""
        raise ConvisError(f"{type(self).__name__} does not define what it plays.")

    def advance(self, event: Event) -> int:
        """Note where an event has led; return how much was done: frames, or chunks of a fit."""
        return 1

    def _leave_a_processor(self) -> None:
        """Compute on all processors but one: the page and its server need one, or all of them wait for each other."""
        threads = torch.get_num_threads()

        def reduce() -> None:
            torch.get_num_threads()  # a thread's first question sets its number to the default
            torch.set_num_threads(max(1, threads - 1))

        self.submit(reduce).result()
        torch.set_num_threads(threads)  # the default for threads made from now on, which `reduce` changed, too

    def _events(self) -> Iterator[Event]:
        fresh, self.fresh = self.fresh, False
        self._progress.clear()
        return self.events(fresh)

    def _show(self, event: Event) -> None:
        now = time.monotonic()
        done = self._progress[-1][1] if self._progress else 0
        self._progress.append((now, done + self.advance(event)))
        while len(self._progress) > 2 and now - self._progress[0][0] > RATE_WINDOW:
            self._progress.popleft()
        for watcher in list(self.watchers):
            watcher(event)
        self._notify()

    def _rewind(self) -> None:
        self.fresh = True
        self._notify()

    def _renew(self) -> None:
        """Make a new iterator that goes on from where the present one is."""
        self._driver.drop()

    def _changed(self, state: DriverState) -> None:
        if state in ("finished", "failed"):
            self.fresh = True
        self._notify()

    def _notify(self) -> None:
        for listener in list(self.listeners):
            listener()
