"""Spikes of several populations over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from convis_core.errors import ShapeError
from convis_widgets.live.front_end import front_end
from convis_widgets.live.widget import LiveWidget
from convis_widgets.live.wire import Part

__all__ = ["SpikeRaster"]


class SpikeRaster(LiveWidget):
    """Show spikes as they come; dragging sets ``cursor.brush``, hovering ``cursor.time``.

    Wire: appended arrays ``{time: float32 s, cell: uint32, population: uint8}``; fields ``{now: s, window: [t0, t1] s,
    reset: bool, dropped: int}``.

    Parameters
    ----------
    hub, cursor, title
        See :class:`~convis_widgets.live.widget.LiveWidget`.
    populations : list of str
        Names, stacked from top to bottom; the first two are drawn in the ON and OFF colours.
    n_cells : list of int
        Cells in each population.
    cell_shape : (int, int)
        Rows and columns of a population, to name the pixel of a cell; ``(0, 0)`` when cells have no place.
    max_spikes : int
        Spikes kept here and in the page; older ones are dropped, and shown as dropped.

    Examples
    --------
    >>> view = SpikeRaster(populations=["ON", "OFF"], n_cells=[100, 100])
    >>> view.append(time=[0.010, 0.012], cell=[3, 40], population=[0, 1], now=0.05)
    >>> view.snapshot().n_events
    2
    >>> view.close()
    """

    _esm = front_end("raster.js")
    title = traitlets.Unicode("Spikes").tag(sync=True)
    populations = traitlets.List(traitlets.Unicode(), default_value=["ON", "OFF"]).tag(sync=True)
    n_cells = traitlets.List(traitlets.Int(min=0), default_value=[1, 1]).tag(sync=True)
    cell_shape = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)
    max_spikes = traitlets.Int(2_000_000, min=1).tag(sync=True)

    def append(
        self,
        time: ArrayLike,
        cell: ArrayLike,
        population: ArrayLike,
        *,
        now: float | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Add spikes, from any thread.

        Parameters
        ----------
        time : array_like
            Times of the spikes, in s.
        cell, population : array_like
            Index of each spike's cell within its population, and of its population. ``population`` may be one number.
        now : float, optional
            Time reached by the run, in s: where the playhead stands.
        window : (float, float), optional
            Range of time to show, in s.

        Raises
        ------
        ShapeError
            The lists differ in length, or a population is not known.
        """
        times = np.asarray(time, dtype=np.float32)
        which = np.broadcast_to(np.asarray(population, dtype=np.uint8), times.shape)
        if which.size and which.max() >= len(self.populations):
            raise ShapeError(
                f"A spike names population {which.max()}, the raster has {len(self.populations)}.",
                "Give SpikeRaster(populations=[...], n_cells=[...]) one entry for each population.",
            )
        arrays: dict[str, ArrayLike] = {"time": times, "cell": np.asarray(cell, dtype=np.uint32), "population": which}
        self.post(self._window(now, window), arrays, append=("time", "cell", "population"))

    def move(self, *, now: float | None = None, window: tuple[float, float] | None = None) -> None:
        """Move the playhead or the shown range of time."""
        self.post(self._window(now, window))

    def clear(self, *, now: float = 0.0, window: tuple[float, float] | None = None) -> None:
        """Forget all spikes."""
        self.post({"reset": True, "dropped": 0, **self._window(now, window)})

    @staticmethod
    def _window(now: float | None, window: tuple[float, float] | None) -> dict[str, Any]:
        fields = {"now": now, "window": window}
        return {name: value for name, value in fields.items() if value is not None}

    def _remember(self, present: Part) -> Part:
        return present.newest(self.max_spikes)
