"""What the loops ask of a model. `Layer` fulfils it; the loops do not know `Layer`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from convis_core.output import Output
from convis_core.resolution import Resolution

__all__ = ["FittableModel", "RunnableModel"]


class RunnableModel(Protocol):
    """A model that answers a chunk ``[batch, channel, time, x, y]`` and remembers what it must."""

    resolution: Resolution

    def __call__(self, x: Any) -> Any: ...
    def as_output(self, result: Any, start: int = 0) -> Output: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def device(self) -> torch.device: ...


class FittableModel(RunnableModel, Protocol):
    """A model whose parameters can be changed by an optimiser and whose state can be put back."""

    optimizer: torch.optim.Optimizer | None

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...
    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def bounded_parameters(self) -> list[tuple[Tensor, float, float]]: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
    def start_trial(self, trial: int) -> None: ...
    def detach_state(self) -> None: ...
