"""Input and target of a fit, read side by side in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import FitError, ShapeError
from convis_core.loops.run import chunk_length
from convis_core.streams.base import Stream, as_stream
from convis_core.tensors import AXES, TIME, check_finite, describe_shape
from convis_core.warn import warn

__all__ = ["Pairs", "Piece", "is_list_of_trials", "matched", "trials"]


_warned: WeakSet[object] = WeakSet()
"""Models of which it was told that they give one time series for an image."""


class Piece(NamedTuple):
    """One chunk of a fit: its first frame, ``[batch, channel, time, x, y]`` of each, and weights if any."""

    start: int
    frames: Tensor
    wanted: Tensor
    importance: Tensor | None

    @property
    def stop(self) -> int:
        """Index of the frame after its last one."""
        return self.start + self.frames.shape[TIME]


@dataclass
class Pairs:
    """Stimulus and recording, checked once and then read again for every epoch."""

    stimulus: Stream
    recording: Stream
    length: int
    importance: Stream | None = None

    @classmethod
    def of(cls, source: Any, target: Any, dt: int | None, weights: Any = None) -> Pairs:
        """Check that both are finite, seekable and equally long, and the weights no less so."""
        stimulus, recording = as_stream(source), as_stream(target)
        for stream, what in ((stimulus, "input"), (recording, "target")):
            if stream.length is None:
                raise FitError(f"A fit reads its {what} again and again, so it cannot be endless: {stream!r}.")
            if stream.length == 0:
                raise FitError(f"The {what} of the fit has no frames.")
        if stimulus.length != recording.length:
            raise FitError(
                f"Input and target must have as many frames, got {stimulus.length} and {recording.length}.",
                "An array of two axes is read as one image [x, y]; what is [time, cell] is made a target by "
                "convis_core.tensors.cells_as_channels."
                if 1 in (stimulus.length, recording.length)
                else "Bin both with the same step, and cut the longer one.",
            )
        return cls(stimulus, recording, chunk_length(stimulus, dt), _importance(weights, recording))

    @property
    def n_frames(self) -> int:
        """Frames of the whole."""
        assert self.stimulus.length is not None
        return self.stimulus.length

    def piece(self, start: int, dtype: torch.dtype, device: torch.device) -> Piece:
        """Read the chunk that starts with a frame, without frames where a film ended earlier than it said."""
        frames = _get(self.stimulus, start, self.length)
        wanted = _get(self.recording, start, frames.shape[TIME])
        check_finite(frames, "The input", start)
        importance = None if self.importance is None else _get(self.importance, start, frames.shape[TIME])
        check_finite(wanted if importance is None else torch.where(importance > 0, wanted, 0), "The target", start)
        return Piece(
            start,
            frames.to(device=device, dtype=dtype),
            wanted.to(device=device, dtype=dtype),
            None if importance is None else importance.to(device=device, dtype=dtype),
        )

    def read(self, dtype: torch.dtype, device: torch.device, start: int = 0) -> Iterator[Piece]:
        """Yield every chunk from a frame on."""
        while start < self.n_frames and (piece := self.piece(start, dtype, device)).stop > start:
            yield piece
            start = piece.stop


def _get(stream: Stream, start: int, n: int) -> Tensor:
    if stream.position != start:  # it may have been read by others in between
        stream.seek(start)
    return stream.get(n)


def trials(source: Any, target: Any, dt: int | None, weights: Any = None) -> list[Pairs]:
    """Pairs of one recording, or of each trial where stimulus and target are lists of them."""
    if not is_list_of_trials(source) and not is_list_of_trials(target):
        return [Pairs.of(source, target, dt, weights)]
    if not isinstance(target, (list, tuple)) or not isinstance(source, (list, tuple)) or len(source) != len(target):
        sizes = [len(part) if isinstance(part, (list, tuple)) else "one" for part in (source, target)]
        raise FitError(
            f"Trials need a list of inputs and an equally long list of targets, got {sizes[0]} and {sizes[1]}.",
            "For one input shown again and again write [input] * len(targets).",
        )
    each = [None] * len(source) if weights is None else weights
    if len(each) != len(source):
        raise FitError(f"Got {len(source)} trials and weights for {len(each)}.", "Give one array for each trial.")
    return [Pairs.of(*parts[:2], dt, parts[2]) for parts in zip(source, target, each, strict=True)]


def is_list_of_trials(value: Any) -> bool:
    """Whether something is a list of recordings, and not one recording written as a list."""
    arrays = (np.ndarray, Tensor, Stream)
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(part, arrays) for part in value)


def _importance(weights: Any, recording: Stream) -> Stream | None:
    if weights is None:
        return None
    stream = as_stream(weights)
    if stream.length != recording.length:
        raise FitError(
            f"There must be a weight for every frame of the target, got {stream.length} for {recording.length}.",
            "Give weights as [time], or shaped like the target.",
        )
    values = stream.get(recording.length or 0)
    check_finite(values, "The weights")
    if bool((values < 0).any()) or not bool((values > 0).any()):
        raise FitError(
            "Weights must be at least 0, and some more than 0.", "Give 1 for what counts and 0 for what does not."
        )
    return stream


def matched(response: Tensor, target: Tensor, model: object) -> Tensor:
    """Return the target in a shape that the response can be compared with.

    A single time series compared with an image is allowed, with one warning a model: it is
    what one gets from ``population=False``, and rarely what is meant.
    """
    if response.shape == target.shape:
        return target
    spatial = AXES.index("x")
    if response.shape[:spatial] == target.shape[:spatial] and response.shape[spatial:] == (1, 1):
        if model not in _warned:
            size = f"{target.shape[3]}x{target.shape[4]}"
            warn(
                f"The model gives a single time series and every pixel of the {size} target is compared with it. For "
                "one response per pixel build the model with population=True; for a single cell give its response as "
                "[time].",
            )
            _warned.add(model)
        return target
    axes = [
        f"{axis} {got} against {wanted}"
        for axis, got, wanted in zip(AXES, response.shape, target.shape, strict=True)
        if got != wanted
    ]
    raise ShapeError(
        f"The response {describe_shape(response.shape)} cannot be compared with the target "
        f"{describe_shape(target.shape)}: {', '.join(axes)}.",
        "A model with population=True answers with an image as large as its input, "
        "with population=False with a single time series.",
    )
