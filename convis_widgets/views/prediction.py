"""What a model answers against what was recorded, for the pixel that is selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core import FitStep, Layer
from convis_core.tensors import to_numpy
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.curves import CurveView

__all__ = ["Prediction"]


FRAMES_SHOWN = 150
"""Frames drawn of a chunk, its first: more could not be told apart."""


class Prediction(CurveView):
    """Response of the model and the target at ``cursor.pixel`` over the chunk of the last update.

    Parameters
    ----------
    model : Layer
        Tells the step of time.
    hub, cursor
        See `convis_widgets.views.curves.CurveView`.
    """

    def __init__(self, model: Layer, hub: Hub | None = None, cursor: Cursor | None = None) -> None:
        super().__init__("Prediction and data", "time (s)", "response", hub, cursor)
        self._step_s = model.resolution.step
        self._target, self._response = self.line("muted", width=1.0), self.line("on")
        self._last: FitStep | None = None
        self.cursor.observe(lambda _: self._draw(), "pixel")

    def on_step(self, step: FitStep) -> None:
        """Show the chunk of an update."""
        self._last = step
        self._draw()

    def _draw(self) -> None:
        step = self._last
        if step is None:
            return
        time = np.asarray(np.arange(step.start, step.stop) * self._step_s, dtype=np.float64)
        target = _at(to_numpy(step.target)[0, 0], self.cursor.pixel)
        response = _at(to_numpy(step.response)[0, 0], self.cursor.pixel)
        self.draw(self._target, time[:FRAMES_SHOWN], target[:FRAMES_SHOWN])
        self.draw(self._response, time[:FRAMES_SHOWN], response[:FRAMES_SHOWN])
        self.frame()
        moving = np.std(target) > 0 and np.std(response) > 0
        fit = f"correlation {np.corrcoef(target, response)[0, 1]:.3f} here; " if moving else ""
        self.show_info(f"{fit}grey: data; epoch {step.epoch + 1}")


def _at(series: NDArray[np.float32], pixel: tuple[int, int]) -> NDArray[np.float64]:
    """Time course of ``[time, x, y]`` at a pixel, or at the nearest one there is."""
    x, y = (min(max(index, 0), n - 1) for index, n in zip(pixel, series.shape[1:], strict=True))
    return series[:, x, y].astype(np.float64)
