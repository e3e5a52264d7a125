"""The frames of a film, decoded one after another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convis_core.streams.ffmpeg import Process
from convis_core.streams.film import Film

__all__ = ["Decoder"]

_RAW: Final = ("-map", "0:v:0", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")


class Decoder:
    """Frames of a film in order, as ``uint8`` arrays ``[x, y]``, from `start` on or, failing that, from the first."""

    def __init__(self, path: Path, film: Film, filters: Sequence[str], size: tuple[int, int], start: int) -> None:
        start = start if film.can_jump else 0
        # A quarter of a frame early: rounding can then neither skip the frame nor catch the one before.
        seek = ["-ss", f"{float((start - Fraction(1, 4)) / film.rate):.6f}"] if start else []
        # Left to itself ffmpeg would repeat and drop frames to have the rate in the header.
        pace = [] if film.is_steady else [f"fps={film.rate}"]
        rate = ["-r", str(film.rate)] if film.is_steady else []
        self._process = Process([*seek, "-i", f"file:{path}", "-vf", ",".join([*pace, *filters]), *rate, *_RAW])
        self._size = size
        self.next_frame = start
        self.complaint = ""

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next frame, or None at the end; `complaint` then says whether it came too soon."""
        n_bytes = self._size[0] * self._size[1]
        data = self._process.pipe.read(n_bytes)
        if len(data) < n_bytes:
            self.complaint = self._process.finish()
            return None
        self.next_frame += 1
        return np.frombuffer(data, np.uint8).reshape(self._size)

    def close(self) -> None:
        self._process.stop()
