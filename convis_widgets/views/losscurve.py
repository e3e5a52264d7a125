"""The loss of a fit, update by update."""

from __future__ import annotations

import bqplot
import numpy as np

from convis_core import FitStep
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.curves import CurveView

__all__ = ["LossCurve"]

MOST_POINTS = 2000
"""Points drawn; of more updates only every second, third, ... is."""


class LossCurve(CurveView):
    """Loss of every update on a logarithmic scale, with a mark where the optimiser changed.

    It is that of one chunk, on the average where an update was made from several, so that optimisers can be compared.

    Parameters
    ----------
    hub, cursor
        See `convis_widgets.views.curves.CurveView`.
    """

    def __init__(self, hub: Hub | None = None, cursor: Cursor | None = None) -> None:
        super().__init__(
            "Loss", "update", "loss of a chunk", hub, cursor, y_scale=bqplot.LogScale(min=0.1, max=1.0), x_ticks=6
        )
        self._line, self._change = self.line("accent"), self.upright("muted", dashed=True)
        self.losses: list[float] = []
        self._optimizer = ""

    def on_step(self, step: FitStep) -> None:
        """Add the loss of one update."""
        self.losses.append(step.loss / step.n_chunks)
        if self._optimizer and self._optimizer != step.optimizer:
            self.mark(self._change, len(self.losses) - 1.0)
        self._optimizer = step.optimizer
        self._draw()

    def clear(self) -> None:
        """Forget all updates."""
        self.losses.clear()
        self._draw()

    def _draw(self) -> None:
        every = max(1, -(-len(self.losses) // MOST_POINTS))
        shown = np.array(self.losses[::-1][::every][::-1])  # the newest is always among them
        update = np.arange(len(self.losses))[::-1][::every][::-1].astype(np.float64)
        positive = shown > 0  # a logarithmic scale has no place for the others
        self.draw(self._line, update[positive], shown[positive])
        self.frame()
        if self.losses:
            self.show_info(f"{self._optimizer}, {len(self.losses)} updates, now {self.losses[-1]:.4g}")
