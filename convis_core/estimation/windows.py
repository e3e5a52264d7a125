"""Rectangles of an image, in which a cell looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor

__all__ = ["Window", "window_around"]

MARGIN: Final = 1
SMALLEST: Final = 7
"""Pixels around those that are to be seen, and along a side at least."""


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels, ``[top, bottom)`` by ``[left, right)``."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Pixels along x and y."""
        return self.bottom - self.top, self.right - self.left

    def cut(self, frames: Tensor, size: tuple[int, int]) -> Tensor:
        """Frames ``[time, pixel]`` without the pixels outside."""
        if self.size == size:
            return frames
        pixels = frames.T.reshape(*size, -1)[self.top : self.bottom, self.left : self.right]
        return pixels.flatten(0, 1).T

    def grown(self, by: int, size: tuple[int, int]) -> Window:
        """Larger by some pixels on every side, as far as the image goes.

        >>> Window(top=3, bottom=10, left=0, right=4).grown(2, (11, 12))
        Window(top=1, bottom=11, left=0, right=6)
        """
        (x, y) = size
        return Window(max(0, self.top - by), min(x, self.bottom + by), max(0, self.left - by), min(y, self.right + by))

    def put_back(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps ``[part, pixel]`` as ``[part, x, y]`` of the whole image, 0 outside."""
        (x, y), whole = self.size, maps.new_zeros(len(maps), *size)
        whole[:, self.top : self.bottom, self.left : self.right] = maps.reshape(-1, x, y)
        return whole


def window_around(pixels: Tensor) -> Window:
    """Smallest rectangle around the true ones of some pixels ``[x, y]``, with a margin.

    Examples
    --------
    >>> import torch
    >>> pixels = torch.zeros(12, 12, dtype=torch.bool)
    >>> pixels[4:9, 0] = True
    >>> window_around(pixels)
    Window(top=3, bottom=10, left=0, right=4)
    """
    edges: list[int] = []
    for axis, n in enumerate(pixels.shape):
        used = pixels.any(dim=1 - axis).nonzero().flatten()
        low, high = int(used[0]) - MARGIN, int(used[-1]) + 1 + MARGIN
        missing = max(0, SMALLEST - (high - low))
        low, high = low - missing // 2, high + (missing + 1) // 2
        edges += [max(0, low), min(n, high)]
    return Window(*edges)
