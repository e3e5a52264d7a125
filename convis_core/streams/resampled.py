"""A stream or an array at another rate, and frames that come at times of their own."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import StreamError
from convis_core.resolution import default_resolution
from convis_core.streams.base import SequenceStream, Stream, as_stream
from convis_core.streams.checks import check_choice, check_count, check_frame, check_rate
from convis_core.tensors import TIME

__all__ = ["ResampledStream", "TimedSequenceStream"]

METHODS = ("hold", "linear")


class ResampledStream(Stream):
    r"""A stream at another rate: step `k` shows what its source shows at :math:`k / r`.

    Parameters
    ----------
    source : Stream or array
        What to resample.
    steps_per_second : float, optional
        Rate wanted, in Hz; that of the default resolution if not given.
    method : {"hold", "linear"}
        Whether each frame stays until the next one, or fades into it.
    source_rate : float, optional
        Rate of the source in Hz, where the source does not say.

    Raises
    ------
    StreamError
        If nobody knows the rate of the source.

    Examples
    --------
    >>> stream = ResampledStream(np.array([0.0, 1.0]), 4.0, method="linear", source_rate=2.0)
    >>> stream.get(10).flatten().tolist()
    [0.0, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        source: Any,
        steps_per_second: float | None = None,
        method: str = "hold",
        source_rate: float | None = None,
    ) -> None:
        self.source = as_stream(source)
        self.method = check_choice(method, METHODS, "method")
        rate = default_resolution().steps_per_second if steps_per_second is None else steps_per_second
        self.steps_per_second = check_rate(rate)
        given = self.source.steps_per_second if source_rate is None else source_rate
        if given is None:
            raise StreamError(f"{self.source!r} does not say its rate.", "Give source_rate=<frames per second>.")
        self._per_step = _exact(check_rate(given, "source_rate")) / _exact(self.steps_per_second)
        self.size, self.value_range = self.source.size, self.source.value_range
        self._frames = self.source.remaining
        self.length = None if self._frames is None else math.ceil(self._frames / self._per_step)
        self._origin = self.source.position
        self._held: Tensor = self.source.get(0)  # frames of the source still needed, from number _first on
        self._first = 0

    def get(self, n: int) -> Tensor:
        count = check_count(n) if self.remaining is None else min(check_count(n), self.remaining)
        if count == 0:
            return self._held[:, :, :0]
        times = [(self.position + k) * self._per_step for k in range(count)]
        self._fetch(math.floor(times[0]), math.floor(times[-1]) + (self.method == "linear"))
        last = self._held.shape[TIME] - 1
        here = torch.tensor([math.floor(t) - self._first for t in times])
        if last < 0 or int(here[0]) > last:  # the source was shorter than it said
            return self._held[:, :, :0]
        here = here[here <= last]
        self.position += len(here)
        frames = self._held[:, :, here]
        if self.method == "linear":
            weight = torch.tensor([float(t % 1) for t in times[: len(here)]], dtype=frames.dtype)
            frames = frames + weight[:, None, None] * (self._held[:, :, (here + 1).clamp(max=last)] - frames)
        return frames

    def seek(self, frame: int) -> None:
        index = check_frame(frame, self.length)
        first = math.floor(index * self._per_step)
        if self._frames is not None:
            first = min(first, self._frames)  # the end of this stream may lie beyond that of its source
        self.source.seek(self._origin + first)
        self._held, self._first, self.position = self._held[:, :, :0], first, index

    def close(self) -> None:
        self.source.close()

    def _fetch(self, first: int, last: int) -> None:
        """Hold the frames `first` to `last` of the source, as far as there are."""
        skipped = first - self._first - self._held.shape[TIME]
        if skipped > 0:
            self.source.get(skipped)
        self._held = self._held[:, :, max(0, first - self._first) :]
        self._first = first
        missing = last + 1 - first - self._held.shape[TIME]
        if missing > 0:
            self._held = torch.cat([self._held, self.source.get(missing)], dim=TIME)


class TimedSequenceStream(SequenceStream):
    """Frames that come at times of their own, at a steady rate of steps.

    Step `k` shows the frame of the last time not after :math:`k / r`, counted from the first time;
    with ``method="linear"`` it fades into the next one.

    Parameters
    ----------
    sequence : array, shape [time], [time, x, y] or [batch, channel, time, x, y]
        The frames.
    times : array, shape [time]
        When each begins, in s; rising.
    steps_per_second : float, optional
        Rate of the steps in Hz; that of the default resolution if not given.
    method : {"hold", "linear"}
        Whether each frame stays until the next one, or fades into it.
    duration : float, optional
        Length of the whole in s; by default the last frame stays for one step.

    Raises
    ------
    StreamError
        If there is not one time for each frame, or they do not rise.

    Examples
    --------
    >>> stream = TimedSequenceStream(np.array([5.0, 7.0]), [0.0, 0.003], steps_per_second=1000.0)
    >>> stream.get(10).flatten().tolist()
    [5.0, 5.0, 5.0, 7.0]
    """

    def __init__(
        self,
        sequence: Any,
        times: Any,
        steps_per_second: float | None = None,
        method: str = "hold",
        duration: float | None = None,
    ) -> None:
        rate = default_resolution().steps_per_second if steps_per_second is None else steps_per_second
        super().__init__(sequence, rate)
        self.method = check_choice(method, METHODS, "method")
        self.times = _check_times(times, self.sequence.shape[TIME])
        assert self.steps_per_second is not None
        steps = (self.times - self.times[0]) * self.steps_per_second
        whole = math.floor(steps[-1] + 1e-6) + 1 if duration is None else round(duration * self.steps_per_second)
        self.length = check_count(whole, "the number of steps", 1)
        self._steps = steps

    def get(self, n: int) -> Tensor:
        assert self.length is not None
        stop = max(self.position, min(self.position + check_count(n), self.length))
        at = np.arange(self.position, stop)
        self.position = stop
        here = np.searchsorted(self._steps, at + 1e-6, side="right") - 1  # a step has room for rounding errors
        frames = self.sequence[:, :, torch.from_numpy(here)]
        if self.method == "hold":
            return frames
        after = np.minimum(here + 1, len(self._steps) - 1)
        gap = np.where(after > here, self._steps[after] - self._steps[here], 1.0)
        weight = torch.from_numpy(np.clip((at - self._steps[here]) / gap, 0.0, 1.0)).to(frames.dtype)
        return frames + weight[:, None, None] * (self.sequence[:, :, torch.from_numpy(after)] - frames)


def _check_times(times: Any, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    array = np.asarray(times, np.float64)
    if array.shape != (n,) or n == 0:
        raise StreamError(f"Expected one time for each of the {n} frames, got times of shape {array.shape}.")
    if not np.isfinite(array).all() or (np.diff(array) <= 0).any():
        raise StreamError("Expected times that rise from frame to frame, in s.", "Sort the frames by their times.")
    return array


def _exact(rate: float) -> Fraction:
    return Fraction(rate).limit_denominator(10**6)
