"""Playing a model over a stimulus."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from torch import Tensor

from convis_core import Chunk, Layer, Output
from convis_core.errors import ConvisError, ResolutionError
from convis_core.loops.run import check_steps
from convis_core.streams import Stream, as_stream
from convis_core.tensors import TIME, check_finite
from convis_widgets.live.player import Player

__all__ = ["RunPlayer"]

LONGEST_CHUNK = 10.0
"""Seconds: a button pressed waits until the chunk at work is done, and a chunk's memory is taken at once."""
KEPT_BYTES = 256_000_000
"""Memory for the newest responses of a run."""


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
        self._first = self.stimulus
        self.dt = check_steps(dt, "dt")
        self.speed = speed
        self.reached = 0
        self._kept: deque[Output] = deque()
        self._kept_bytes = 0
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
            self._begin_at(0)
        if not self.stimulus.remaining and self.stimulus.length:
            self.stimulus.seek(0)
        return self._rounds()

    def _begin_at(self, frame: int) -> None:
        """Note a jump in time: what was kept before does not belong to what comes."""
        self.reached = frame
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0

    def _rounds(self) -> Iterator[Chunk]:
        yield from self.model.stream(self.stimulus, self.dt)
        while self.loop and self.stimulus.length:
            self.stimulus.seek(0)
            yield from self.model.stream(self.stimulus, self.dt)

    @property
    def output(self) -> Output | None:
        """The newest responses in one piece, as far back as `KEPT_BYTES` reach; also after an error."""
        with self._lock:
            kept = list(self._kept)
        return Output.concatenate(kept) if kept else None

    def advance(self, event: Chunk) -> int:
        for name, response in zip(event.output.names, event.output, strict=True):
            check_finite(response, f"The response {name} of {type(self.model).__name__}", event.start)
        follows = self.reached == event.start
        self.reached = event.stop
        with self._lock:
            if not follows:
                self._forget()
            self._kept.append(event.output)
            self._kept_bytes += _bytes(event.output)
            while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= _bytes(self._kept.popleft())
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
        """Change the chunk length in frames, also in the middle of a run; at most `LONGEST_CHUNK`."""
        seconds = check_steps(dt, "The chunk length") * self.model.resolution.step
        if seconds > LONGEST_CHUNK:
            raise ResolutionError(
                f"A chunk of {seconds:g} s would keep every command waiting.",
                f"Choose at most {1e3 * LONGEST_CHUNK:g} ms; the chunk length changes nothing in the responses.",
            )
        self.dt = dt
        self.submit(self._renew)

    def set_speed(self, speed: float | None) -> None:
        """Limit the speed to a multiple of real time; None for as fast as it goes."""
        if speed is not None and not speed > 0:
            raise ResolutionError(f"The speed must be above 0 times real time, got {speed!r}.")
        self.speed = speed
        self.submit(lambda: None)  # ends the wait that the old speed imposed

    def seek(self, seconds: float) -> None:
        """Go to a time of the stimulus in s; the model starts there without memory."""
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
            raise ResolutionError(f"A time to go to is a number of seconds, got {seconds!r}.")

        def go() -> None:
            frame = round(seconds / self.model.resolution.step)
            if self.stimulus.length is not None:
                frame = min(max(frame, 0), self.stimulus.length - 1)
            self._renew()
            self.model.clear_state()
            self.stimulus.seek(frame)
            self._begin_at(frame)
            self.fresh = False
            self._notify()

        self.submit(go)

    def preview(self) -> Tensor | None:
        """Next frame of the stimulus; None where it could not be read a second time. Only between runs."""
        if self.stimulus.length is None:
            return None
        with suppress(ConvisError):  # the run is going to meet the same error, and to show it
            start = self.stimulus.position
            frames = self.stimulus.get(1)
            self.stimulus.seek(start)
            return frames if frames.shape[TIME] else None
        return None

    def load(self, stimulus: Any) -> None:
        """Show the model something else, from its beginning; what it was made with stays open, to be shown again."""
        stream = as_stream(stimulus)

        def change() -> None:
            self._renew()
            if self.stimulus is not self._first:
                self.stimulus.close()
            self.stimulus = stream
            self.model.clear_state()
            self._begin_at(0)
            self._rewind()

        self.submit(change)

    def close(self) -> None:
        """Stop, end the thread and close what was shown."""
        super().close()
        self.stimulus.close()
        self._first.close()


def _bytes(output: Output) -> int:
    return sum(response.nbytes for response in output)
