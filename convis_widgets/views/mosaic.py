"""A space-time filter as one tile for each lag."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from convis_core import Chunk, Layer
from convis_core.errors import ShapeError
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.widget import LiveWidget
from convis_widgets.views.kernel import KernelData

__all__ = ["FilterMosaic"]


class FilterMosaic(LiveWidget):
    """Show a filter ``[lag, x, y]``; clicking a tile moves ``cursor.lag``, the clicked pixel ``cursor.pixel``.

    At ``cursor.time`` in a run, the tile is marked through which the present response sees that time.

    Wire: arrays ``{weights: float32 [lag, x, y]}``; fields ``{limit: float | None, ago: s | None}``.

    Parameters
    ----------
    hub, cursor, title
        See :class:`~convis_widgets.live.widget.LiveWidget`.
    dt : float
        Seconds from one lag to the next.
    pixel_per_degree : float
        Sampling of space.
    unit : str
        Unit of the weights; stands at the colour bar.

    Examples
    --------
    >>> view = FilterMosaic(dt=0.001, pixel_per_degree=20.0)
    >>> view.show(np.zeros((40, 21, 21)))
    >>> view.snapshot().arrays["weights"].dtype
    dtype('float32')
    >>> view.close()
    """

    _esm = front_end("mosaic.js")
    title = traitlets.Unicode("Filter").tag(sync=True)
    dt = traitlets.Float(0.001).tag(sync=True)
    pixel_per_degree = traitlets.Float(10.0, min=0.0).tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)

    def __init__(self, hub: Hub | None = None, cursor: Cursor | None = None, **kwargs: Any) -> None:
        super().__init__(hub, cursor, **kwargs)
        self._now: float | None = None
        self.cursor.observe(lambda _: self._mark_time(), "time")

    def on_chunk(self, chunk: Chunk) -> None:
        """Note how far the run has come: the lag of a time counts from there."""
        self._now = (chunk.stop - 1) * chunk.output.resolution.step
        if self.cursor.time is not None:
            self._mark_time()

    def clear(self) -> None:
        """Forget the run, not the filter."""
        self._now = None
        self._mark_time()

    def _mark_time(self) -> None:
        now, time = self._now, self.cursor.time
        self.post({"ago": None if now is None or time is None else now - time})

    def show(self, weights: ArrayLike | KernelData | Layer, limit: float | None = None) -> None:
        """Show a filter, from any thread.

        Parameters
        ----------
        weights : array_like or Layer
            ``[lag, x, y]``, or 5-D with one input and one output channel; or a model, for its filter.
        limit : float, optional
            Weight drawn in the strongest colour; by default the largest absolute weight.

        Raises
        ------
        ShapeError
            The filter has other axes.
        """
        if isinstance(weights, (KernelData, Layer)):
            data = KernelData.of(weights)
            self.dt, self.pixel_per_degree = data.step * data.thinning, data.pixel_per_degree
            weights = data.tiles
        array = np.asarray(weights, dtype=np.float32)
        if array.ndim == 5 and array.shape[:2] == (1, 1):
            array = array[0, 0]
        if array.ndim != 3:
            raise ShapeError(
                f"A filter is [lag, x, y] or [1, 1, lag, x, y], got {array.shape}.",
                "Choose one input and one output channel, for example weight[0, 0].",
            )
        self.post({"limit": limit}, {"weights": array})
