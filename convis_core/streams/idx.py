"""IDX files, in which handwritten digits are handed around: arrays with a short header, often gzipped."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import FileFormatError
from convis_core.streams.stored import existing_file

__all__ = ["read_idx"]

_TYPES: Final = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_GZIP: Final = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, packed with gzip or not. No more is unpacked than its header announces.

    Raises
    ------
    FileFormatError
        If the file is missing, broken or no IDX.
    """
    found = existing_file(path)
    with found.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    try:
        with gzip.open(found, "rb") if is_packed else found.open("rb") as data:
            zero, kind, n_axes = struct.unpack(">HBB", data.read(4))
            if zero != 0 or kind not in _TYPES or not 1 <= n_axes <= 4:
                raise FileFormatError(f"{found} is no IDX file: its first bytes say so.")
            shape = struct.unpack(f">{n_axes}I", data.read(4 * n_axes))
            dtype = np.dtype(_TYPES[kind])
            content = data.read(math.prod(shape) * dtype.itemsize)
    except (struct.error, EOFError, OSError, OverflowError, MemoryError, zlib.error) as error:
        raise FileFormatError(f"{found} is broken: {error}.") from error
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise FileFormatError(f"{found} announces {shape} values and ends early.", "Load the file again.")
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
