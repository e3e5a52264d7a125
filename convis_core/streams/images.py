"""Image files as a stream of frames."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

import imageio.v3 as imageio
import torch
from torch import Tensor

from convis_core.errors import StreamError, VideoError
from convis_core.files import user_path
from convis_core.streams.base import Stream
from convis_core.streams.checks import check_choice, check_count, check_frame, check_open, check_rate
from convis_core.streams.frames import FIT_MODES, GRAY_MODES, colour_frame, fit_frame, frame_size, gray_frame

__all__ = ["ImageSequence"]


class ImageSequence(Stream):
    """Image files, one after another, as grey or coloured frames with values from 0 to 1.

    Only the image that is being shown is held in memory. Files found by a pattern come in
    natural order: ``frame_9.png`` before ``frame_10.png``.

    Parameters
    ----------
    images : str, path or list of paths
        A pattern such as ``"input_*.jpg"``, or the files in the order wanted.
    repeat : int
        For how many steps each image stays on.
    size : tuple of int, optional
        Frame size ``(x, y)`` in pixels, rows first; by default that of the first image, or what
        `offset` leaves of it.
    offset : tuple of int, optional
        First row and column of the crop; centred by default.
    mode : {"crop", "resize"}
        How an image of another size is brought to `size`.
    gray : {"luminance", "red", "green", "blue"} or None
        How a colour image becomes grey. None keeps red, green and blue as three channels.
    steps_per_second : float, optional
        Rate of the steps in Hz.

    Raises
    ------
    VideoError
        If nothing matches the pattern, or a file is missing or is no image.
    StreamError
        If an image is smaller than the crop.

    Examples
    --------
    >>> import numpy, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> imageio.imwrite(folder / "white.png", numpy.full((4, 6, 3), 255, dtype="uint8"))
    >>> ImageSequence(str(folder / "*.png"), repeat=5, size=(2, 2)).get(10).mean(dim=(3, 4)).tolist()
    [[[1.0, 1.0, 1.0, 1.0, 1.0]]]
    """

    def __init__(
        self,
        images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        repeat: int = 1,
        size: tuple[int, int] | None = None,
        offset: tuple[int, int] | None = None,
        mode: str = "crop",
        gray: str | None = "luminance",
        steps_per_second: float | None = None,
    ) -> None:
        self.paths = find_images(images)
        self.repeat = check_count(repeat, "repeat", least=1)
        self.mode = check_choice(mode, FIT_MODES, "mode")
        self.gray = None if gray is None else check_choice(gray, GRAY_MODES, "gray")
        first = self._read(0)
        self.size = frame_size((first.shape[-2], first.shape[-1]), size, self.mode, offset)
        self.offset = None if offset is None else (check_count(offset[0], "offset"), check_count(offset[1], "offset"))
        self.length = len(self.paths) * self.repeat
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)
        self._shown: tuple[int, Tensor] = (0, self._fit(0, first))
        self._closed = False

    def get(self, n: int) -> Tensor:
        check_open(self._closed, "ImageSequence")
        assert self.length is not None
        stop = min(self.position + check_count(n), self.length)
        frames = torch.empty(1, 3 if self.gray is None else 1, max(stop - self.position, 0), *self.size)
        for step in range(frames.shape[2]):
            frames[0, :, step] = self._frame((self.position + step) // self.repeat)
        self.position = stop
        return frames

    def seek(self, frame: int) -> None:
        check_open(self._closed, "ImageSequence")
        self.position = check_frame(frame, self.length)

    def close(self) -> None:
        self._closed = True

    def _frame(self, index: int) -> Tensor:
        if self._shown[0] != index:
            self._shown = (index, self._fit(index, self._read(index)))
        return self._shown[1]

    def _read(self, index: int) -> Tensor:
        path = self.paths[index]
        if not path.is_file():
            raise VideoError(f"There is no image file {path}.", "Check the name and the folder.")
        try:
            picture = imageio.imread(path, index=0)
            return colour_frame(picture) if self.gray is None else gray_frame(picture, self.gray)
        except VideoError as error:
            raise VideoError(f"{path}: {error.message}", error.remedy) from error
        except Exception as error:  # each image plugin has errors of its own
            raise VideoError(
                f"{path} ({path.stat().st_size} bytes) cannot be read as an image.",
                "Open it with an image viewer; it may be broken, or not an image at all.",
            ) from error

    def _fit(self, index: int, frame: Tensor) -> Tensor:
        try:
            return fit_frame(frame, self.size, self.mode, self.offset)
        except StreamError as error:
            raise StreamError(f"{self.paths[index]}: {error.message}", error.remedy) from error


def find_images(images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the files that match a pattern, in natural order, or those named one by one."""
    if not isinstance(images, (str, os.PathLike)):
        paths = [user_path(image) for image in images]
        if not paths:
            raise VideoError("An image sequence needs at least one image, got an empty list.")
        return paths
    pattern = str(user_path(images))
    if os.path.isfile(pattern):  # a file whose own name holds [ or * is meant as it is
        return [Path(pattern)]
    found = [Path(path) for path in glob.glob(pattern, recursive=True) if os.path.isfile(path)]
    if not found:
        folder = Path(re.split(r"[*?\[]", pattern)[0] + "_").parent.absolute()
        there = f"which holds {len(list(folder.iterdir()))} entries" if folder.is_dir() else "which does not exist"
        raise VideoError(
            f"No image matches {pattern!r}; looked in {folder}, {there}.",
            "Check the pattern; * stands for any part of a name, and relative patterns start in the working folder.",
        )
    return sorted(found, key=natural_order)


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key in which numbers inside names count as numbers."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), "") if part.isdigit() and part.isascii() else (0, 0, part.lower()) for part in parts]
