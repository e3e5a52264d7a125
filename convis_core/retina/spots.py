"""Where cells of an array are in an image, and the spots that they stand for in it."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme

__all__ = ["cells_per_pixel", "one_per_pixel", "spots_of_cells"]

Positions = NDArray[np.float64]
NEARLY = 1e-9  # of a pixel, for sizes in deg that were meant to be whole ones


def one_per_pixel(size: tuple[int, int], here: Resolution) -> Positions:
    """Positions of a cell at each pixel, row by row, in deg from the centre to the right and down."""
    x, y = np.meshgrid(*(np.arange(n) - n / 2 for n in size), indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1) / here.pixel_per_degree


def spots_of_cells(
    places: Positions, size: tuple[int, int], width: float, spot: str, scheme: LogPolarScheme | None, here: Resolution
) -> Tensor:
    """Weights ``[pixel, cell]`` of the spots, each of sum 1 in the image, around the nearest pixel of each cell."""
    centre = [
        np.floor(n / 2 + here.pixel_per_degree * places[:, axis] + 0.5) for n, axis in zip(size, (1, 0), strict=True)
    ]
    density = np.array([1.0 if scheme is None else scheme.at(math.hypot(*place)) for place in places])
    radius = width / density if spot == "disc" else np.full(len(places), width / 2)
    farthest = max(np.abs(c - edge).max(initial=0.0) for c, n in zip(centre, size, strict=True) for edge in (0, n - 1))
    limit = math.ceil(min(radius.max(initial=0.0), farthest))  # no pixel of the image is further from a cell
    reach = np.arange(-limit, limit + 1)
    x, y = np.meshgrid(reach, reach, indexing="ij")
    if spot == "disc":
        inside = np.hypot(x, y) < radius[:, None, None] - NEARLY
    else:  # of even width one pixel more before than after
        inside = (np.minimum(x, y) >= -width / 2 - NEARLY) & (np.maximum(x, y) < width / 2 - NEARLY)
        inside = np.broadcast_to(inside, (len(places), *x.shape))
    cell, i, j = np.nonzero(inside | ((x == 0) & (y == 0)))
    rows, columns = (c[cell].astype(np.int64) + reach[k] for c, k in zip(centre, (i, j), strict=True))
    seen = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    pixel, cell = (rows * size[1] + columns)[seen], cell[seen]
    weight = 1.0 / np.bincount(cell, minlength=len(places))[cell]
    shape = size[0] * size[1], len(places)
    where = torch.from_numpy(np.stack([pixel, cell]))
    return torch.sparse_coo_tensor(where, torch.from_numpy(weight), shape, check_invariants=True)


def cells_per_pixel(density: float, scheme: LogPolarScheme | None, size: tuple[int, int], here: Resolution) -> Tensor:
    """Theoretical number of cells in each pixel, ``[pixel, 1]``; a density is in cells per deg."""
    local = torch.ones(size, dtype=torch.float64) if scheme is None else scheme.density(size, here, torch.float64)
    return ((density * local / here.pixel_per_degree) ** 2).reshape(-1, 1)
