"""One picture of any kind to one frame ``[x, y]``, or one for each colour, of a wanted size, values 0 to 1."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from convis_core.errors import StreamError, VideoError
from convis_core.streams.checks import check_count, check_size

__all__ = ["FIT_MODES", "GRAY_MODES", "colour_frame", "crop_corner", "fit_frame", "frame_size", "gray_frame"]

FIT_MODES: Final = ("crop", "resize")
GRAY_MODES: Final = ("luminance", "red", "green", "blue")

# ITU-R BT.601 luma, which video decoders and image libraries use for grey as well.
_WEIGHTS: Final = {
    "luminance": (0.299, 0.587, 0.114),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
}


def gray_frame(picture: Any, gray: str = "luminance") -> Tensor:
    """Turn a picture into grey values from 0 to 1.

    Parameters
    ----------
    picture : array, shape [x, y] or [x, y, c]
        Boolean, 8- or 16-bit unsigned, or floating point between 0 and 1. Two channels
        are grey and opacity, four are red, green, blue and opacity; opacity is ignored.
    gray : {"luminance", "red", "green", "blue"}
        Weights 0.299, 0.587, 0.114 of red, green and blue (ITU-R BT.601), or one of them.

    Returns
    -------
    Tensor, shape [x, y], float32

    Examples
    --------
    >>> gray_frame(np.full((1, 2, 3), 255, dtype="uint8")).tolist()
    [[1.0, 1.0]]
    """
    array = _unit_range(picture)
    if array.ndim == 3:
        array = array[..., :3] @ np.array(_WEIGHTS[gray], np.float32) if array.shape[2] > 2 else array[..., 0]
    return torch.from_numpy(np.ascontiguousarray(array)).clamp(0.0, 1.0)


def colour_frame(picture: Any) -> Tensor:
    """Turn a picture into red, green and blue values from 0 to 1, of a grey one all alike; opacity is ignored.

    Returns
    -------
    Tensor, shape [3, x, y], float32

    Examples
    --------
    >>> colour_frame(np.array([[[255, 0, 51]]], dtype="uint8")).flatten().tolist()
    [1.0, 0.0, 0.20000000298023224]
    """
    array = _unit_range(picture)
    if array.ndim == 2 or array.shape[2] < 3:
        array = np.repeat(array.reshape(*array.shape[:2], -1)[..., :1], 3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array[..., :3], 2, 0)))


def _unit_range(picture: Any) -> NDArray[np.float32]:
    array = np.asarray(picture)
    if array.dtype.kind == "u":
        array = array / np.float32(np.iinfo(array.dtype).max)
    array = array.astype(np.float32)
    if not (array.ndim in (2, 3) and array.size and (array.ndim == 2 or array.shape[2] <= 4)):
        raise VideoError(f"Expected a picture [x, y] or [x, y, colour], got the shape {array.shape}.")
    if not (array.min() >= 0.0 and array.max() <= 1.0):  # also refuses NaN
        raise VideoError(
            f"Expected grey values from 0 to 1 in a floating-point picture, got {array.min():g} to {array.max():g}.",
            "Scale it first, or save it with 8 or 16 bits.",
        )
    return array


def frame_size(
    have: tuple[int, int], size: tuple[int, int] | None, mode: str, offset: tuple[int, int] | None
) -> tuple[int, int]:
    """Return the size asked for: `size`, or what `offset` leaves of a picture, or that of the picture.

    Examples
    --------
    >>> frame_size((30, 40), None, "crop", (2, 3))
    (28, 37)
    """
    if offset is not None and not (isinstance(offset, (tuple, list)) and len(offset) == 2):
        raise StreamError(f"Expected offset=(first row, first column), got {offset!r}.")
    if offset is not None and mode == "resize":
        raise StreamError("A picture that is resized is not cropped, so an offset means nothing.", "Leave one out.")
    if size is not None or offset is None:
        return check_size(have if size is None else size)
    rest = tuple(n - check_count(first, "offset") for n, first in zip(have, offset, strict=True))
    if min(rest) < 1:
        raise StreamError(f"An offset of {tuple(offset)} leaves nothing of a picture of {have[0]}x{have[1]}.")
    return rest[0], rest[1]


def crop_corner(have: tuple[int, int], size: tuple[int, int], offset: tuple[int, int] | None) -> tuple[int, int]:
    """Return the first row and column of a crop: `offset`, or the one that centres it."""
    corner = offset or ((have[0] - size[0]) // 2, (have[1] - size[1]) // 2)
    if any(c < 0 or c + s > h for c, s, h in zip(corner, size, have, strict=True)):
        raise StreamError(
            f"A crop of {size[0]}x{size[1]} pixels at {corner} does not fit into a picture of {have[0]}x{have[1]}.",
            'Use a smaller size, another offset, or mode="resize".',
        )
    return corner


def fit_frame(frame: Tensor, size: tuple[int, int], mode: str, offset: tuple[int, int] | None = None) -> Tensor:
    """Crop or resize a frame ``[..., x, y]`` to `size`; resizing is bilinear and free of aliasing."""
    have = (frame.shape[-2], frame.shape[-1])
    if have == size and offset is None:
        return frame
    if mode == "crop":
        row, column = crop_corner(have, size, offset)
        return frame[..., row : row + size[0], column : column + size[1]]
    resized = functional.interpolate(frame.reshape(1, -1, *have), size=size, mode="bilinear", antialias=True)
    return resized.reshape(*frame.shape[:-2], *size).clamp(0.0, 1.0)
