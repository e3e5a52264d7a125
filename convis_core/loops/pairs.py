"""Input and target of a fit, read side by side in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convis_core.errors import FitError, ShapeError
from convis_core.loops.run import chunk_length
from convis_core.streams.base import Stream, as_stream
from convis_core.tensors import AXES, TIME, check_finite, describe_shape
from convis_core.warn import warn

__all__ = ["Pairs", "matched"]


@dataclass
class Pairs:
    """Stimulus and recording, checked once and then read again for every epoch."""

    stimulus: Stream
    recording: Stream
    length: int

    @classmethod
    def of(cls, source: Any, target: Any, dt: int | None) -> Pairs:
        """Check that both are finite, seekable and equally long."""
        stimulus, recording = as_stream(source), as_stream(target)
        for stream, what in ((stimulus, "input"), (recording, "target")):
            if stream.length is None:
                raise FitError(f"A fit reads its {what} again and again, so it cannot be endless: {stream!r}.")
            if stream.length == 0:
                raise FitError(f"The {what} of the fit has no frames.")
        if stimulus.length != recording.length:
            raise FitError(
                f"Input and target must have as many frames, got {stimulus.length} and {recording.length}.",
                "Bin both with the same step, and cut the longer one.",
            )
        return cls(stimulus, recording, chunk_length(stimulus, dt))

    def read(self, dtype: torch.dtype, device: torch.device) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (first frame, input, target) for every chunk, from the start."""
        self.stimulus.seek(0)
        self.recording.seek(0)
        while (frames := self.stimulus.get(self.length)).shape[TIME]:
            start = self.stimulus.position - frames.shape[TIME]
            wanted = self.recording.get(frames.shape[TIME])
            check_finite(frames, "The input", start)
            check_finite(wanted, "The target", start)
            yield start, frames.to(device=device, dtype=dtype), wanted.to(device=device, dtype=dtype)


def matched(response: Tensor, target: Tensor) -> Tensor:
    """Return the target in a shape that the response can be compared with.

    A single time series compared with an image is allowed, with a warning: it is what
    one gets from ``population=False``, and rarely what is meant.
    """
    if response.shape == target.shape:
        return target
    spatial = AXES.index("x")
    if response.shape[:spatial] == target.shape[:spatial] and response.shape[spatial:] == (1, 1):
        warn(
            f"The model gives a single time series and every pixel of the {target.shape[3]}x{target.shape[4]} target "
            "is compared with it. For one response per pixel build the model with population=True; "
            "for a single cell give its response as [time].",
        )
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
