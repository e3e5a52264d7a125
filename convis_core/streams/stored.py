"""Frames in a file, read and written piece by piece: what all such files have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import FileFormatError, ShapeError
from convis_core.files import user_path, writing
from convis_core.streams.base import OutputStream, Stream
from convis_core.streams.checks import check_count, check_frame, check_open
from convis_core.tensors import describe_shape, lift, to_numpy, to_tensor

__all__ = ["StoredStream", "StoredWriter", "existing_file"]

_SAMPLED = 50  # frames looked at to find the range of values


class StoredStream(Stream):
    """Frames that lie in a file. A subclass sets `size` and `length` and implements `read`."""

    _is_closed = False

    @abstractmethod
    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return a copy of frames ``[batch, channel, time, x, y]``, of any number type."""

    def get(self, n: int) -> Tensor:
        check_open(self._is_closed, type(self).__name__)
        assert self.length is not None
        stop = max(self.position, min(self.position + check_count(n), self.length))
        frames = to_tensor(self.read(self.position, stop))
        self.position = stop
        return frames

    def seek(self, frame: int) -> None:
        check_open(self._is_closed, type(self).__name__)
        self.position = check_frame(frame, self.length)

    def close(self) -> None:
        self._is_closed = True

    @cached_property
    def value_range(self) -> tuple[float, float]:  # type: ignore[override]
        """Smallest and largest number of the first frames; looked for when it is first asked for."""
        check_open(self._is_closed, type(self).__name__)
        values = self.read(0, min(_SAMPLED, self.length or 0))
        values = values[np.isfinite(values)]
        lo, hi = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        return (lo, hi) if hi > lo else (lo, lo + 1.0)


class StoredWriter(OutputStream):
    """A file that grows by the frames put. Their size is that of the first ones.

    A subclass implements `begin`, `append` and, where something is held open, `finish`. What was
    put is in the file when `put` returns, so that a program that crashes loses nothing of it.
    """

    one_signal: ClassVar[bool] = True
    """Whether only one batch can be written."""
    is_grey: ClassVar[bool] = True
    """Whether only one channel can be written."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = user_path(path).absolute()
        self.shape: tuple[int, int, int, int] | None = None
        self.n_written = 0
        self._is_closed = False

    @abstractmethod
    def begin(self, shape: tuple[int, int, int, int]) -> None:
        """Make the file for frames of ``(batch, channel, x, y)``."""

    @abstractmethod
    def append(self, frames: NDArray[Any]) -> None:
        """Write frames ``[batch, channel, time, x, y]``; `n_written` already counts them."""

    def finish(self) -> None:
        """Release the file."""

    def put(self, frames: Any) -> None:
        """Append frames ``[batch, channel, time, x, y]``, or what lifts to that."""
        check_open(self._is_closed, type(self).__name__)
        steps = lift(frames).detach()
        batch, channel, n, x, y = steps.shape
        shape = (batch, channel, x, y)
        if not all(shape):
            raise ShapeError(f"{self.path.name} cannot hold frames without pixels, got {describe_shape(steps.shape)}.")
        if (self.one_signal and batch > 1) or (self.is_grey and channel > 1):
            raise ShapeError(
                f"{type(self).__name__} writes one batch{' and one channel' if self.is_grey else ''}, "
                f"got {describe_shape(steps.shape)}.",
                "Choose one, e.g. frames[:1, :1], or use HDF5Writer, which keeps all five axes.",
            )
        if self.shape is not None and self.shape != shape:
            raise ShapeError(
                f"{self.path.name} was begun with frames {describe_shape(self.shape)} (batch, channel, x, y), "
                f"got {describe_shape(shape)}.",
                "Only the time axis may differ; use one file for each size.",
            )
        with writing(self.path):
            if self.shape is None:
                self.begin(shape)
                self.shape = shape
            if n:
                self.n_written += n
                self.append(to_numpy(steps))

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.finish()


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that is there, or raise."""
    found = user_path(path).absolute()
    if not found.is_file():
        raise FileFormatError(f"There is no file {found}.", "Check the name and the folder.")
    return found
