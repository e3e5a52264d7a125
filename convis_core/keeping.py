"""What a layer keeps: state and parameters, copied, put back, on stacks, under names and in files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import Self

from convis_core import state as state_registry
from convis_core import storage
from convis_core.errors import StateError, UnknownNameError

__all__ = ["Keeping"]


class Keeping(nn.Module):
    """A torch module whose state between chunks and whose parameters can be got and put back.

    The base of `convis_core.Layer`.
    """

    _placement: Tensor

    def __init__(self) -> None:
        super().__init__()
        # moved with the layer, so that one without parameters too knows where it lives
        self.register_buffer("_placement", torch.empty(0), persistent=False)
        self._state_geometry: tuple[int, ...] | None = None
        self._stacks: dict[str, list[Any]] = {"state": [], "parameters": [], "all": []}
        self._stored: dict[str, dict[str, Any]] = {}

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the layer, to which inputs are converted."""
        return self._placement.dtype

    @property
    def device(self) -> torch.device:
        """Device of the layer, to which inputs are moved."""
        return self._placement.device

    # State ----------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Copy what the layer remembers, by dotted name, detached."""
        return state_registry.get_state(self)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Install a state got with `get_state`, where and as precise as the layer is now."""
        state_registry.set_state(self, state)
        state_registry.map_state(self, lambda t: t.to(self.device, self.dtype if t.is_floating_point() else t.dtype))
        self._forget_geometry()

    def clear_state(self) -> None:
        """Forget everything, as before the first chunk."""
        state_registry.clear_state(self)
        self._forget_geometry()

    def start_trial(self, trial: int) -> None:
        """Forget everything, and let parts that were given recordings of several trials turn to that of one.

        Parameters
        ----------
        trial : int
            Its number, from 0. A fit to lists of trials does this at the start of each.
        """
        self.clear_state()
        for module in self.modules():
            if isinstance(module, Keeping):
                module.enter_trial(trial)

    def enter_trial(self, trial: int) -> None:
        """Turn to what is known of a trial, for layers that were given something; called on a fresh start."""

    def detach_state(self) -> None:
        """Cut the state off from the autograd graph, so that gradients stop here."""
        state_registry.map_state(self, Tensor.detach)

    def push_state(self) -> None:
        """Put a copy of the state on a stack."""
        self._stacks["state"].append(self.get_state())

    def pop_state(self) -> None:
        """Go back to the state pushed last."""
        self._pop("state", self.set_state)

    def _forget_geometry(self) -> None:
        for module in self.modules():
            if isinstance(module, Keeping):
                object.__setattr__(module, "_state_geometry", None)

    def _pop(self, what: str, install: Callable[[Any], None]) -> None:
        """Install what was pushed last; where that fails it stays on its stack."""
        stack = self._stacks[what]
        if not stack:
            raise StateError(f"Nothing was pushed with push_{what}().", f"Call push_{what}() first.")
        install(stack[-1])
        stack.pop()

    # Parameters in and out ------------------------------------------------------------------

    def get_parameters(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copy all parameters, by dotted name."""
        return storage.get_parameters(self)

    def set_parameters(self, values: Mapping[str, Any], *, strict: bool = True) -> None:
        """Set parameters by dotted name, all or none; unknown or missing names raise or, not strict, warn."""
        storage.set_parameters(self, values, strict=strict)

    def push_parameters(self) -> None:
        """Put a copy of the parameters on a stack."""
        self._stacks["parameters"].append(self.get_parameters())

    def pop_parameters(self) -> None:
        """Go back to the parameters pushed last."""
        self._pop("parameters", self.set_parameters)

    def save_parameters(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a compressed ``.npz`` file, atomically."""
        storage.save_parameters(self, path)

    def load_parameters(self, path: str | os.PathLike[str], *, strict: bool = True) -> None:
        """Set the parameters from a file written by `save_parameters`."""
        storage.load_parameters(self, path, strict=strict)

    def get_all(self) -> dict[str, Any]:
        """Copy parameters and state together."""
        return {"parameters": self.get_parameters(), "state": self.get_state()}

    def set_all(self, everything: Mapping[str, Any]) -> None:
        """Install what `get_all` returned."""
        if not (isinstance(everything, Mapping) and set(everything) == {"parameters", "state"}):
            raise StateError(
                f"Expected parameters and state together, got {everything!r:.80}.", "Give what get_all() returned."
            )
        self.set_parameters(everything["parameters"])
        self.set_state(everything["state"])

    def push_all(self) -> None:
        """Put parameters and state on a stack."""
        self._stacks["all"].append(self.get_all())

    def pop_all(self) -> None:
        """Go back to the parameters and state pushed last."""
        self._pop("all", self.set_all)

    def store_all(self, name: str = "default") -> None:
        """Keep parameters and state under a name."""
        self._stored[name] = self.get_all()

    def retrieve_all(self, name: str = "default") -> None:
        """Go back to the parameters and state kept under a name."""
        if name not in self._stored:
            raise UnknownNameError(
                f"Nothing was stored under {name!r}.", f"There is: {', '.join(self._stored) or 'nothing'}."
            )
        self.set_all(self._stored[name])

    # torch ----------------------------------------------------------------------------------

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        state_registry.map_state(self, fn, recurse=False)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but the optimiser and the autograd graph behind the state."""
        copied = {**self.__dict__, "optimizer": None}  # torch's LBFGS does not survive copying
        values = copied.get("_state_values", {})
        copied["_state_values"] = {n: v.detach() if isinstance(v, Tensor) else v for n, v in values.items()}
        return copied
