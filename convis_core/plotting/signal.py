"""What is plotted: five axes of numbers, and where they are known, their units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from convis_core.errors import ShapeError
from convis_core.output import Output
from convis_core.parameter_tree import Handle
from convis_core.resolution import Resolution
from convis_core.tensors import AXES, TIME, describe_shape, lift

__all__ = ["Signal", "as_signal", "evenly_chosen"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Signal:
    """An array ``[batch, channel, time, x, y]`` with its sampling.

    Attributes
    ----------
    values : array
        The numbers.
    resolution : Resolution or None
        Their sampling, where it is known.
    start : float
        Index of the first frame.
    """

    values: Array
    resolution: Resolution | None = None
    start: float = 0

    @property
    def n_frames(self) -> int:
        return int(self.values.shape[TIME])

    @property
    def n_cells(self) -> int:
        """Number of time courses: one for each batch, channel and pixel."""
        return self.values.size // self.n_frames

    @property
    def time(self) -> Array:
        """Time of each frame in s, or its index where the resolution is unknown."""
        frames = self.start + np.arange(self.n_frames)
        return frames if self.resolution is None else frames * self.resolution.step

    @property
    def is_spikes(self) -> bool:
        """Whether the values look like spike counts: whole, not negative, and not all zero."""
        v = self.values
        return bool(v.min() >= 0 and v.max() > 0 and (v == np.rint(v)).all())

    def binned(self, width: int) -> Signal:
        """Average over `width` frames at a time; the last bin may be of fewer."""
        edges = np.arange(0, self.n_frames, width)
        frames = np.diff(np.append(edges, self.n_frames))
        sums = np.add.reduceat(self.values, edges, axis=TIME, dtype=np.float64)
        r = self.resolution
        coarse = None if r is None else Resolution(r.pixel_per_degree, r.steps_per_second / width)
        return Signal(sums / frames[:, None, None], coarse, self.start / width)

    def courses(self) -> Array:
        """All time courses, ``[time, cell]``."""
        return np.moveaxis(self.values, TIME, 0).reshape(self.n_frames, -1)

    def cell_places(self, cells: Array) -> tuple[list[str], list[tuple[int, ...]]]:
        """Say where some `cells` are: the names of the axes that have several places, and a place each."""
        shape = [n for axis, n in enumerate(self.values.shape) if axis != TIME]
        names = [name for axis, name in enumerate(AXES) if axis != TIME]
        many = [k for k, n in enumerate(shape) if n > 1]
        places = np.stack(np.unravel_index(cells, shape))[many].T
        return [names[k] for k in many], [tuple(place) for place in places.tolist()]


def as_signal(x: Any, resolution: Resolution | None = None) -> Signal:
    """Take an array, tensor, parameter or an `Output` with one response, with the units it brings.

    Raises
    ------
    ShapeError
        If it cannot be lifted to five axes, holds no numbers, or has several responses.
    """
    start = 0
    if isinstance(x, Output):
        if len(x) != 1:
            raise ShapeError(
                f"Expected one response, got an Output with {len(x)}: {', '.join(x.names)}.",
                "Choose one, e.g. output[0], or use output.plot().",
            )
        x, resolution, start = x[0], resolution or x.resolution, x.start
    elif isinstance(x, Handle):
        x, resolution = x.tensor, resolution or getattr(x.owner, "resolution", None)
    elif isinstance(x, Signal):
        return x
    tensor = lift(x).detach().cpu()
    if tensor.numel() == 0:
        raise ShapeError(f"There is nothing to plot in an array of shape {describe_shape(tensor.shape)}.")
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    return Signal(tensor.numpy(), resolution, start)


def evenly_chosen(n: int, most: int) -> NDArray[np.intp]:
    """Choose at most `most` of `n` indices, evenly spread and in order."""
    if n <= most:
        return np.arange(n)
    return np.rint(np.linspace(0, n - 1, max(most, 1))).astype(np.intp)
