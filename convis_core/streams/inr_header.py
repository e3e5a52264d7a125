"""The header of an Inrimage file: 256 bytes of text before the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from convis_core.errors import FileFormatError

__all__ = ["HEADER_BYTES", "InrHeader"]

HEADER_BYTES: Final = 256
_MAGIC: Final = "#INRIMAGE-4#{"
_END: Final = "##}\n"
_LARGEST_HEADER: Final = 64 * HEADER_BYTES
_KINDS: Final = {"float": "f", "unsigned fixed": "u", "signed fixed": "i", "fixed": "i"}
_ORDERS: Final = {"decm": "<", "alpha": "<", "pc": "<", "sun": ">", "sgi": ">"}
"""Order of bytes by the machine that wrote the file."""


@dataclass(frozen=True)
class InrHeader:
    """What the header says.

    Attributes
    ----------
    size : tuple of int
        Rows and columns of a frame (YDIM and XDIM).
    n_frames : int
        ZDIM: in a film the number of frames.
    n_channels : int
        VDIM: values for each pixel, which lie side by side.
    dtype : numpy.dtype
        Number type and order of bytes.
    n_bytes : int
        Length of the header.
    """

    size: tuple[int, int]
    n_frames: int
    n_channels: int
    dtype: np.dtype[np.generic]
    n_bytes: int = HEADER_BYTES

    def encode(self) -> bytes:
        """Write the 256 bytes.

        Examples
        --------
        >>> header = InrHeader((2, 3), 5, 1, np.dtype("<f4")).encode()
        >>> len(header), header.decode().split()[:4]
        (256, ['#INRIMAGE-4#{', 'XDIM=3', 'YDIM=2', 'ZDIM=5'])
        """
        fields = (
            f"{_MAGIC}\nXDIM={self.size[1]}\nYDIM={self.size[0]}\nZDIM={self.n_frames}\nVDIM={self.n_channels}\n"
            f"TYPE=float\nPIXSIZE={8 * self.dtype.itemsize} bits\nCPU=decm\n"
        )
        return (fields.ljust(HEADER_BYTES - len(_END), "\n") + _END).encode("ascii")

    @classmethod
    def read(cls, path: Path) -> InrHeader:
        """Read the header of a file, or raise what is wrong with it."""
        with path.open("rb") as file:
            text = file.read(_LARGEST_HEADER).decode("latin-1")
        end = text.find(_END)
        if not text.startswith(_MAGIC) or end < 0:
            raise FileFormatError(f"{path} is no Inrimage file: it does not begin with {_MAGIC} ... ##}}.")
        pairs = (line.split("=", 1) for line in text[:end].splitlines() if "=" in line)
        fields = {name.strip().upper(): value.strip() for name, value in pairs}
        try:
            x, y = int(fields["XDIM"]), int(fields["YDIM"])
            z, v = (int(fields.get(name, "1")) for name in ("ZDIM", "VDIM"))
            bits = int(fields["PIXSIZE"].split()[0])
            machine = fields.get("CPU", "decm")
            if machine.lower() not in _ORDERS:
                raise ValueError(f"CPU={machine} says no order of bytes, expected one of {', '.join(_ORDERS)}")
            dtype = np.dtype(f"{_ORDERS[machine.lower()]}{_KINDS[fields['TYPE']]}{bits // 8}")
            if bits % 8:
                raise ValueError(f"{bits} bits are no whole bytes")
            if min(x, y, v) < 1 or z < 0 or end + len(_END) > _LARGEST_HEADER:
                raise ValueError("its size is not positive")
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise FileFormatError(f"The header of {path} cannot be understood: {error}.") from error
        return cls((y, x), z, v, dtype, end + len(_END))
