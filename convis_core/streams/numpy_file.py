"""Frames in a ``.npy`` file, mapped into memory and not read whole."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import FileFormatError, ShapeError
from convis_core.streams.checks import check_rate
from convis_core.streams.stored import StoredStream, existing_file
from convis_core.tensors import describe_shape

__all__ = ["NumpyReader"]


class NumpyReader(StoredStream):
    """Frames from a ``.npy`` file, of which only what is asked for is read.

    Parameters
    ----------
    path : str or path
        The file: an array [time], [x, y], [time, x, y] or [batch, channel, time, x, y] of numbers.
    steps_per_second : float, optional
        Rate of the frames in Hz.

    Raises
    ------
    FileFormatError
        If the file is missing, broken or holds something else than numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/film.npy"
    >>> np.save(path, np.zeros((1000, 8, 9)))
    >>> NumpyReader(path)
    NumpyReader(1000 frames of 8x9)
    """

    def __init__(self, path: str | os.PathLike[str], steps_per_second: float | None = None) -> None:
        self.path = existing_file(path)
        try:
            array = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise FileFormatError(f"{self.path} is no readable .npy file: {error}.") from error
        if not isinstance(array, np.ndarray):
            array.close()
            raise FileFormatError(f"{self.path} is an archive of arrays.", "Save one array with numpy.save.")
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            raise FileFormatError(f"{self.path} holds values of type {array.dtype}, not real numbers of up to 64 bits.")
        shape = _five_axes(array).shape
        self.size, self.length = (shape[3], shape[4]), shape[2]
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        # Mapped afresh for every piece: pages of a map that stays would pile up in memory.
        return np.array(_five_axes(np.load(self.path, mmap_mode="r", allow_pickle=False))[:, :, start:stop])


def _five_axes(array: NDArray[Any]) -> NDArray[Any]:
    """Lift as `convis_core.tensors.lift` does, without reading."""
    if array.ndim == 5:
        return array
    if array.ndim == 1:
        return array[None, None, :, None, None]
    if array.ndim in (2, 3):
        return array.reshape(1, 1, -1, *array.shape[-2:])
    raise ShapeError(
        f"Expected [time], [x, y], [time, x, y] or [batch, channel, time, x, y], got {describe_shape(array.shape)}.",
        "Save the array with one of these.",
    )
