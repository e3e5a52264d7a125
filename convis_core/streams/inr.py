"""Films as Inrimage files (.inr), the format of Virtual Retina."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import FileFormatError, VideoWarning
from convis_core.streams.checks import check_rate
from convis_core.streams.inr_header import InrHeader
from convis_core.streams.stored import StoredStream, existing_file
from convis_core.warn import warn

__all__ = ["InrImageStreamer"]


class InrImageStreamer(StoredStream):
    """Frames from an Inrimage file, of which only what is asked for is read.

    The third dimension of the file is time; the values of a pixel are channels. Numbers come as
    they are in the file, in a `value_range` of their own.

    Parameters
    ----------
    path : str or path
        The .inr file.
    steps_per_second : float, optional
        Rate of the frames in Hz, which the file does not say.

    Raises
    ------
    FileFormatError
        If the file is missing or no Inrimage. One that ends early is read as far as it goes,
        with a `VideoWarning`.

    Examples
    --------
    >>> import tempfile, torch
    >>> from convis_core.streams import InrImageStreamWriter
    >>> path = tempfile.mkdtemp() + "/film.inr"
    >>> with InrImageStreamWriter(path) as writer:
    ...     writer.put(torch.arange(12.0).reshape(3, 2, 2))
    >>> InrImageStreamer(path).get(2).flatten().tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """

    def __init__(self, path: str | os.PathLike[str], steps_per_second: float | None = None) -> None:
        self.path = existing_file(path)
        self.header = header = InrHeader.read(self.path)
        self.size = header.size
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)
        shape = (*header.size, header.n_channels)
        frame_bytes = header.dtype.itemsize * math.prod(shape)  # of any size, where numpy's product would wrap around
        there = (self.path.stat().st_size - header.n_bytes) // frame_bytes
        if there < header.n_frames:
            if there < 1:
                raise FileFormatError(f"{self.path} announces {header.n_frames} frames and holds none.")
            warn(f"{self.path} announces {header.n_frames} frames and ends after {there}.", VideoWarning)
        self.length = min(there, header.n_frames)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        shape = (max(stop - start, 0), *self.header.size, self.header.n_channels)
        frames = np.fromfile(
            self.path,
            self.header.dtype,
            count=math.prod(shape),
            offset=self.header.n_bytes + start * math.prod(shape[1:]) * self.header.dtype.itemsize,
        )
        native = self.header.dtype.newbyteorder("=")
        return np.moveaxis(frames.reshape(shape).astype(native, copy=False), -1, 0)[None]
