"""Responses over time: all cells together, and the selected one."""

from __future__ import annotations

import threading
from time import monotonic

from convis_core import Chunk, Layer
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.curves import NOWHERE, CurveView
from convis_widgets.views.rates import BinnedRates

__all__ = ["TimeCourse"]

BIN = 0.02
SMOOTHING = 0.05
"""Width of a bin and time constant of the exponential window over them, in s."""


INTERVAL = 0.1
"""Seconds from one drawing of the curves to the next: the page has other things to paint, too."""


class TimeCourse(CurveView):
    """Mean over all cells with a band from the 10th to the 90th percentile, and the cell at ``cursor.pixel``.

    Hovering sets ``cursor.time``; the plot zooms to ``cursor.brush``.

    Parameters
    ----------
    model : Layer
        Tells the names of the responses, and whether they are spikes.
    hub, cursor
        See `convis_widgets.views.curves.CurveView`.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> model = convis.models.CentreSurround()
    >>> view = TimeCourse(model)
    >>> for chunk in model.stream(np.random.rand(100, 8, 8), dt=50):
    ...     view.on_chunk(chunk)
    >>> len(view.rates.bins)
    5
    >>> view.close()
    """

    def __init__(self, model: Layer, hub: Hub | None = None, cursor: Cursor | None = None) -> None:
        title = "Mean rate and selected cell" if model.spiking else "Mean and selected response"
        super().__init__(title, "time (s)", "rate (Hz)" if model.spiking else "response", hub, cursor)
        self._step = model.resolution.step
        steps = max(1, round(BIN / self._step))
        scale = model.resolution.steps_per_second if model.spiking else 1.0
        self.rates = BinnedRates(steps, scale, smoothing=SMOOTHING / BIN)
        colours = ("on", "off")[: len(model.output_names)]
        self._bands = [self.band(colour) for colour in colours]
        self._means = [self.line(colour, width=2.2) for colour in colours]
        self._cells = [self.line(colour, width=0.9, opacities=[0.75]) for colour in colours]
        self._playhead, self._hover = self.upright(), self.upright("muted", dashed=True)
        self.hub.follow_pointer(self, self.x, self.cursor, "time")
        self.hub.link(self.cursor, "time", self._hover, "x", repeat=2, otherwise=NOWHERE)
        self._lock = threading.Lock()
        self._reached, self._shown, self._drawn = 0, 0, float("-inf")
        self.window: tuple[float, float] | None = None
        self.cursor.observe(lambda _: self._draw_cell(), "pixel")
        self.cursor.observe(lambda _: self._draw(), "brush")

    def on_chunk(self, chunk: Chunk) -> None:
        """Add the responses of a chunk."""
        with self._lock:
            self.rates.add(chunk)
        self._reached = chunk.stop
        if monotonic() - self._drawn >= INTERVAL:
            self.catch_up()

    def catch_up(self) -> None:
        """Draw what came since the curves were last drawn; for the end of a run."""
        if self._reached != self._shown:
            self._shown, self._drawn = self._reached, monotonic()
            self.mark(self._playhead, self._reached * self._step)
            self._draw()

    def clear(self) -> None:
        """Forget the past."""
        with self._lock:
            self.rates.clear()
        self._reached = self._shown = 0
        self.mark(self._playhead, 0.0)
        self._draw()

    def show_window(self, window: tuple[float, float]) -> None:
        """Set the range of time to show, in s, while nothing is brushed."""
        if window != self.window:
            self.window = window
            self._draw()

    def _visible(self) -> slice:
        window = self.cursor.brush or self.window
        return slice(None) if window is None else self.rates.between(window[0], window[1], self._step)

    def _draw(self) -> None:
        with self._lock:
            bins = self._visible()
            time = self.rates.time(self._step, bins)
            summaries = [self.rates.population(k, bins) for k in range(len(self._means))]
        for line, band, summary in zip(self._means, self._bands, summaries, strict=True):
            self.draw(line, time, summary[0])
            self.draw(band, time, summary[1:])
        self._draw_cell()

    def _draw_cell(self) -> None:
        pixel = self.cursor.pixel
        with self._lock:
            bins = self._visible()
            time = self.rates.time(self._step, bins)
            cells = [self.rates.cell(k, pixel, bins) for k in range(len(self._cells))]
        for line, cell in zip(self._cells, cells, strict=True):
            self.draw(line, time, cell)
        self.frame(self.cursor.brush or self.window)
        self.show_info(f"thin: pixel ({pixel[0]}, {pixel[1]}); band: 10 to 90 % of all cells; smoothed over 50 ms")
