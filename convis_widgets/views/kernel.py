"""A model's filter as the views need it: an array, its lags in time, its pixels in degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from convis_core import Layer
from convis_core.tensors import to_numpy

__all__ = ["KernelData"]

MOST_TILES = 40
"""Lag frames a mosaic shows at most; longer filters are thinned to every second, third, ... lag."""


@dataclass(frozen=True)
class KernelData:
    """A linear filter, copied from a model at one moment.

    Attributes
    ----------
    weights : ndarray, shape [out_channel, lag, x, y]
        The filter for the first input channel.
    step : float
        Seconds from one lag to the next.
    pixel_per_degree : float
        Sampling of space.
    """

    weights: NDArray[np.float32]
    step: float
    pixel_per_degree: float

    @classmethod
    def of(cls, model: Layer | KernelData) -> KernelData:
        """Copy the filter of a model; to be called where the model may be touched. What is a copy already stays."""
        if isinstance(model, KernelData):
            return model
        with torch.no_grad():
            kernel = to_numpy(model.kernel())
        resolution = model.resolution
        return cls(kernel[:, 0].astype(np.float32), resolution.step, resolution.pixel_per_degree)

    @property
    def thinning(self) -> int:
        """Lags from one tile of the mosaic to the next."""
        return max(1, math.ceil(self.weights.shape[1] / MOST_TILES))

    @property
    def tiles(self) -> NDArray[np.float32]:
        """Lag frames of the first output channel for a mosaic, ``[tile, x, y]``."""
        return self.weights[0, :: self.thinning]

    @property
    def lag_ms(self) -> NDArray[np.float64]:
        """Time of every lag in ms."""
        return np.asarray(np.arange(self.weights.shape[1]) * self.step * 1e3, dtype=np.float64)

    @property
    def strongest_tile(self) -> int:
        """Tile of the mosaic with the largest weight."""
        return int(np.abs(self.tiles).max(axis=(1, 2)).argmax())

    def tile_ms(self, tile: int) -> float:
        """Time of a tile of the mosaic in ms."""
        return tile * self.thinning * self.step * 1e3

    def index_of(self, pixel: tuple[int, int], anchor: tuple[int, int]) -> tuple[int, int] | None:
        """Kernel pixel that lies on a frame pixel when the filter is centred on `anchor`; None outside."""
        rows, columns = self.weights.shape[2:]
        x = pixel[0] - anchor[0] + (rows - 1) // 2
        y = pixel[1] - anchor[1] + (columns - 1) // 2
        return (x, y) if 0 <= x < rows and 0 <= y < columns else None

    def at(self, place: tuple[int, int] | None, channel: int) -> NDArray[np.float64]:
        """Time course of the filter at a kernel pixel; zero outside the kernel."""
        return self.pick(self.weights, place, channel)

    @staticmethod
    def pick(weights: NDArray[np.float32], place: tuple[int, int] | None, channel: int) -> NDArray[np.float64]:
        """Time course of an array ``[out_channel, lag, x, y]`` at a pixel; zero outside."""
        if place is None:
            return np.zeros(weights.shape[1])
        return weights[channel, :, place[0], place[1]].astype(np.float64)
