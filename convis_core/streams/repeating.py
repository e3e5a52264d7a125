"""A finite stream or array, played again and again."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from convis_core.errors import StreamError
from convis_core.streams.base import Stream, as_stream
from convis_core.streams.checks import check_count, check_frame
from convis_core.tensors import TIME

__all__ = ["RepeatingStream"]


class RepeatingStream(Stream):
    """Play a finite stream or array in a loop.

    Parameters
    ----------
    source : Stream or array
        What to repeat; anything `as_stream` takes, as long as it ends and can be sought.
    repeat : int, optional
        How many times in all; endless by default.

    Raises
    ------
    StreamError
        If the source is endless or holds no frames.

    Examples
    --------
    >>> import numpy as np
    >>> stream = RepeatingStream(np.array([1.0, 2.0, 3.0]), repeat=2)
    >>> stream.get(10).flatten().tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    """

    def __init__(self, source: Any, repeat: int | None = None) -> None:
        self.source = as_stream(source)
        self.repeat = None if repeat is None else check_count(repeat, "repeat", least=1)
        if self.source.length is None:
            raise StreamError(
                f"A {type(self.source).__name__} without end cannot be repeated.", "Use it as it is: it never ends."
            )
        if self.source.length == 0:
            raise StreamError("A stream without frames cannot be repeated.", "Give at least one frame.")
        self.size = self.source.size
        self.steps_per_second = self.source.steps_per_second
        self.value_range = self.source.value_range
        self.source.seek(0)
        self._measure()

    def get(self, n: int) -> Tensor:
        stop = self.position + check_count(n)
        parts: list[Tensor] = []
        while self.position < stop and self.remaining != 0:
            if self.source.remaining == 0:
                self.source.seek(0)
            part = self.source.get(min(stop, self.length or stop) - self.position)
            if not part.shape[TIME] and not self.source.length:
                raise StreamError("The stream to be repeated turned out to hold no frames.")
            parts.append(part)
            self.position += part.shape[TIME]
            self._measure()
        return torch.cat(parts, dim=TIME) if parts else self.source.get(0)

    def seek(self, frame: int) -> None:
        index = check_frame(frame, self.length)
        length = self.source.length
        self.source.seek(index % length if length else 0)
        self.position = index

    def close(self) -> None:
        self.source.close()

    def _measure(self) -> None:
        """Take over the source's length, which a film that ends early corrects while it is read."""
        if self.repeat is not None and self.source.length is not None:
            self.length = self.repeat * self.source.length
