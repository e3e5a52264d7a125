"""Where in the image each of many cells looks, found for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Window", "windows_of"]

SMOOTH: Final = 1.5
"""Standard deviation in pixels of the smoothness that the first look expects of a map."""

NOISE: Final = 0.05
"""Variance of the average that counts as noise, as a share of that of the stimulus."""

FAINT: Final = 0.04
"""Share of the largest local energy of a map below which a pixel may be left out."""

MARGIN: Final = 1
SMALLEST: Final = 7


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
        images = frames.reshape(-1, *size)[:, self.top : self.bottom, self.left : self.right]
        return images.flatten(1).contiguous()

    def put_back(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Maps ``[part, pixel]`` as ``[part, x, y]`` of the whole image, 0 outside."""
        (x, y), whole = self.size, maps.new_zeros(len(maps), *size)
        whole[:, self.top : self.bottom, self.left : self.right] = maps.reshape(-1, x, y)
        return whole


def windows_of(stimulus: Tensor, counts: Tensor, size: tuple[int, int], n_lags: int) -> list[Window]:
    """Find the pixels that each cell may see, from spike-triggered averages freed from the stimulus' correlations.

    Parameters
    ----------
    stimulus : Tensor, shape [time, pixel]
        Of zero mean and unit variance.
    counts : Tensor, shape [time, cell]
    size : (int, int)
    n_lags : int

    Returns
    -------
    list of Window
        One a cell, together with a margin.

    Examples
    --------
    >>> movie = torch.randn(4000, 144, generator=torch.Generator().manual_seed(0)).double()
    >>> spikes = (movie[:, 3 * 12 + 8] > 1).double()[:, None]
    >>> seen = windows_of(movie, spikes, (12, 12), 2)[0]
    >>> seen.top <= 3 < seen.bottom, seen.left <= 8 < seen.right, seen.size < (12, 12)
    (True, True, True)
    """
    excess, length = counts - counts.mean(dim=0), len(stimulus)
    averages = torch.stack([excess[lag:].T @ stimulus[: length - lag] for lag in range(n_lags)], dim=1) / length
    time, _, _ = torch.linalg.svd(averages, full_matrices=False)
    maps = torch.einsum("cl,clp->cp", time[:, :, 0], averages)
    place = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float64) for n in size))
    prior = torch.exp(-0.5 * torch.cdist(place, place).square() / SMOOTH**2)
    seen = stimulus.T @ stimulus / length @ prior
    seen.diagonal().add_(NOISE)
    smooth = (prior @ torch.linalg.solve(seen, maps.T)).T
    energy = functional.avg_pool2d(smooth.square().reshape(-1, 1, *size), 3, stride=1, padding=1)[:, 0]
    return [_around(image > FAINT * image.max(), size) for image in energy]


def _around(pixels: Tensor, size: tuple[int, int]) -> Window:
    edges: list[int] = []
    for axis, n in enumerate(size):
        used = pixels.any(dim=1 - axis).nonzero().flatten()
        low, high = int(used[0]) - MARGIN, int(used[-1]) + 1 + MARGIN
        missing = max(0, SMALLEST - (high - low))
        low, high = low - missing // 2, high + (missing + 1) // 2
        edges += [max(0, low), min(n, high)]
    return Window(*edges)
