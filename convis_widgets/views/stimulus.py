"""What the model sees at the moment, and what it saw at a time in the past."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

import numpy as np
from numpy.typing import NDArray

from convis_core import Chunk
from convis_core.tensors import to_numpy
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.frames import FrameView

__all__ = ["StimulusView"]

INTERVAL = 0.02
"""Seconds from one kept frame to the next: films have fewer frames than that."""
KEPT_BYTES = 64_000_000
"""Memory for frames of the past: 80 s of 60 by 60 pixels."""

Frame = NDArray[np.floating]


class StimulusView(FrameView):
    """Show the newest frame of a run, or the one seen at ``cursor.time``; clicking a pixel selects it in all views.

    Parameters
    ----------
    hub, cursor, **kwargs
        See `convis_widgets.views.frames.FrameView`.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> view = StimulusView()
    >>> for chunk in convis.models.L().stream(np.random.rand(100, 8, 9), dt=50):
    ...     view.on_chunk(chunk)
    >>> view.snapshot().arrays["frame"].shape
    (8, 9)
    >>> view.cursor.time = 0.03
    >>> view.snapshot().fields["past"]
    True
    >>> view.close()
    """

    def __init__(self, hub: Hub | None = None, cursor: Cursor | None = None, **kwargs: object) -> None:
        super().__init__(hub, cursor, **kwargs)
        self._past: deque[tuple[float, Frame]] = deque()
        self._newest: tuple[float, Frame] | None = None
        self._end, self._lasts = 0.0, INTERVAL
        self.cursor.observe(lambda _: self._show_seen(), "time")

    def on_chunk(self, chunk: Chunk) -> None:
        """Show the last frame of a chunk, and keep some of them all."""
        step = chunk.output.resolution.step
        every = max(1, round(INTERVAL / step))
        frames = chunk.input[0, 0]
        with self._lock:
            for index in range(-chunk.start % every, len(frames), every):
                self._past.append(((chunk.start + index) * step, to_numpy(frames[index]).copy()))
            while len(self._past) > max(1, KEPT_BYTES // frames[0].nbytes):
                self._past.popleft()
            self._newest = ((chunk.stop - 1) * step, to_numpy(frames[-1]))
            self._end, self._lasts = chunk.stop * step, every * step
            self._show_seen()

    def clear(self) -> None:
        """Forget the past; a run begins anew."""
        with self._lock:
            self._past.clear()
            self._newest = None

    def seen_at(self, time: float | None) -> tuple[float, Frame] | None:
        """Frame that was seen at a time, with the time at which it came; None where nothing of it is kept."""
        with self._lock:
            if time is None or time >= self._end:
                return None
            index = bisect_right(self._past, time, key=lambda kept: kept[0]) - 1
            if index < 0 or time >= self._past[index][0] + self._lasts:  # in a gap that a jump in time has left
                return None
            return self._past[index]

    def _show_seen(self) -> None:
        with self._lock:
            seen = self.seen_at(self.cursor.time)
            shown = seen or self._newest
            if shown is not None:
                self.show(shown[1], time=shown[0], past=seen is not None)
