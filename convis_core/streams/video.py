"""A video file as a stream of frames at the model's own rate."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from convis_core.errors import VideoError, VideoWarning
from convis_core.files import user_path
from convis_core.resolution import default_resolution
from convis_core.streams.base import Stream
from convis_core.streams.checks import check_choice, check_count, check_frame, check_open, check_rate
from convis_core.streams.decoder import Decoder
from convis_core.streams.film import Film, probe
from convis_core.streams.frames import FIT_MODES, GRAY_MODES, crop_corner, frame_size
from convis_core.warn import warn

__all__ = ["VideoReader"]

_READ_ON = 120  # frames up to which reading on is quicker than starting the decoder anew


class VideoReader(Stream):
    """A film as grey frames with values from 0 to 1, at any number of steps per second.

    A film of `f` frames per second is held, not blended: step `s` of a stream at `r` steps
    per second shows film frame ``floor(s * f / r)``, in exact arithmetic. The film is decoded
    once, front to back, with one frame in memory.

    Frames are upright and have square pixels: where those of the film are not (DV, some phones and
    discs), it is widened or narrowed as a player would, so that a circle stays a circle. Rows are kept,
    and so is a film whose pixels are square within 1 %.

    Parameters
    ----------
    path : str or path
        Any file ffmpeg can decode.
    size : tuple of int, optional
        Frame size ``(x, y)`` in pixels, rows first. The film's own by default, or what `offset`
        leaves of it; models become slow above some 100 x 100.
    offset : tuple of int, optional
        First row and column of the crop; centred by default.
    mode : {"crop", "resize"}
        How the film is brought to `size`.
    gray : {"luminance", "red", "green", "blue"}
        How a colour film becomes grey.
    steps_per_second : float, optional
        Rate of the steps in Hz; that of `convis.default_resolution` by default.

    Attributes
    ----------
    length : int
        Number of steps. Frames are counted, not taken from the header. For a film whose
        frames do not follow at equal times it is an estimate. Where fewer frames can be
        decoded, `length` is corrected when that shows.
    n_frames : int
        Frames of the film.
    film_size : tuple of int
        Size ``(x, y)`` of the film as it is shown, upright and with square pixels; `size` and
        `offset` refer to it.
    film_rate : float
        Frames per second of the film, in Hz.

    Raises
    ------
    VideoError
        If the file is missing, empty, or not a single frame can be decoded.
    StreamError
        If the crop does not fit, or an argument makes no sense.

    Warns
    -----
    VideoWarning
        If the file is damaged or cut short; the frames that can be decoded are delivered.

    Examples
    --------
    >>> import tempfile
    >>> from convis_core.streams import VideoWriter
    >>> path = Path(tempfile.mkdtemp()) / "film.mp4"
    >>> with VideoWriter(path, steps_per_second=25.0) as writer:
    ...     writer.put(torch.ones(10, 8, 12))
    >>> with VideoReader(path, steps_per_second=100.0) as film:
    ...     film.length, tuple(film.get(30).shape)
    (40, (1, 1, 30, 8, 12))
    """

    steps_per_second: float
    length: int

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int] | None = None,
        offset: tuple[int, int] | None = None,
        mode: str = "crop",
        gray: str = "luminance",
        steps_per_second: float | None = None,
    ) -> None:
        self._closed = False
        self._decoder: Decoder | None = None
        self.path = existing_file(path)
        rate = default_resolution().steps_per_second if steps_per_second is None else steps_per_second
        self.steps_per_second = check_rate(rate)
        check_choice(mode, FIT_MODES, "mode")
        check_choice(gray, GRAY_MODES, "gray")
        self._film = probe(self.path)
        self.film_size, self.film_rate = self._film.size, float(self._film.rate)
        self.size = frame_size(self.film_size, size, mode, offset)
        self._filters = [*_gray_filters(gray), *_fit_filters(self._film, self.size, mode, offset)]
        self._per_step = self._film.rate / Fraction(self.steps_per_second).limit_denominator(10**6)
        self.n_frames = self._film.n_frames
        self.length = self._first_step(self.n_frames)
        self._shown: tuple[int, Tensor] | None = None
        self._has_warned = False
        if self._film.complaint:
            self._warn(self._film.complaint)

    def get(self, n: int) -> Tensor:
        check_open(self._closed, "VideoReader")
        start = self.position
        stop = min(start + check_count(n), self.length)
        frames = torch.empty(1, 1, max(stop - start, 0), *self.size)
        while self.position < stop:
            index = math.floor(self.position * self._per_step)
            frame = self._frame(index)
            if frame is None:
                return frames[:, :, : self.position - start]
            until = min(self._first_step(index + 1), stop)
            frames[0, 0, self.position - start : until - start] = frame
            self.position = until
        if self.position == self.length:
            self._rest()
        return frames

    def seek(self, frame: int) -> None:
        check_open(self._closed, "VideoReader")
        self.position = check_frame(frame, self.length)

    def close(self) -> None:
        self._closed = True
        self._rest()

    def _first_step(self, index: int) -> int:
        """First step at which film frame `index` is shown."""
        return math.ceil(index / self._per_step)

    def _frame(self, index: int) -> Tensor | None:
        """Decode on to film frame `index`; None, with `length` corrected, if the film ends before."""
        if self._shown is not None and self._shown[0] == index:
            return self._shown[1]
        ahead = -1 if self._decoder is None else index - self._decoder.next_frame
        if self._decoder is None or ahead < 0 or (ahead > _READ_ON and self._film.can_jump):
            self._rest()
            self._decoder = Decoder(self.path, self._film, self._filters, self.size, index)
        try:
            picture = self._decoder.read()
            while picture is not None and self._decoder.next_frame <= index:
                picture = self._decoder.read()
        except BaseException:  # part of a frame may have been read, and all that follow would be shifted by it
            self._rest()
            raise
        if picture is None:
            self._end(self._decoder)
            return None
        self._shown = (index, torch.from_numpy(picture.astype("float32")).div_(255.0))
        return self._shown[1]

    def _end(self, decoder: Decoder) -> None:
        self.n_frames = decoder.next_frame
        self.length = self._first_step(self.n_frames)
        self.position = min(self.position, self.length)
        self._rest()
        if decoder.complaint:
            self._warn(decoder.complaint)

    def _rest(self) -> None:
        """Let the decoder go; the next frame wanted starts another."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _warn(self, complaint: str) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        warn(
            f"{self.path} is damaged or cut short ({complaint}); the frames that can be decoded are "
            "shown. Copy or download the file again to have it whole.",
            VideoWarning,
        )


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a file that exists and is not empty."""
    file = user_path(path).absolute()
    if not file.exists():
        where = "the folder exists" if file.parent.is_dir() else f"there is no folder {file.parent} either"
        raise VideoError(f"There is no video file {file}; {where}.", "Check the name.")
    if not file.is_file():
        raise VideoError(f"{file} is a folder or device, not a video file.", "Name a file.")
    if file.stat().st_size == 0:
        raise VideoError(f"The video file {file} is empty (0 bytes).", "Copy or download it again.")
    if not os.access(file, os.R_OK):
        raise VideoError(f"The video file {file} may not be read.", "Change its permissions.")
    return file


def _gray_filters(gray: str) -> list[str]:
    return ["format=gray"] if gray == "luminance" else ["format=gbrp", f"extractplanes={gray[0]}"]


def _fit_filters(film: Film, size: tuple[int, int], mode: str, offset: tuple[int, int] | None) -> list[str]:
    if mode == "resize":
        return [_scale(size)]
    row, column = crop_corner(film.size, size, offset)
    square = [] if film.size == film.coded_size else [_scale(film.size)]
    return [*square, f"crop={size[1]}:{size[0]}:{column}:{row}"]


def _scale(size: tuple[int, int]) -> str:
    return f"scale={size[1]}:{size[0]}:flags=bilinear"
