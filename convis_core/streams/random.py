"""Gaussian white noise without end."""

from __future__ import annotations

import math
import secrets
from numbers import Real
from typing import Any

from torch import Tensor

from convis_core.errors import StreamError
from convis_core.ops.noise import block_normal
from convis_core.streams.base import Stream
from convis_core.streams.checks import check_count, check_frame, check_rate, check_size

__all__ = ["RandomStream"]


class RandomStream(Stream):
    """Gaussian white noise, independent from pixel to pixel and frame to frame.

    A frame depends on the seed and its number alone, so that any cut into chunks, and any
    seek, gives the same frames.

    Parameters
    ----------
    size : tuple of int
        Frame size ``(x, y)`` in pixels.
    mean, std : float
        Mean and standard deviation of the values.
    seed : int, optional
        The same seed gives the same stream; None chooses one, kept as `seed`.
    length : int, optional
        Number of frames; endless by default.
    steps_per_second : float, optional
        Rate of the frames in Hz; any rate is right by default.

    Examples
    --------
    >>> stream = RandomStream(size=(4, 4), seed=1)
    >>> first, second = stream.get(10), stream.get(5)
    >>> stream.seek(10)
    >>> bool((stream.get(5) == second).all())
    True
    """

    def __init__(
        self,
        size: tuple[int, int] = (50, 50),
        mean: float = 0.0,
        std: float = 1.0,
        seed: int | None = None,
        length: int | None = None,
        steps_per_second: float | None = None,
    ) -> None:
        self.size = check_size(size)
        self.mean, self.std = _check_finite(mean, "mean"), _check_finite(std, "std")
        if self.std < 0:
            raise StreamError(f"Expected a standard deviation of 0 or more, got {std!r}.")
        self.seed = secrets.randbits(32) if seed is None else check_count(seed, "seed")
        self.length = None if length is None else check_count(length, "length")
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)
        spread = 3.0 * self.std or 1.0
        self.value_range = (self.mean - spread, self.mean + spread)

    def get(self, n: int) -> Tensor:
        count = check_count(n)
        if self.remaining is not None:
            count = min(count, self.remaining)
        noise = block_normal(self.seed, self.position, count, (1, 1, *self.size))
        self.position += count
        return noise * self.std + self.mean

    def seek(self, frame: int) -> None:
        self.position = check_frame(frame, self.length)


def _check_finite(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise StreamError(f"Expected a finite number for {what}, got {value!r}.")
    return float(value)
