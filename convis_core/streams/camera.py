"""Frames from a camera, as they come."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import VideoError
from convis_core.streams.base import Stream
from convis_core.streams.checks import check_choice, check_count, check_open, check_size
from convis_core.streams.ffmpeg import Process
from convis_core.streams.frames import FIT_MODES, GRAY_MODES, fit_frame, gray_frame

__all__ = ["CameraStream"]

_INPUTS: Final = {"darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
_LINUX: Final = ("v4l2", "/dev/video{}")


class CameraStream(Stream):
    """A camera of this computer, as an endless stream of grey frames with values from 0 to 1.

    A frame that is asked for is waited for. Of pictures that nobody asked for, a few wait and the
    others are lost.

    Parameters
    ----------
    device : int or str
        Number of the camera, from 0; on Windows its name.
    size : tuple of int, optional
        Frame size ``(x, y)`` in pixels, rows first; that of the camera by default.
    mode : {"crop", "resize"}
        How a picture is brought to `size`.
    gray : {"luminance", "red", "green", "blue"}
        How colours become grey.

    Raises
    ------
    VideoError
        If there is no such camera, it is in use, or it stops.
    """

    def __init__(
        self,
        device: int | str = 0,
        size: tuple[int, int] | None = None,
        mode: str = "resize",
        gray: str = "luminance",
    ) -> None:
        self.device = device if isinstance(device, str) else check_count(device, "the number of the camera")
        self.mode, self.gray = check_choice(mode, FIT_MODES, "mode"), check_choice(gray, GRAY_MODES, "gray")
        wanted = None if size is None else check_size(size)
        self._process = Process([*self._input(), "-c:v", "ppm", "-f", "image2pipe", "pipe:1"])
        self._is_closed = False
        self._waiting: Tensor | None = self._picture()  # taken to learn the size
        self.size = wanted or (self._waiting.shape[0], self._waiting.shape[1])

    def get(self, n: int) -> Tensor:
        check_open(self._is_closed, "CameraStream")
        frames = torch.empty(1, 1, check_count(n), *self.size)
        for step in range(frames.shape[2]):
            picture = self._picture() if self._waiting is None else self._waiting
            self._waiting = None
            frames[0, 0, step] = fit_frame(picture, self.size, self.mode)
        self.position += frames.shape[2]
        return frames

    def close(self) -> None:
        self._is_closed = True
        self._process.stop()

    def _input(self) -> list[str]:
        """Tell ffmpeg which camera."""
        kind, name = _INPUTS.get(sys.platform, _LINUX)
        return ["-f", kind, "-i", name.format(self.device)]

    def _picture(self) -> Tensor:
        """Read one picture: three lines that say its size, and red, green and blue of every pixel."""
        pipe = self._process.pipe
        _kind, size, _depth = pipe.readline(), pipe.readline(), pipe.readline()
        columns, rows = (int(n) for n in size.split()) if size else (0, 0)
        data = pipe.read(3 * rows * columns)
        if not data or len(data) < 3 * rows * columns:
            raise self._failure()
        picture: Any = np.frombuffer(data, np.uint8).reshape(rows, columns, 3)
        return gray_frame(picture, self.gray)

    def _failure(self) -> VideoError:
        reason = self._process.finish() or "it stopped"
        self._is_closed = True
        return VideoError(
            f"Camera {self.device} gives no pictures: {reason}.",
            "Check that it is connected, that no other program uses it, and the number of the device.",
        )
