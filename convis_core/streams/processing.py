"""A stream whose frames go through a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convis_core.errors import StreamError
from convis_core.streams.base import Stream, as_stream
from convis_core.streams.checks import check_size
from convis_core.tensors import TIME, describe_shape

__all__ = ["ProcessingStream"]


class ProcessingStream(Stream):
    """Another stream, each piece of it handed through a function.

    Parameters
    ----------
    source : Stream or array
        Where frames come from.
    process : callable
        Takes frames ``[batch, channel, time, x, y]`` and returns as many. Pieces can have any
        length, so that what it does to a frame must not depend on the others, unless it keeps
        what it needs, as a `Layer` does.
    size : tuple of int, optional
        Frame size ``(x, y)`` after `process`, where it changes the size.
    value_range : tuple of float, optional
        Luminance of black and white after `process`, for display; that of the source by default.

    Raises
    ------
    StreamError
        If `process` returns something else than was announced.

    Examples
    --------
    >>> import numpy as np
    >>> stream = ProcessingStream(np.array([0.0, 0.25, 1.0]), lambda frames: 1.0 - frames)
    >>> stream.get(3).flatten().tolist()
    [1.0, 0.75, 0.0]
    """

    def __init__(
        self,
        source: Any,
        process: Callable[[Tensor], Tensor],
        size: tuple[int, int] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        self.source = as_stream(source)
        self.process = process
        self.size = self.source.size if size is None else check_size(size)
        self.steps_per_second = self.source.steps_per_second
        self.value_range = self.source.value_range if value_range is None else value_range

    @property
    def length(self) -> int | None:  # type: ignore[override]
        """Number of frames of the source."""
        return self.source.length

    @property
    def position(self) -> int:  # type: ignore[override]
        """Where the source stands."""
        return self.source.position

    def get(self, n: int) -> Tensor:
        frames = self.source.get(n)
        if frames.shape[TIME] == 0:
            return frames.new_zeros(*frames.shape[:3], *self.size)
        with torch.no_grad():
            processed = self.process(frames)
        if not isinstance(processed, Tensor) or processed.ndim != 5:
            raise StreamError(
                f"The function of a ProcessingStream must return a tensor of 5 axes, got {processed!r:.80}."
            )
        if (processed.shape[TIME], *processed.shape[3:]) != (frames.shape[TIME], *self.size):
            raise StreamError(
                f"The function of a ProcessingStream returned {describe_shape(processed.shape)} for "
                f"{describe_shape(frames.shape)}; expected {frames.shape[TIME]} frames of {self.size}.",
                "Give size=(x, y) if it changes the size.",
            )
        return processed

    def seek(self, frame: int) -> None:
        self.source.seek(frame)

    def close(self) -> None:
        self.source.close()
