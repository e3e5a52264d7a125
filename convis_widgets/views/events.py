"""From spike counts in a chunk to the events that a raster shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core import Chunk
from convis_core.tensors import to_numpy
from convis_widgets.views.raster import SpikeRaster

__all__ = ["RasterFeed", "chosen_cells", "spike_events"]

CELLS_SHOWN = 100
"""Cells of a population that a raster shows at most; of more, an even grid is chosen."""


def chosen_cells(shape: tuple[int, int], most: int = CELLS_SHOWN) -> NDArray[np.intp]:
    """Flat indices of an even grid of at most `most` cells of an image.

    Examples
    --------
    >>> len(chosen_cells((50, 50))), len(chosen_cells((5, 4)))
    (100, 20)
    """
    rows, columns = shape
    if rows * columns <= most:
        return np.arange(rows * columns)
    across = min(columns, most, max(1, round((most * columns / rows) ** 0.5)))
    down = min(rows, max(1, most // across))
    x = ((np.arange(down) + 0.5) * rows / down).astype(int)
    y = ((np.arange(across) + 0.5) * columns / across).astype(int)
    return (x[:, None] * columns + y[None, :]).ravel()


def spike_events(counts: NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frame and cell of every spike in counts ``[time, cell]``; several in one step come several times.

    Examples
    --------
    >>> spike_events(np.array([[0.0, 2.0], [1.0, 0.0]]))
    (array([0, 0, 1]), array([1, 1, 0]))
    """
    where = np.flatnonzero(counts)
    where = np.repeat(where, counts.ravel()[where].astype(int))
    return where // counts.shape[1], where % counts.shape[1]


class RasterFeed:
    """Gives a raster the spikes of every chunk.

    Parameters
    ----------
    raster : SpikeRaster
        Has one population for each response of the model.
    """

    def __init__(self, raster: SpikeRaster) -> None:
        self.raster = raster
        self._shape: tuple[int, int] = (0, 0)
        self._cells = np.zeros(0, dtype=np.intp)

    def choose(self, shape: tuple[int, int]) -> None:
        """Choose the cells to show of populations with so many rows and columns."""
        if shape != self._shape:
            self._shape, self._cells = shape, chosen_cells(shape)
            n, total = len(self._cells), shape[0] * shape[1]
            self.raster.n_cells = [n] * len(self.raster.populations)
            self.raster.title = "Spikes" if n == total else f"Spikes of {n} in {total} cells"

    def on_chunk(self, chunk: Chunk) -> None:
        """Append the spikes of a chunk."""
        self.choose((chunk.output[0].shape[3], chunk.output[0].shape[4]))
        step = chunk.output.resolution.step
        times, cells, populations = [], [], []
        for k, response in enumerate(chunk.output):
            counts = to_numpy(response[0, 0].flatten(1)[:, self._cells])
            frame, cell = spike_events(counts)
            times.append((chunk.start + frame) * step)
            cells.append(cell)
            populations.append(np.full(len(cell), k))
        self.raster.append(
            np.concatenate(times), np.concatenate(cells), np.concatenate(populations), now=chunk.stop * step
        )
