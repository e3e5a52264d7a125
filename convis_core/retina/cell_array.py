"""Where ganglion cells are, how large a map they need, and what they see of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.retina.log_polar import LogPolarScheme

__all__ = ["CellArray", "margin", "rings", "sample_map", "square"]

Positions = NDArray[np.float64]


@dataclass(frozen=True)
class CellArray:
    """Cells of one layer, in a square or a circular array or one by one.

    Parameters
    ----------
    kind : {"square", "circular"}
        How cells are arranged.
    density : float
        Cells per deg (of the fovea).
    size : tuple of float
        Width and height in deg, or the diameter twice; 0 for as large as the image allows.
    jitter : float
        Each cell is moved by up to so many distances between cells, in a random direction.
    units : tuple of (float, float, int)
        Positions from the centre in deg, to the right and down, and numbers, in place of those of the array.
    """

    kind: str = "square"
    density: float = 1.0
    size: tuple[float, float] = (0.0, 0.0)
    jitter: float = 0.0
    units: tuple[tuple[float, float, int], ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.density > 0:
            raise ParameterError(f"The density of cells must be above 0 per deg, got {self.density!r}.")
        number, cells = Counter(unit[2] for unit in self.units).most_common(1)[0] if self.units else (0, 0)
        if cells > 1:
            raise ParameterError(
                f"{cells} cells of all-units have the number {number}.", "Give each a mvaspike-id of its own."
            )

    @classmethod
    def of(cls, group: Mapping[str, Any]) -> CellArray | None:
        """Read a spiking channel of a configuration; None where it has no array.

        Raises
        ------
        ParameterError
            If cells are named one by one without an array, which says how large a map they need, or
            by the same number.
        """
        units = tuple(
            (unit["x-offset__deg"], unit["y-offset__deg"], int(unit.get("mvaspike-id", k)))
            for k, unit in enumerate(group.get("all-units", ()))
        )
        if (square := group.get("square-array")) is not None:
            size = square["size-x__deg"], square["size-y__deg"]
            return cls("square", square["uniform-density__inv-deg"], size, square["noise_pos"], units)
        if (circular := group.get("circular-array")) is not None:
            size = circular["diameter__deg"], circular["diameter__deg"]
            return cls("circular", circular["fovea-density__inv-deg"], size, circular["noise_pos"], units)
        if units:
            raise ParameterError(
                f"all-units places {len(units)} cells, and no array says how large a map they need.",
                "Add a square-array or a circular-array.",
            )
        return None

    def extent(self, image: tuple[int, int], reach: int, pixel_per_degree: float) -> tuple[float, float]:
        """Width and height of the array in pixels, at most what can be seen whole in an image ``(x, y)``."""
        most = [float(max(1, n - reach + 1)) for n in (image[1], image[0])]
        wide, high = (min(size * pixel_per_degree or limit, limit) for size, limit in zip(self.size, most, strict=True))
        return (min(wide, high),) * 2 if self.kind == "circular" else (wide, high)

    def positions(
        self, extent: tuple[float, float], pixel_per_degree: float, scheme: LogPolarScheme | None, seed: int
    ) -> Positions:
        """Positions of the cells in deg from the centre, to the right and down, ``[cell, 2]``."""
        if self.units:
            return np.array([unit[:2] for unit in self.units], dtype=np.float64).reshape(-1, 2)
        chance = np.random.default_rng(seed)
        wide, high = (pixels / pixel_per_degree for pixels in extent)
        places = (
            square(wide, high, self.density) if self.kind == "square" else rings(wide, self.density, scheme, chance)
        )
        away = self.jitter * chance.random(len(places)) / self.density
        direction = 2 * np.pi * chance.random(len(places))
        moved: Positions = places + away[:, None] * np.stack([np.cos(direction), np.sin(direction)], axis=1)
        return moved


def margin(scales: Sequence[float], pools: Sequence[float], pixel_per_degree: float) -> int:
    """Pixels that a cell sees across, from the scales of the stages in deg, and of the pools of all layers."""
    squares = max(pools, default=0.0) ** 2 + sum(scale**2 for scale in scales)
    return math.ceil(7.0 * pixel_per_degree * math.sqrt(squares))


def square(wide: float, high: float, density: float) -> Positions:
    """Regular grid, column by column.

    Examples
    --------
    >>> square(0.2, 0.1, 10.0)
    array([[-0.05,  0.  ],
           [ 0.05,  0.  ]])
    """
    along = []
    for size in (wide, high):
        n = math.floor(size * density + 1e-9)
        along.append((np.arange(1, n + 1) - (1 + n) / 2) / density)
    x, y = np.meshgrid(*along, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=1)


def rings(diameter: float, density: float, scheme: LogPolarScheme | None, chance: np.random.Generator) -> Positions:
    """Rings around one cell, as far from one another as the density there asks for, each turned by chance."""
    places = [np.zeros((1, 2))]
    n = 1
    while (radius := _radius(n / density, scheme)) <= diameter / 2 + 1e-9:
        local = 1.0 if scheme is None else scheme.at(radius)
        cells = math.floor(2 * math.pi * radius * density * local + 1e-9)
        angle = 2 * np.pi * (np.arange(cells) + chance.random()) / max(cells, 1)
        places.append(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))
        n += 1
    return np.concatenate(places)


def _radius(cells: float, scheme: LogPolarScheme | None) -> float:
    """Distance from the centre in deg within which there are so many rings, times the density."""
    if scheme is None or cells <= scheme.fovea_radius or scheme.scaling_factor == 0:
        return cells
    inside, factor = scheme.fovea_radius, scheme.scaling_factor
    return inside + (math.exp(factor * (cells - inside)) - 1.0) / factor


def sample_map(current: Tensor, positions: Positions, pixel_per_degree: float) -> Tensor:
    """Read a map ``[batch, channel, time, x, y]`` between its pixels: ``[batch, channel, time, cell, 1]``."""
    rows, columns = current.shape[3:]
    corners, weights = [], []
    for axis, n in ((1, rows), (0, columns)):
        at = np.clip(n / 2 + pixel_per_degree * positions[:, axis], 0, n - 1)
        low = np.minimum(np.floor(at).astype(np.int64), max(n - 2, 0))
        corners.append((low, np.minimum(low + 1, n - 1)))
        weights.append((1 - (at - low), at - low))
    total = current.new_zeros(())
    for i in range(2):
        for j in range(2):
            index = torch.as_tensor(corners[0][i] * columns + corners[1][j], device=current.device)
            weight = torch.as_tensor(weights[0][i] * weights[1][j], dtype=current.dtype, device=current.device)
            total = total + weight * current.flatten(3)[..., index]
    return total[..., None]
