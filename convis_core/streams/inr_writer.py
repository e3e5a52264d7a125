"""A model's answer as an Inrimage file (.inr), the format of Virtual Retina."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.streams.checks import check_choice
from convis_core.streams.inr_header import HEADER_BYTES, InrHeader
from convis_core.streams.stored import StoredWriter

__all__ = ["InrImageStreamWriter"]


class InrImageStreamWriter(StoredWriter):
    """Write frames to an Inrimage file, which can be read at any moment while it grows.

    The size is that of the first frames put. Channels become the values of a pixel (VDIM); of
    several batches one must be chosen. Each put writes the frames first and then the header with
    their number, so that after a crash the file holds all that it announces.

    Parameters
    ----------
    path : str or path
        File to write; what was there is replaced with the first frame.
    dtype : {"float32", "float64"}
        Number type in the file; Virtual Retina itself writes ``"float64"``.

    Raises
    ------
    ShapeError
        If frames have several batches, or change their size or channels.
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, torch, convis_core as convis
    >>> with InrImageStreamWriter(tempfile.mkdtemp() + "/output.inr") as writer:
    ...     writer.put(torch.rand(7, 4, 6))
    >>> convis.streams.InrImageStreamer(writer.path)
    InrImageStreamer(7 frames of 4x6)
    """

    is_grey = False

    def __init__(self, path: str | os.PathLike[str], dtype: str = "float32") -> None:
        super().__init__(path)
        self.dtype = np.dtype(check_choice(dtype, ("float32", "float64"), "dtype")).newbyteorder("<")

    def begin(self, shape: tuple[int, int, int, int]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self._header(shape, 0))

    def append(self, frames: NDArray[Any]) -> None:
        assert self.shape is not None
        data = np.ascontiguousarray(np.moveaxis(frames[0], 0, -1), self.dtype)
        with self.path.open("r+b") as file:
            file.seek(HEADER_BYTES + (self.n_written - len(data)) * data[0].nbytes)
            file.write(data.tobytes())
            file.flush()
            file.seek(0)
            file.write(self._header(self.shape, self.n_written))

    def _header(self, shape: tuple[int, int, int, int], n_frames: int) -> bytes:
        return InrHeader((shape[2], shape[3]), n_frames, shape[1], self.dtype).encode()
