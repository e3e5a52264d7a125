"""Layers with noise that is the same however a run is cut, and reproducible by seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["StochasticLayer", "check_seed"]


def check_seed(seed: Any) -> int | None:
    """Return a seed as an int, or refuse what is neither that nor None."""
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise ParameterError(f"seed must be a whole number from 0 to 2**63 - 1 or None, got {seed!r}.")
    return int(seed)


class StochasticLayer(Layer, register=False):
    """A layer that draws random numbers, each belonging to one step of one run.

    Parameters
    ----------
    seed : int, optional
        With a seed every fresh start (`clear_state`) repeats the same noise; without one
        each has its own, drawn from torch's global generator.
    """

    stochastic: ClassVar[bool] = True
    differentiable: ClassVar[bool] = False

    clock = state_variable("steps since the fresh start")
    noise_seed = state_variable("names the noise of this run")

    def __init__(self, *, seed: int | None = None, resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(resolution=resolution, **values)
        self.seed = check_seed(seed)

    def draw(self, numbers: Callable[..., Tensor], like: Tensor) -> Tensor:
        """Draw numbers in the shape of a chunk and move the clock on by its length."""
        if self.noise_seed is None:
            self.clock = 0
            self.noise_seed = int(torch.randint(2**31, ())) if self.seed is None else self.seed
        start, n_steps = self.clock, like.shape[TIME]
        self.clock = start + n_steps
        shape = (*like.shape[:TIME], *like.shape[TIME + 1 :])
        return numbers(self.noise_seed, start, n_steps, shape, dtype=like.dtype, device=like.device)
