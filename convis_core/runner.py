"""A model that runs in the background, from an input stream to an output stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from typing_extensions import Self

from convis_core.driver import Driver, DriverState
from convis_core.errors import StreamError
from convis_core.layer import Layer
from convis_core.loops.run import Chunk
from convis_core.streams.base import OutputStream, as_stream

__all__ = ["Runner"]


class Runner:
    """Runs a model over a stream in a thread of its own.

    Parameters
    ----------
    model : Layer
        The model. While the runner is running nothing else may use it.
    input : array, tensor or Stream
        What it sees; may be endless.
    output : OutputStream or sequence of OutputStream, optional
        Where its responses go, one stream for the first response or one for each. They are
        closed when the run ends.
    dt : int, optional
        Chunk length in frames.

    Examples
    --------
    >>> import convis_core as convis, numpy as np
    >>> sink = convis.streams.SequenceWriter()
    >>> with convis.Runner(convis.models.L(bias=False), np.ones((10, 4, 4)), sink) as runner:
    ...     runner.start()
    ...     runner.join()
    >>> tuple(sink.frames.shape)
    (1, 1, 10, 4, 4)
    """

    def __init__(
        self,
        model: Layer,
        input: Any,
        output: OutputStream | Sequence[OutputStream] | None = None,
        dt: int | None = None,
    ) -> None:
        self.model = model
        self.input = as_stream(input)
        given = () if output is None else output if isinstance(output, (list, tuple)) else (output,)
        self.outputs = [_output_stream(stream) for stream in given]
        self.dt = dt
        if len(self.outputs) > len(model.output_names):
            raise StreamError(
                f"Got {len(self.outputs)} output streams for the {len(model.output_names)} "
                f"response(s) of {type(model).__name__}."
            )
        self._driver: Driver[Chunk] = Driver(self._events, self._write, on_change=self._changed, name="convis-runner")

    def _events(self) -> Iterator[Chunk]:
        return self.model.stream(self.input, self.dt)

    def _write(self, chunk: Chunk) -> None:
        for stream, response in zip(self.outputs, chunk.output, strict=False):
            stream.put(response)

    def _changed(self, state: DriverState) -> None:
        if state == "closed":  # by stop, or with the interpreter
            with ExitStack() as all_of_them:  # one that fails to close leaves none of the others open
                for stream in self.outputs:
                    all_of_them.callback(stream.close)

    @property
    def state(self) -> DriverState:
        """What it is doing: ready, running, paused, finished, stopped, failed or closed."""
        return self._driver.state

    def start(self) -> None:
        """Start, or go on after a pause."""
        self._raise_error()
        self._driver.start()

    def pause(self) -> None:
        """Pause after the present chunk."""
        self._driver.pause()

    def step(self) -> None:
        """Run one chunk and wait for it."""
        self._driver.step()
        self._driver.wait()
        self._raise_error()

    def stop(self) -> None:
        """End the run after the present chunk, close the outputs and raise what went wrong."""
        self._driver.close(timeout=None)
        self._raise_error()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the input has ended, then close the outputs and raise what went wrong.

        With an endless input this waits until `timeout`, in s; a paused run is not waited for.
        """
        if self._driver.wait(timeout) in ("finished", "failed", "stopped"):
            self.stop()
        self._raise_error()

    def _raise_error(self) -> None:
        if self._driver.error is not None:
            error, self._driver.error = self._driver.error, None
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
            return
        self._driver.close(timeout=None)  # the error on its way out is the one to see


def _output_stream(stream: Any) -> OutputStream:
    if not isinstance(stream, OutputStream):
        raise StreamError(
            f"A Runner writes to output streams, got {stream!r:.80}.",
            "Give e.g. convis.streams.VideoWriter(path) or SequenceWriter(), one for each response.",
        )
    return stream
