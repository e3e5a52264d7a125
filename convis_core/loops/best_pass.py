"""The best parameters that a fit has had, to fall back on when it diverges."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from convis_core.loops.protocol import FittableModel

__all__ = ["BestPass"]


class BestPass:
    """Keeps the parameters that the pass over the data with the smallest loss began with.

    Losses of single chunks cannot be compared with one another, those of passes can.

    Parameters
    ----------
    model : Layer
    """

    def __init__(self, model: FittableModel) -> None:
        self._model = model
        self._least = math.inf
        self._kept = self._now = self._copy()
        self._total = 0.0

    def begin(self) -> None:
        """A pass begins."""
        self._now, self._total = self._copy(), 0.0

    def add(self, loss: float) -> None:
        """A part of the pass had this loss."""
        self._total += loss

    def end(self) -> None:
        """The pass is over."""
        if self._total < self._least:
            self._least, self._kept = self._total, self._now

    def put_back(self) -> None:
        """Give the model its best parameters."""
        with torch.no_grad():
            for parameter, value in zip(self._model.parameters(), self._kept, strict=True):
                parameter.copy_(value)

    def _copy(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self._model.parameters()]
