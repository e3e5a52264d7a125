"""The run loop: a model over a stream, chunk by chunk, as an iterator of `Chunk`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convis_core.errors import ConvisError, ResolutionError, ResolutionWarning, RunError, StreamError
from convis_core.loops.collect import Collector
from convis_core.loops.protocol import RunnableModel
from convis_core.output import Output
from convis_core.scalars import is_number
from convis_core.streams.base import Stream, as_stream
from convis_core.tensors import AXES, TIME, check_finite, describe_shape
from convis_core.warn import warn

__all__ = ["Chunk", "check_steps", "chunk_length", "run_model", "stream_model"]

PIXELS_PER_CHUNK = 2_000_000
"""Pixels a chunk holds when no chunk length is asked for: some tens of MB while it is computed."""


@dataclass(frozen=True)
class Chunk:
    """One piece of a run.

    Attributes
    ----------
    start : int
        Index of its first frame in the stream.
    input : Tensor, shape [batch, channel, time, x, y]
        The frames the model saw.
    output : Output
        What it answered, as long as the input.
    """

    start: int
    input: Tensor
    output: Output

    @property
    def stop(self) -> int:
        """Index of the frame after its last one."""
        return self.start + self.input.shape[TIME]


def check_steps(value: Any, name: str, what: str = "frames", *, least: int = 1) -> int:
    """Return a number of steps as an int, or raise."""
    if not is_number(value) or value != value or value < least or value != int(min(value, 2**62)):
        raise ResolutionError(
            f"{name} is a number of {what} and must be a whole number of at least {least}, got {value!r:.80}.",
            f"For a duration in seconds write {name}=int(seconds * steps_per_second)." if what == "frames" else "",
        )
    return int(value)


def chunk_length(stream: Stream, dt: int | None) -> int:
    """Length of the chunks to cut a stream into; sized to fit memory where `dt` is None."""
    if dt is not None:
        return check_steps(dt, "dt")
    return max(1, PIXELS_PER_CHUNK // max(1, stream.size[0] * stream.size[1]))


def stream_model(
    model: RunnableModel,
    source: Any,
    dt: int | None = None,
    *,
    max_t: int | None = None,
    grad: bool = False,
) -> Iterator[Chunk]:
    """Run a model over a source and yield every chunk as soon as it is computed.

    Parameters
    ----------
    model : Layer
        The model; its state is carried from chunk to chunk and on after the last.
    source : array, tensor, Output or Stream
        What it sees.
    dt : int, optional
        Chunk length in frames. The result does not depend on it.
    max_t : int, optional
        Stop after exactly so many frames.
    grad : bool
        Whether to record the autograd graph. It then grows with the run.

    Yields
    ------
    Chunk

    Raises
    ------
    RunError
        If the model raises; the cause is attached.
    """
    stream = as_stream(source)
    length = chunk_length(stream, dt)
    last = None if max_t is None else stream.position + check_steps(max_t, "max_t")
    _check_rate(model, stream)
    if stream.remaining == 0:
        raise StreamError(
            f"{stream!r} has no frames left to read.",
            "Give it at least one frame, or call seek(0) to read it again.",
        )
    return _chunks(model, stream, length, last, grad)


def _chunks(model: RunnableModel, stream: Stream, length: int, last: int | None, grad: bool) -> Iterator[Chunk]:
    while last is None or stream.position < last:
        start = stream.position
        with _given_back_on_error(stream):
            frames = _read(stream, length if last is None else min(length, last - start))
            if frames.shape[TIME] == 0:
                return
            frames = frames.to(device=model.device, dtype=model.dtype)
            check_finite(frames, f"{type(stream).__name__}", start)
            chunk = Chunk(start, frames, _answer(model, frames, start, grad))
        yield chunk


@contextmanager
def _given_back_on_error(stream: Stream) -> Iterator[None]:
    """Go back to the frames that were read and not answered, as the model does, so that the next run has them."""
    start = stream.position
    try:
        yield
    except BaseException:
        if stream.position != start:
            with suppress(Exception):  # a camera cannot go back, and the error to see is the one on its way
                stream.seek(start)
        raise


def _read(stream: Stream, n: int) -> Tensor:
    start = stream.position  # which may have moved on when it raises
    try:
        frames = stream.get(n)
    except ConvisError:
        raise
    except Exception as error:
        raise RunError(
            f"{stream!r} raised {type(error).__name__} when asked for frame {start} on: {error}",
            "What was computed before is in the output attribute of this error.",
            frame=start,
        ) from error
    if not isinstance(frames, Tensor) or frames.ndim != len(AXES) or frames.shape[TIME] > n:
        got = describe_shape(frames.shape) if isinstance(frames, Tensor) else f"a {type(frames).__name__}"
        raise StreamError(
            f"{type(stream).__name__}.get({n}) should return a tensor [batch, channel, time, x, y] of at most {n} "
            f"frames, got {got}.",
            "Lift arrays with convis_core.tensors.lift, and keep what was not asked for until it is.",
        )
    return frames


def _answer(model: RunnableModel, frames: Tensor, start: int, grad: bool) -> Output:
    try:
        with torch.inference_mode(False), torch.set_grad_enabled(grad):  # what is remembered may get a gradient later
            return model.as_output(model(frames), start)
    except ConvisError:
        raise
    except Exception as error:
        raise RunError(
            f"{_name(model)} raised {type(error).__name__} on frames {start} to "
            f"{start + frames.shape[TIME] - 1}: {error}",
            "What was computed before is in the output attribute of this error.",
            frame=start,
        ) from error


def run_model(
    model: RunnableModel,
    source: Any,
    dt: int | None = None,
    *,
    max_t: int | None = None,
    grad: bool = False,
    progress: bool = False,
) -> Output:
    """Collect `stream_model` into one `Output`. Whatever ends it early carries what there was."""
    stream = as_stream(source)
    if max_t is None and stream.remaining is None:
        raise StreamError(
            f"{stream!r} never ends, so running over it would not either.",
            "Give max_t=<number of frames>, or iterate over model.stream(...).",
        )
    chunks = stream_model(model, stream, dt, max_t=max_t, grad=grad)
    expected = _expected(stream, None if max_t is None else int(max_t))
    done = Collector(expected, keep_graph=grad)
    try:
        for chunk in _with_progress(chunks, expected) if progress else chunks:
            done.add(chunk.output)
    except BaseException as error:
        error.output = done.output()  # type: ignore[attr-defined]
        raise
    output = done.output()
    if output is None:
        raise StreamError(f"{stream!r} gave no frames.", "Give it at least one frame.")
    return output


def _expected(stream: Stream, max_t: int | None) -> int | None:
    """Frames a run is going to have, as far as the stream tells."""
    counts = [n for n in (stream.remaining, max_t) if n is not None]
    return min(counts, default=None)


def _with_progress(chunks: Iterator[Chunk], total: int | None) -> Iterator[Chunk]:
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="frames") as bar:
        for chunk in chunks:
            yield chunk
            bar.update(chunk.stop - chunk.start)


def _name(model: RunnableModel) -> str:
    """What a message calls a model: what stands for another one has its name."""
    return str(getattr(model, "stands_for", type(model).__name__))


def _check_rate(model: RunnableModel, stream: Stream) -> None:
    expected = model.resolution.steps_per_second
    if stream.steps_per_second is not None and abs(stream.steps_per_second - expected) > 1e-9 * expected:
        warn(
            f"{stream!r} plays {stream.steps_per_second:g} frames a second and {_name(model)} takes "
            f"{expected:g} steps a second, so its time constants do not hold. Give the stream "
            f"steps_per_second={expected:g}, or build the model with that resolution.",
            ResolutionWarning,
        )
