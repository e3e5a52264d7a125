"""Values of all parameters of a model, copied and put back."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from convis_core.loops.protocol import FittableModel

__all__ = ["Values", "copy_values", "put_values"]

Values = tuple[Tensor, ...]
"""One tensor for each parameter of a model, in their order, which nobody changes."""


def copy_values(model: FittableModel) -> Values:
    """Copy the parameters as they are now."""
    return tuple(parameter.detach().clone() for parameter in model.parameters())


def put_values(model: FittableModel, values: Iterable[Tensor]) -> None:
    """Give the parameters these values, in place, so that an optimiser of theirs remains valid."""
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(value)
