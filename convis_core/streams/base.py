"""What can be read or written chunk by chunk: `Stream`, `OutputStream`, and the array that is a stream."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from functools import cached_property
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from convis_core.errors import StreamError
from convis_core.output import Output
from convis_core.streams.checks import check_count, check_frame, check_rate
from convis_core.tensors import TIME, lift

__all__ = ["OutputStream", "SequenceStream", "Stream", "as_stream"]


class Stream(ABC):
    """A source of frames ``[batch, channel, time, x, y]``, read from front to back.

    A subclass implements `get`, and `seek` if it can. Frames are floating point.

    Attributes
    ----------
    size : tuple of int
        Frame size ``(x, y)`` in pixels.
    length : int or None
        Number of frames in all; None where it is infinite.
    steps_per_second : float or None
        Rate at which frames follow one another, in Hz; None where any rate is right.
    position : int
        Index of the frame that `get` returns next.
    value_range : tuple of float
        Luminance of black and white, for display.
    """

    size: tuple[int, int]
    length: int | None = None
    steps_per_second: float | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    position: int = 0

    @abstractmethod
    def get(self, n: int) -> Tensor:
        """Return the next `n` frames; fewer, down to none, at the end of the stream."""

    def seek(self, frame: int) -> None:
        """Go to a frame, so that `get` returns it next."""
        raise StreamError(
            f"A {type(self).__name__} cannot go back or forth.",
            "Read it from the start, or record it to an array first.",
        )

    @property
    def remaining(self) -> int | None:
        """Frames left to read; None where the stream is infinite."""
        return None if self.length is None else max(self.length - self.position, 0)

    def close(self) -> None:  # noqa: B027  (most streams hold nothing)
        """Release files and devices."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        length = "endless" if self.length is None else f"{self.length} frames"
        rate = "" if self.steps_per_second is None else f" at {self.steps_per_second:g} Hz"
        return f"{type(self).__name__}({length} of {self.size[0]}x{self.size[1]}{rate})"


class OutputStream(ABC):
    """Where a `Runner` puts frames ``[batch, channel, time, x, y]``, chunk after chunk."""

    @abstractmethod
    def put(self, frames: Any) -> None:
        """Append frames; arrays with fewer axes are lifted."""

    def close(self) -> None:  # noqa: B027  (a sink in memory holds nothing)
        """Finish what was written. Closing twice does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SequenceStream(Stream):
    """Frames from an array or tensor.

    Parameters
    ----------
    sequence : array, shape [time], [x, y], [time, x, y] or [batch, channel, time, x, y]
        The frames.
    steps_per_second : float, optional
        Rate of the frames in Hz.

    Examples
    --------
    >>> import numpy as np
    >>> stream = SequenceStream(np.zeros((5, 4, 4)))
    >>> tuple(stream.get(3).shape), tuple(stream.get(3).shape)
    ((1, 1, 3, 4, 4), (1, 1, 2, 4, 4))
    """

    def __init__(self, sequence: Any, steps_per_second: float | None = None) -> None:
        self.sequence = lift(sequence)
        self.size = (self.sequence.shape[3], self.sequence.shape[4])
        self.length = self.sequence.shape[TIME]
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)

    @cached_property
    def value_range(self) -> tuple[float, float]:  # type: ignore[override]
        """Smallest and largest value; looked for when it is first asked for."""
        if not self.sequence.numel():
            return 0.0, 1.0
        lo, hi = (float(v) for v in torch.aminmax(self.sequence.detach()))
        return (lo, hi) if hi > lo else (lo, lo + 1.0)

    def get(self, n: int) -> Tensor:
        frames = self.sequence[:, :, self.position : self.position + check_count(n)]
        self.position += frames.shape[TIME]
        return frames

    def seek(self, frame: int) -> None:
        self.position = check_frame(frame, self.length)


def as_stream(source: Any) -> Stream:
    """Make a `Stream` of an array, a tensor or an output; a stream passes unchanged.

    Raises
    ------
    ShapeError
        If an array has the wrong number of axes.
    StreamError
        If an output holds more than one response, or a file is only named.
    """
    if isinstance(source, Stream):
        return source
    if isinstance(source, (str, os.PathLike)):
        raise StreamError(
            f"Expected frames, got the name of a file, {os.fspath(source)!r}.",
            "Open it first, e.g. with convis.streams.VideoReader or ImageSequence.",
        )
    if isinstance(source, Output) and len(source) > 1:
        raise StreamError(
            f"An output with {len(source)} responses is no single input.",
            f"Choose one of them, e.g. output[{source.names[0]!r}].",
        )
    rate = getattr(getattr(source, "resolution", None), "steps_per_second", None)
    return SequenceStream(source, steps_per_second=rate)
