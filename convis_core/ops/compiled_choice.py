"""When a compiled loop may take the place of the one in plain torch."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

__all__ = ["can_run_compiled"]


def can_run_compiled(*tensors: Tensor) -> bool:
    """Say whether the compiled loop can do what is asked: on the processor, without a gradient.

    Examples
    --------
    >>> can_run_compiled(torch.zeros(3, requires_grad=True))
    False
    """
    if any(tensor.device.type != "cpu" for tensor in tensors):
        return False
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return False
    return tensors[0].dtype in (torch.float32, torch.float64) and _numba_is_present()


@cache
def _numba_is_present() -> bool:
    return find_spec("numba") is not None
