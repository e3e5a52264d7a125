"""Nonlinearities without memory."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.layer import Layer

__all__ = ["NLRectify"]


class NLRectify(Layer):
    r"""Half-wave rectification, :math:`y = \max(0, x)`.

    Examples
    --------
    >>> NLRectify().run([-1.0, 0.0, 2.0]).array().ravel()
    array([0., 0., 2.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)
