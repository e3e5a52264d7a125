"""Playing a model over a stimulus, or a fit, in the background, under the control of a person."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from convis_core import Chunk, Driver, FitStep, Layer, fit
from convis_core.driver import DriverState
from convis_core.errors import ConvisError, ResolutionError, UnknownNameError
from convis_core.loops.run import check_steps
from convis_core.streams import Stream, as_stream

__all__ = ["FitPlayer", "Player", "RunPlayer"]

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

    @property
    def state(self) -> DriverState:
        """What it is doing: ready, running, paused, finished, stopped, failed or closed."""
        return self._driver.state

    @property
    def error(self) -> BaseException | None:
        return self._driver.error

    @property
    def rate(self) -> float:
        """Frames, or updates of a fit, per second of real time, over the last second."""
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
        """Note where an event has led; return how much was done: frames, or updates of a fit."""
        return 1

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


class RunPlayer(Player[Chunk]):
    """Plays a model over a stimulus.

    Parameters
    ----------
    model : Layer
        The model; while the player lives, touch it only through `submit`.
    stimulus : array, tensor or Stream
        What it sees.
    dt : int
        Chunk length in frames: a command waits for at most one chunk.
    speed : float or None
        Limit as a multiple of real time; None for as fast as it goes.
    loop : bool
        Whether a finite stimulus is shown again and again; the model goes on as it is.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> player = RunPlayer(convis.models.L(), np.zeros((100, 4, 4)), dt=50, speed=None)
    >>> player.watchers.append(lambda chunk: print(chunk.start, chunk.stop))
    >>> player.play()
    >>> player.wait(10.0)
    0 50
    50 100
    'finished'
    >>> player.close()
    """

    def __init__(
        self, model: Layer, stimulus: Any, dt: int = 50, speed: float | None = 1.0, loop: bool = False
    ) -> None:
        self.model = model
        self.loop = loop
        self.stimulus: Stream = as_stream(stimulus)
        self.dt = check_steps(dt, "dt")
        self.speed = speed
        self.reached = 0
        self._lock = threading.Lock()
        super().__init__()

    @property
    def position(self) -> float:
        """Time reached, in s."""
        return self.reached * self.model.resolution.step

    @property
    def duration(self) -> float | None:
        """Length of the stimulus in s; None where it is endless."""
        length = self.stimulus.length
        return None if length is None else length * self.model.resolution.step

    def events(self, fresh: bool) -> Iterator[Chunk]:
        if fresh:
            self.model.clear_state()
            if self.stimulus.position:
                self.stimulus.seek(0)
            self.reached = 0
        if not self.stimulus.remaining and self.stimulus.length:
            self.stimulus.seek(0)
        return self._rounds()

    def _rounds(self) -> Iterator[Chunk]:
        yield from self.model.stream(self.stimulus, self.dt)
        while self.loop and self.stimulus.length:
            self.stimulus.seek(0)
            yield from self.model.stream(self.stimulus, self.dt)

    def advance(self, event: Chunk) -> int:
        self.reached = event.stop
        return event.stop - event.start

    def pace(self, event: Chunk) -> float:
        if self.speed is None:
            return 0.0
        return (event.stop - event.start) * self.model.resolution.step / self.speed

    def commands(self) -> dict[str, Callable[[Any], object]]:
        rate = self.model.resolution.steps_per_second
        return {
            **super().commands(),
            "seek": self.seek,
            "speed": self.set_speed,
            "chunk": lambda ms: self.set_chunk(max(1, round(ms * rate / 1e3))),
        }

    def report(self) -> dict[str, Any]:
        chunk_ms = 1e3 * self.dt * self.model.resolution.step
        position = {"position_s": self.position, "duration_s": self.duration}
        return {"rate": self.rate, "speed": self.speed, "chunk_ms": chunk_ms, **position}

    def set_chunk(self, dt: int) -> None:
        """Change the chunk length, also in the middle of a run."""
        self.dt = check_steps(dt, "The chunk length")
        self.submit(self._renew)

    def set_speed(self, speed: float | None) -> None:
        """Limit the speed to a multiple of real time; None for as fast as it goes."""
        if speed is not None and not speed > 0:
            raise ResolutionError(f"The speed must be above 0 times real time, got {speed!r}.")
        self.speed = speed
        self.submit(lambda: None)  # ends the wait that the old speed imposed

    def seek(self, seconds: float) -> None:
        """Go to a time of the stimulus; the model starts there without memory."""

        def go() -> None:
            frame = round(seconds / self.model.resolution.step)
            if self.stimulus.length is not None:
                frame = min(max(frame, 0), self.stimulus.length - 1)
            self._renew()
            self.model.clear_state()
            self.stimulus.seek(frame)
            self.reached, self.fresh = frame, False
            self._notify()

        self.submit(go)

    def load(self, stimulus: Any) -> None:
        """Show the model something else, from its beginning."""
        stream = as_stream(stimulus)

        def change() -> None:
            self._renew()
            self.stimulus.close()
            self.stimulus = stream
            self.model.clear_state()
            self.reached = 0
            self._rewind()

        self.submit(change)

    def close(self) -> None:
        """Stop, end the thread and close the stimulus."""
        super().close()
        self.stimulus.close()


class FitPlayer(Player[FitStep]):
    """Plays a fit.

    Parameters
    ----------
    model : Layer
        The model to fit; while the player lives, touch it only through `submit`.
    input, target : array, tensor or Stream
        Stimulus and recorded response.
    dt : int, optional
        Frames per update.
    epochs : int
        Passes over the data.
    **options
        Further options of `convis_core.fit`.
    """

    def __init__(
        self, model: Layer, input: Any, target: Any, dt: int | None = None, epochs: int = 100, **options: Any
    ) -> None:
        self.model, self.input, self.target, self.dt = model, input, target, dt
        self.epochs, self.options = epochs, options
        self.steps = 0
        self._initial = model.get_parameters()
        super().__init__()

    def events(self, fresh: bool) -> Iterator[FitStep]:
        return fit(self.model, self.input, self.target, dt=self.dt, epochs=self.epochs, **self.options)

    def report(self) -> dict[str, Any]:
        return {"rate": self.rate, "unit": "updates", "position_s": self.steps, "duration_s": None}

    def advance(self, event: FitStep) -> int:
        self.steps += 1
        return 1

    def restart(self) -> None:
        """Begin afresh, from the parameters that the model had at first."""
        self._driver.stop()
        self.submit(self._reset)
        self._driver.start()

    def _reset(self) -> None:
        self.model.set_parameters(self._initial)
        self.steps = 0
        self._rewind()

    def set_optimizer(self, name: str, lr: float) -> Future[object]:
        """Go on with another optimiser or learning rate; the parameters stay."""
        return self.submit(lambda: getattr(self.model.set_optimizer, name)(lr=lr))
