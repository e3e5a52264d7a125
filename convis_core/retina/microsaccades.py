"""Small jumps of the eye during fixation, and what it sees of an image while it makes them."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.resolution import Resolution, used_resolution
from convis_core.retina.saccades import AT_REST, Saccades, border, corners, move_eye
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
        self.saccades = Saccades(
            period, period_deviation, amplitude, amplitude_deviation, duration, duration_deviation, angular_noise
        )
        for name, value in self.saccades._asdict().items():
            if not value >= 0:
                raise ParameterError(f"{name} must be 0 or more, got {value!r}.")
        self.source = as_stream(source)
        self.resolution = used_resolution(resolution)
        self.seed = secrets.randbits(32) if seed is None else check_count(seed, "seed")
        rows, columns = self.source.size
        self._border = border((rows, columns), amplitude, self.resolution)
        self.size = rows - 2 * self._border, columns - 2 * self._border
        self.length = self.source.length
        self.steps_per_second = self.source.steps_per_second
        self.value_range = self.source.value_range
        self._eye = AT_REST

    def path(self, n: int) -> NDArray[np.float64]:
        """Where the eye is in the first `n` frames, ``[frame, 2]``, in pixels x and y from the centre of attention."""
        return move_eye(AT_REST, n, self.saccades, self.resolution, self.seed)[0]

    def get(self, n: int) -> Tensor:
        frames = self.source.get(check_count(n))
        path, self._eye = move_eye(self._eye, frames.shape[TIME], self.saccades, self.resolution, self.seed)
        seen = [
            frames[:, :, t, x : x + self.size[0], y : y + self.size[1]]
            for t, (x, y) in enumerate(corners(path, self._border).tolist())
        ]
        self.position += frames.shape[TIME]
        return torch.stack(seen, dim=TIME) if seen else frames[..., : self.size[0], : self.size[1]]

    def seek(self, frame: int) -> None:
        index = check_frame(frame, self.length)
        self.source.seek(index)
        self._eye = move_eye(AT_REST, index, self.saccades, self.resolution, self.seed)[1]
        self.position = index

    def close(self) -> None:
        self.source.close()
