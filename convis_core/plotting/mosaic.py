"""Frames side by side in one image, a pixel of border between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mosaic", "best_columns"]


@dataclass(frozen=True)
class Mosaic:
    """Layout of ``[group, frame, x, y]`` as one image; every group starts a new row.

    Attributes
    ----------
    groups, frames : int
        Number of groups, and of frames in each.
    height, width : int
        Size of a frame in pixels.
    columns : int
        Frames in a row.
    """

    groups: int
    frames: int
    height: int
    width: int
    columns: int

    @property
    def rows(self) -> int:
        """Rows of frames in each group."""
        return -(-self.frames // self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Size of the whole image in pixels."""
        rows = self.groups * self.rows
        return rows * (self.height + 1) - 1, self.columns * (self.width + 1) - 1

    def corner(self, group: int, frame: int) -> tuple[int, int]:
        """First pixel of a frame."""
        row, column = divmod(frame, self.columns)
        return (group * self.rows + row) * (self.height + 1), column * (self.width + 1)

    def paint(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Lay the frames out; the border and places without a frame are NaN.

        Examples
        --------
        >>> Mosaic(1, 2, 1, 2, columns=2).paint(np.arange(4.0).reshape(1, 2, 1, 2))
        array([[ 0.,  1., nan,  2.,  3.]])
        """
        image = np.full(self.shape, np.nan, dtype=frames.dtype)
        for group in range(self.groups):
            for frame in range(self.frames):
                x, y = self.corner(group, frame)
                image[x : x + self.height, y : y + self.width] = frames[group, frame]
        return image

    def column_centres(self) -> list[float]:
        """Middle of each column of frames, in pixels."""
        return [k * (self.width + 1) + (self.width - 1) / 2 for k in range(self.columns)]

    def row_centres(self) -> list[float]:
        """Middle of each row of frames, over all groups, in pixels."""
        return [k * (self.height + 1) + (self.height - 1) / 2 for k in range(self.groups * self.rows)]


def best_columns(groups: int, frames: int, height: int, width: int, aspect: float) -> int:
    """Number of columns with which frames are largest in a space of width over height `aspect`.

    Examples
    --------
    >>> best_columns(1, 12, 10, 10, aspect=4 / 3), best_columns(1, 12, 10, 10, aspect=20.0)
    (4, 12)
    """

    def scale(columns: int) -> float:
        rows = groups * -(-frames // columns)
        return min(aspect / (columns * (width + 1)), 1.0 / (rows * (height + 1)))

    best = max(scale(columns) for columns in range(1, frames + 1))
    good = [columns for columns in range(1, frames + 1) if scale(columns) > 0.85 * best]
    return min(good, key=lambda columns: (-frames % columns, -scale(columns)))  # no gaps for a little size
