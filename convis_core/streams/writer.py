"""Where frames can be put: a film file, or memory."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from types import TracebackType
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import ShapeError, StreamError, VideoError, VideoWarning
from convis_core.files import atomic_path, check_target, user_path
from convis_core.resolution import default_resolution
from convis_core.streams.base import OutputStream
from convis_core.streams.checks import check_count, check_open, check_rate
from convis_core.streams.ffmpeg import Process
from convis_core.tensors import TIME, check_finite, describe_shape, lift
from convis_core.warn import warn

__all__ = ["SequenceWriter", "VideoWriter"]

_SUFFIXES: Final = (".mp4", ".mkv", ".mov", ".m4v", ".avi")


class VideoWriter(OutputStream):
    """Write frames to a film (H.264), for people to look at: the coding is not lossless.

    The film plays in real time: at `fps` frames per second it shows, of the steps put, the
    ones that are current at each film frame. It is written beside `path` and takes that name
    when closed. If the ``with`` block is left by an error, what was at `path` stays; so it does
    where `put` is interrupted.

    Parameters
    ----------
    path : str or path
        File to write, ending in .mp4, .mkv, .mov, .m4v or .avi.
    steps_per_second : float, optional
        Rate of the frames put, in Hz; that of `convis.default_resolution` by default.
    fps : float, optional
        Frames per second of the film; one for each step by default.
    value_range : tuple of float
        Values drawn black and white. Values beyond are clipped, with a `VideoWarning`.
    crf : int
        Constant rate factor of the encoder: 0 is best, 51 smallest.

    Raises
    ------
    VideoError
        If the kind of file is unknown, or the encoder fails.
    FileWriteError
        If no file of this name can be written there.
    ShapeError
        If frames have several batches or channels, or change their size.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "film.mp4"
    >>> with VideoWriter(path, steps_per_second=1000.0, fps=25.0) as writer:
    ...     writer.put(torch.rand(100, 16, 16))
    >>> writer.n_written
    3
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        steps_per_second: float | None = None,
        fps: float | None = None,
        value_range: tuple[float, float] = (0.0, 1.0),
        crf: int = 12,
    ) -> None:
        self.path = user_path(path).absolute()
        if self.path.suffix.lower() not in _SUFFIXES:
            raise VideoError(
                f"Cannot tell what kind of film {self.path.name!r} should be.",
                f"Let the name end in one of {', '.join(_SUFFIXES)}.",
            )
        check_target(self.path)
        rate = default_resolution().steps_per_second if steps_per_second is None else steps_per_second
        self.steps_per_second = check_rate(rate)
        self.fps = self.steps_per_second if fps is None else check_rate(fps, "fps")
        self.value_range = _check_range(value_range)
        self.crf = check_count(crf, "crf")
        self.size: tuple[int, int] | None = None
        self.n_put = self.n_written = 0
        self._rate = Fraction(self.fps).limit_denominator(10**6)
        self._per_step = self._rate / Fraction(self.steps_per_second).limit_denominator(10**6)
        self._is_closed = self._has_clipped = False
        self._draft = atomic_path(self.path)
        self._process: Process | None = None

    def put(self, frames: Any) -> None:
        """Append frames ``[1, 1, time, x, y]``, or what lifts to that.

        Parameters
        ----------
        frames : array, shape [x, y], [time, x, y] or [1, 1, time, x, y]
        """
        check_open(self._is_closed, "VideoWriter")
        steps = lift(frames).detach()
        if steps.shape[:2] != (1, 1):
            raise ShapeError(
                f"VideoWriter writes one batch and one channel, got {describe_shape(steps.shape)}.",
                "Choose one, e.g. frames[:1, :1], or average them.",
            )
        check_finite(steps, "The film to write", self.n_put)
        size = (steps.shape[3], steps.shape[4])
        if self.size not in (None, size):
            raise ShapeError(f"VideoWriter was begun with frames of {self.size}, got {size}.", "Use one film a size.")
        if steps.shape[TIME] == 0:
            return
        pipe = self._started(size).pipe
        picked = self._due(steps.shape[TIME])
        self.n_put += steps.shape[TIME]
        if picked:
            self._feed(pipe, self._gray(steps[0, 0, picked]))
            self.n_written += len(picked)

    def close(self) -> None:
        """Finish the film and give it its name. Without any frame no file is written."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._process is None:
            warn(f"No frame was put, so {self.path} was not written.", VideoWarning)
            return
        complaint = self._process.finish()
        if complaint:
            raise self._failed(complaint)
        self._draft.__exit__(None, None, None)

    def discard(self) -> None:
        """Drop the film; a file that was at `path` before stays as it was."""
        self._is_closed = True
        if self._process is not None:
            self._process.stop()
            self._failed("discarded")
            self._process = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _started(self, size: tuple[int, int]) -> Process:
        if self._process is None:
            draft = self._draft.__enter__()
            # Colour planes at half size need even sizes; full-size planes keep an odd film as it is.
            planes = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
            self._process = Process(
                [
                    *("-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[1]}x{size[0]}"),
                    *("-r", str(self._rate), "-i", "pipe:0"),
                    *("-c:v", "libx264", "-crf", str(self.crf), "-pix_fmt", planes, f"file:{draft}"),
                ],
                is_fed=True,
            )
            self.size = size
        return self._process

    def _due(self, n: int) -> list[int]:
        """Which of the next `n` steps go into the film, and how often."""
        picked: list[int] = []
        for step in range(n):
            first = math.ceil((self.n_put + step) * self._per_step)
            picked += [step] * (math.ceil((self.n_put + step + 1) * self._per_step) - first)
        return picked

    def _gray(self, frames: Tensor) -> bytes:
        lo, hi = self.value_range
        scaled = (frames.float() - lo) / (hi - lo)
        if not self._has_clipped and bool(((scaled < -1e-6) | (scaled > 1.0 + 1e-6)).any()):
            self._has_clipped = True
            warn(f"Values outside value_range={self.value_range} are clipped in {self.path.name}.", VideoWarning)
        return scaled.mul(255.0).round().clamp(0.0, 255.0).to(torch.uint8).cpu().numpy().tobytes()

    def _feed(self, pipe: Any, data: bytes) -> None:
        try:
            pipe.write(data)
            pipe.flush()
        except BrokenPipeError as error:
            self._is_closed = True
            complaint = self._process.finish() if self._process else ""
            raise self._failed(complaint) from error
        except BaseException:  # part of a frame may have been written, and all that follow would be shifted by it
            self.discard()
            raise

    def _failed(self, complaint: str) -> VideoError:
        """Remove the draft and make the error that says why."""
        error = VideoError(f"{self.path} could not be written: {complaint}.", "Check the space left and the size.")
        self._draft.__exit__(type(error), error, None)
        return error


class SequenceWriter(OutputStream):
    """Collect frames in memory.

    Examples
    --------
    >>> writer = SequenceWriter()
    >>> writer.put(torch.zeros(3, 4, 4))
    >>> writer.put(torch.ones(2, 4, 4))
    >>> tuple(writer.frames.shape)
    (1, 1, 5, 4, 4)
    """

    def __init__(self) -> None:
        self._parts: list[Tensor] = []

    def put(self, frames: Any) -> None:
        """Append frames ``[batch, channel, time, x, y]``, or what lifts to that."""
        part = lift(frames).detach().clone()
        if self._parts and self._parts[0][:, :, :0].shape != part[:, :, :0].shape:
            raise ShapeError(
                f"SequenceWriter was begun with frames {describe_shape(self._parts[0].shape)}, "
                f"got {describe_shape(part.shape)}.",
                "Only the time axis may differ.",
            )
        self._parts.append(part)

    @property
    def frames(self) -> Tensor:
        """All frames put so far, ``[batch, channel, time, x, y]``."""
        if not self._parts:
            raise StreamError("Nothing has been put into this SequenceWriter.", "Run the model first.")
        return torch.cat(self._parts, dim=TIME)


def _check_range(value_range: Any) -> tuple[float, float]:
    lo, hi = (float(v) for v in value_range) if isinstance(value_range, (tuple, list)) else (0.0, 0.0)
    if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
        raise StreamError(f"Expected value_range=(black, white) with black below white, got {value_range!r}.")
    return lo, hi
