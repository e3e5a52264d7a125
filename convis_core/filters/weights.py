"""The weight of a filter: its size, its start, and what a user may set it to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.tensors import describe_shape, lift

__all__ = ["initial_weight", "kernel_shape", "shaped_weight"]


def kernel_shape(kernel_dim: Sequence[int], in_channels: int, out_channels: int) -> tuple[int, int, int, int, int]:
    """Complete a kernel size of 3 (lag, x, y) or 5 numbers to all five axes."""
    given = kernel_dim if isinstance(kernel_dim, Iterable) else (kernel_dim,)
    dims = tuple(n.item() if isinstance(n, np.generic) else n for n in given)
    if len(dims) == 3:
        dims = (out_channels, in_channels, *dims)
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in dims)
    if len(dims) != 5 or not whole:
        raise ShapeError(
            f"kernel_dim must be (lag, x, y) or (out_channel, in_channel, lag, x, y) in whole numbers above 0, "
            f"got {dims}.",
            "For example kernel_dim=(10, 5, 5).",
        )
    return dims[0], dims[1], dims[2], dims[3], dims[4]


def initial_weight(shape: Sequence[int]) -> Tensor:
    """Small random weights, uniform within one over the root of the inputs a response has."""
    bound = 1.0 / math.sqrt(math.prod(shape[1:]))
    return torch.empty(*shape).uniform_(-bound, bound)


def shaped_weight(weight: Any, like: Tensor, *, normalize: bool, reverse: Sequence[int]) -> Tensor:
    """Lift a weight to five axes, optionally to unit sum and reversed along some of them."""
    lifted = lift(weight, dtype=like.dtype, device=like.device).detach()
    if not bool(torch.isfinite(lifted).all()) or lifted.numel() == 0:
        raise ParameterError(f"A weight must be finite and not empty, got one of {describe_shape(lifted.shape)}.")
    if normalize:
        total = lifted.sum()
        if float(total.abs()) < 1e-12 * float(lifted.abs().sum()) or float(total) == 0.0:
            raise ParameterError(
                "A weight that sums to zero cannot be normalised to unit sum.", "Pass normalize=False, or scale it."
            )
        lifted = lifted / total
    return lifted.flip(*reverse).clone() if reverse else lifted.clone()
