"""The ffmpeg program: what a film file holds, and its frames one by one."""

from __future__ import annotations

import re
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Final

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from convis_core.errors import MissingDependencyError, VideoError

__all__ = ["Decoder", "Film", "Process", "film_rate", "probe"]

_RAW: Final = ("-map", "0:v:0", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")
_COUNTED: Final = ("-map", "0:v:0", "-c", "copy", "-f", "null", "-")
_FIRST: Final = ("-map", "0:v:0", "-frames:v", "1", "-c:v", "pgm", "-pix_fmt", "gray", "-f", "image2pipe", "pipe:1")
_RATE: Final = re.compile(r"Stream #0:\d+.*?: Video:.*? ([\d.]+k?) fps")
_BASE_RATE: Final = re.compile(r"Stream #0:\d+.*?: Video:.*? ([\d.]+k?) tbr")
_COUNT: Final = re.compile(r"frame=\s*(\d+)")
_COMPLAINT: Final = re.compile(r"\[(?:error|fatal)\] *(.*)")


@dataclass(frozen=True)
class Film:
    """What `probe` found in a film file.

    Attributes
    ----------
    size : tuple of int
        Frame size ``(x, y)``, rows first, turned upright.
    rate : Fraction
        Frames per second.
    n_frames : int
        Frames the file really holds, counted without decoding them.
    is_steady : bool
        Whether frames follow at equal times.
    complaint : str
        What ffmpeg found wrong with the file; empty for a healthy one.
    """

    size: tuple[int, int]
    rate: Fraction
    n_frames: int
    is_steady: bool
    complaint: str


class Process:
    """A running ffmpeg that is stopped and reaped at the latest when this object is forgotten."""

    def __init__(self, arguments: Sequence[str], *, is_fed: bool = False) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe nobody reads would block ffmpeg)
        self._process = subprocess.Popen(
            [_program(), "-hide_banner", "-nostdin", "-v", "error", *arguments],
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
            stderr=self._errors,
        )
        self.pipe: IO[bytes] = _only(self._process.stdin, self._process.stdout)
        self._stop = weakref.finalize(self, _stop, self._process, self._errors)

    def finish(self) -> str:
        """Wait for the end; return what ffmpeg complained about, empty if it was content."""
        with suppress(BrokenPipeError):  # it ended by itself, and says below why
            self.pipe.close()
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self.stop()
        return lines[-1] if lines else f"ffmpeg ended with code {code}" if code else ""

    def stop(self) -> None:
        """End it at once. Stopping twice does nothing."""
        self._stop()


class Decoder:
    """Frames of a film in order, as ``uint8`` arrays ``[x, y]``, from frame `start` on."""

    def __init__(self, path: Path, film: Film, filters: Sequence[str], size: tuple[int, int], start: int) -> None:
        # A quarter of a frame early: rounding can then neither skip the frame nor catch the one before.
        seek = ["-ss", f"{float((start - Fraction(1, 4)) / film.rate):.6f}"] if start else []
        steady = [] if film.is_steady else [f"fps={film.rate}"]
        self._process = Process([*seek, "-i", f"file:{path}", "-vf", ",".join([*steady, *filters]), *_RAW])
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


def probe(path: Path) -> Film:
    """Look into a film: its rate, its true number of frames and, from the first one decoded, its size.

    Raises
    ------
    VideoError
        If not a single frame can be decoded.
    """
    result = subprocess.run(
        [_program(), "-hide_banner", "-nostdin", "-v", "level+info", "-i", f"file:{path}", *_COUNTED, *_FIRST],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    report = result.stderr.decode(errors="replace")
    complaints = _COMPLAINT.findall(report)
    complaint = complaints[0].strip() if complaints else ""
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s", result.stdout)
    counts, rate = _COUNT.findall(report), _RATE.search(report)
    if header is None or not counts or rate is None:
        if "Video:" not in report and re.search(r"Stream #0:\d", report):
            raise VideoError(f"{path} holds no picture, only other tracks.", "Choose a file with a video track.")
        raise VideoError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as a video: {complaint or 'no frame in it'}.",
            "Try it in a video player; if it does not play there, it is broken, cut short or not a video.",
        )
    base = _BASE_RATE.search(report)
    return Film(
        size=(int(header[2]), int(header[1])),
        rate=film_rate(rate[1]),
        n_frames=max(int(counts[-1]), 1),
        is_steady=base is None or base[1] == rate[1],
        complaint=complaint,
    )


def film_rate(printed: str) -> Fraction:
    """Turn a rate printed with two decimals into the exact one: 29.97 is 30000/1001.

    Examples
    --------
    >>> film_rate("29.97"), film_rate("25"), film_rate("1k")
    (Fraction(30000, 1001), Fraction(25, 1), Fraction(1000, 1))
    """
    rate = Fraction(printed.rstrip("k")) * (1000 if printed.endswith("k") else 1)
    broadcast = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if rate.denominator != 1 and broadcast and abs(broadcast - rate) <= Fraction(5, 1000):
        return broadcast
    return rate


def _program() -> str:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingDependencyError(
            "The ffmpeg program, which reads and writes films, was not found.",
            "Install it with: pip install imageio-ffmpeg",
        ) from error


def _only(*pipes: IO[bytes] | None) -> IO[bytes]:
    return next(pipe for pipe in pipes if pipe is not None)


def _stop(process: subprocess.Popen[bytes], errors: IO[Any]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what was still to be fed is lost, as it should be when stopped
                pipe.close()
    process.wait()
    errors.close()
