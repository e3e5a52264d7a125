"""The mosaic of ganglion cells over an image: the part of it that they see, and the number of each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.output import Events
from convis_core.retina.assembly import SPIKING, Parts
from convis_core.retina.cell_array import CellArray, margin
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.tensors import X, Y

__all__ = ["Mosaic"]


class Mosaic:
    """Cells of all layers of a retina.

    Where a layer has an array, the retina looks at a window in the middle of the image: as large as the
    largest array and what its outermost cells see. Elsewhere there is a cell at each pixel.
    """

    def __init__(self, config: RetinaConfiguration, parts: Parts, seed: int | None) -> None:
        self._parts = parts
        self._seed = int(torch.randint(2**31, ())) if seed is None else seed
        self._image: tuple[int, int] | None = None
        self._window = slice(None), slice(None)
        self.numbers: list[NDArray[np.int64]] = []
        self.n_numbers = 0
        self._arrays: list[CellArray | None] = []
        for group, (_, neurons) in zip(config.get("ganglion-layers"), parts.layers, strict=True):
            channel = next((group[name] for name in SPIKING if name in group), None)
            self._arrays.append(None if neurons is None or channel is None else CellArray.of(channel))

    def look(self, x: Tensor) -> Tensor:
        """Cut the window out of frames, and put the cells where they are in it."""
        image = x.shape[X], x.shape[Y]
        if image != self._image:
            self._place(image)
            self._image = image
        return x[..., self._window[0], self._window[1]]

    def unit_events(self, layer: int, events: Events) -> Events:
        """Number the cells of events through all layers, or as they were numbered one by one.

        The cells of a further batch or channel follow those of the ones before.
        """
        cell, time = events
        plane, cell = np.divmod(cell, max(len(self.numbers[layer]), 1))
        return self.numbers[layer][cell] + plane * self.n_numbers, time

    def _place(self, image: tuple[int, int]) -> None:
        parts, scales = self._parts, self._scales()
        pools = [cells.sigma_surround.item() for cells, _ in parts.layers]
        here = parts.opl.resolution.pixel_per_degree
        reach = margin(scales, pools, here)
        extents = [None if a is None else a.extent(image, reach, here) for a in self._arrays]
        self._window = _window(image, [e for e in extents if e is not None], reach)
        window = tuple(len(range(n)[part]) for n, part in zip(image, self._window, strict=True))
        self.numbers, first = [], 0
        for i, (array, extent, (_, neurons)) in enumerate(zip(self._arrays, extents, parts.layers, strict=True)):
            if array is None or extent is None or neurons is None:
                numbers = first + np.arange(0 if neurons is None else window[0] * window[1])
            else:
                neurons.positions = array.positions(extent, here, parts.opl.log_polar, self._seed + i)
                numbers = first + np.arange(len(neurons.positions))
                if array.units:
                    numbers = np.array([unit[2] for unit in array.units], dtype=np.int64)
            self.numbers.append(numbers)
            first = max(first, int(numbers.max(initial=first - 1)) + 1)
        self.n_numbers = first

    def _scales(self) -> list[float]:
        opl, bipolar = self._parts.opl, self._parts.bipolar
        names = ("sigma_center", "sigma_surround", "sigma_horizontal")
        scales = [getattr(opl, name).item() for name in names if hasattr(opl, name)]
        return scales if bipolar is None else [*scales, bipolar.adaptation_sigma.item()]


def _window(image: tuple[int, int], extents: Sequence[tuple[float, float]], reach: int) -> tuple[slice, slice]:
    """Central part of an image that is large enough for the largest array; the whole where there is none."""
    if not extents:
        return slice(None), slice(None)
    slices = []
    for n, along in zip(image, (1, 0), strict=True):
        size = min(n, math.ceil(max(extent[along] for extent in extents) - 1e-9) + reach - 1)
        start = (n - size) // 2
        slices.append(slice(start, start + size))
    return slices[0], slices[1]
