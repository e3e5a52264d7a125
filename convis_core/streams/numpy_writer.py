"""A model's answer as a ``.npy`` file that grows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convis_core.streams.stored import StoredWriter

__all__ = ["NumpyWriter"]

_HEADER_BYTES: Final = 128
_MAGIC: Final = b"\x93NUMPY\x01\x00"


class NumpyWriter(StoredWriter):
    """Write frames to a ``.npy`` file ``[time, x, y]``, which can be read at any moment while it grows.

    The number type is that of the first frames. Each put writes the frames first and then the
    header with their number, so that after a crash the file holds all that it announces.

    Parameters
    ----------
    path : str or path
        File to write; what was there is replaced with the first frame.

    Raises
    ------
    ShapeError
        If frames have several batches or channels, or change their size.
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, torch
    >>> with NumpyWriter(tempfile.mkdtemp() + "/film.npy") as writer:
    ...     writer.put(torch.zeros(5, 4, 6))
    ...     writer.put(torch.ones(3, 4, 6))
    >>> np.load(writer.path, mmap_mode="r").shape
    (8, 4, 6)
    """

    _dtype: np.dtype[Any] = np.dtype("<f4")

    def begin(self, shape: tuple[int, int, int, int]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self._header(shape[2:]))  # readable before the first frame, too

    def append(self, frames: NDArray[Any]) -> None:
        data = np.ascontiguousarray(frames[0, 0])
        if self.n_written == len(data):
            self._dtype = data.dtype.newbyteorder("<")
        data = data.astype(self._dtype, copy=False)
        with self.path.open("r+b") as file:
            file.seek(_HEADER_BYTES + (self.n_written - len(data)) * data[0].nbytes)
            file.write(data.tobytes())
            file.flush()
            file.seek(0)
            file.write(self._header(data.shape[1:]))

    def _header(self, size: tuple[int, ...]) -> bytes:
        facts = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.n_written, *size)}
        text = repr(facts).ljust(_HEADER_BYTES - len(_MAGIC) - 3) + "\n"
        return _MAGIC + len(text).to_bytes(2, "little") + text.encode("latin-1")
