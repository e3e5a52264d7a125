"""The step that a signal takes from one stage to the next in Virtual Retina."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.layer import Layer
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["StageDelay"]


class StageDelay(Layer, register=False):
    """Hands every frame on one step later."""

    last = state_variable("frame to hand on next", shape="[batch, channel, x, y]")

    def shift(self, x: Tensor, before: Tensor | float = 0.0) -> Tensor:
        """Return the frames one step later, the first after a fresh start being `before`, a number or a frame."""
        if x.shape[TIME] == 0:
            return x
        last = x.new_zeros(()) + before if self.last is None else self.last[:, :, None]
        delayed = torch.cat([last.expand_as(x[:, :, :1]), x[:, :, :-1]], dim=TIME)
        self.last = x[:, :, -1].clone()  # a view would keep the whole chunk
        return delayed
