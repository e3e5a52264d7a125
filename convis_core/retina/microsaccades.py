"""Small jumps of the eye during fixation, and what it sees of an image while it makes them."""

from __future__ import annotations

import math
import secrets
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import ParameterError, StreamError
from convis_core.resolution import Resolution, default_resolution
from convis_core.streams.base import Stream, as_stream
from convis_core.streams.checks import check_count, check_frame
from convis_core.tensors import TIME

__all__ = ["MicrosaccadeGenerator"]


class MicrosaccadeGenerator(Stream):
    r"""A window that jumps over the frames of a stream as the eye does during fixation.

    The eye rests for a time of normal distribution, then moves by

    .. math:: a \, (\cos \varphi, \sin \varphi), \qquad \varphi = \varphi_0 + \pi n U(-1, 1)

    at constant speed, where :math:`\varphi_0` points from the eye to the centre of attention, the
    middle of the frame. Amplitude `a` and duration are of normal distribution too; the amplitude is
    not negative, no rest is, and no movement is shorter than a frame. The window is the frame less
    two mean amplitudes on every side, which it cannot leave.

    Parameters
    ----------
    source : Stream or array
        What there is to see.
    period, period_deviation : float
        Mean and standard deviation of the rest between two jumps, in s.
    amplitude, amplitude_deviation : float
        Of the length of a jump, in deg.
    duration, duration_deviation : float
        Of the time that a jump takes, in s.
    angular_noise : float
        Largest deviation of the direction, as a part of half a turn.
    seed : int, optional
        The same seed gives the same path; None chooses one, kept as `seed`.
    resolution : Resolution, optional
        Pixels in a deg and frames in a s.

    Raises
    ------
    ParameterError
        If a number is negative.
    StreamError
        If the frames are too small for jumps of this amplitude.

    Examples
    --------
    >>> eye = MicrosaccadeGenerator(np.zeros((300, 64, 80)), amplitude=0.5, seed=1)
    >>> eye.get(300).shape, eye.path(300).shape  # 10 pixels less at every border
    (torch.Size([1, 1, 300, 44, 60]), (300, 2))

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    def __init__(
        self,
        source: Any,
        *,
        period: float = 0.2,
        period_deviation: float = 0.04,
        amplitude: float = 0.25,
        amplitude_deviation: float = 0.04,
        duration: float = 0.02,
        duration_deviation: float = 0.002,
        angular_noise: float = 0.3,
        seed: int | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        self._numbers = {
            "period": (period, period_deviation),
            "amplitude": (amplitude, amplitude_deviation),
            "duration": (duration, duration_deviation),
        }
        for name, value in (*((k, min(v)) for k, v in self._numbers.items()), ("angular_noise", angular_noise)):
            if not value >= 0:
                raise ParameterError(f"{name} and its deviation must be 0 or more, got {value!r}.")
        self.source = as_stream(source)
        self.angular_noise = angular_noise
        self.resolution = resolution or default_resolution()
        self.seed = secrets.randbits(32) if seed is None else check_count(seed, "seed")
        self._border = round(2 * amplitude * self.resolution.pixel_per_degree)
        self.size = self.source.size[0] - 2 * self._border, self.source.size[1] - 2 * self._border
        if min(self.size) < 1:
            raise StreamError(
                f"Frames of {self.source.size[0]}x{self.source.size[1]} pixels leave no window for an eye that jumps "
                f"{amplitude:g} deg, {self._border} pixels from every border.",
                "Give larger frames or smaller jumps.",
            )
        self.length = self.source.length
        self.steps_per_second = self.source.steps_per_second
        self.value_range = self.source.value_range
        self._begin()

    def _begin(self) -> None:
        self._chance = np.random.default_rng(self.seed)
        self._eye = np.zeros(2)  # pixels from the centre of attention, along the rows and the columns
        self._positions: list[NDArray[np.float64]] = []
        self._first = True

    def path(self, n: int) -> NDArray[np.float64]:
        """Where the eye is in the first `n` frames, ``[frame, 2]``, in pixels x and y from the centre of attention."""
        while len(self._positions) < n:
            self._rest_and_jump()
        return np.array(self._positions[:n]).reshape(n, 2)

    def _rest_and_jump(self) -> None:
        step = self.resolution.step
        draw = {name: mean + sd * self._chance.standard_normal() for name, (mean, sd) in self._numbers.items()}
        self._positions += [self._eye.copy()] * int(max(0.0, draw["period"] / step))
        lasting = max(step, draw["duration"])
        towards = 0.0 if self._first else math.atan2(-self._eye[0], -self._eye[1])
        angle = towards + self.angular_noise * math.pi * self._chance.uniform(-1.0, 1.0)
        speed = max(0.0, draw["amplitude"]) * self.resolution.pixel_per_degree / lasting * step
        for _ in range(int(lasting / step) + 1):
            self._eye = self._eye + speed * np.array([math.sin(angle), math.cos(angle)])
            self._positions.append(self._eye.copy())
        self._first = False

    def get(self, n: int) -> Tensor:
        frames = self.source.get(check_count(n))
        stop = self.position + frames.shape[TIME]
        corners = np.clip(np.ceil(self.path(stop)[self.position :]).astype(int) + self._border, 0, 2 * self._border)
        seen = [
            frames[:, :, t, x : x + self.size[0], y : y + self.size[1]] for t, (x, y) in enumerate(corners.tolist())
        ]
        self.position = stop
        return torch.stack(seen, dim=TIME) if seen else frames[..., : self.size[0], : self.size[1]]

    def seek(self, frame: int) -> None:
        index = check_frame(frame, self.length)
        self.source.seek(index)
        self.position = index

    def close(self) -> None:
        self.source.close()
