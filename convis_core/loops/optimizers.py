"""`layer.set_optimizer.<TAB>`: every torch optimiser, and ours, made for the layer's own parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch.optim import Optimizer

from convis_core.errors import FitError, UnknownNameError
from convis_core.loops.bounded_lbfgs import BoundedLBFGS
from convis_core.loops.finite_differences import FiniteDifferences
from convis_core.loops.protocol import FittableModel

__all__ = ["OptimizerChooser", "left_out", "needs_gradient", "optimizer_names", "searches"]

OURS: Final[dict[str, type[Optimizer]]] = {kind.__name__: kind for kind in (BoundedLBFGS, FiniteDifferences)}


_FROZEN: Final = "_frozen_when_chosen"
"""What an optimiser remembers of the model it was chosen for."""


def optimizer_names() -> list[str]:
    """Names of all optimisers that torch offers, and of ours."""
    offered = (
        name
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, Optimizer) and kind is not Optimizer
    )
    return sorted([*offered, *OURS])


def searches(optimizer: Optimizer) -> bool:
    """Whether it learns the curvature of one loss, and is misled by that of another chunk."""
    return isinstance(optimizer, (torch.optim.LBFGS, BoundedLBFGS))


def needs_gradient(optimizer: Optimizer) -> bool:
    """Whether it asks for the gradient of the loss, or for the loss alone."""
    return not isinstance(optimizer, FiniteDifferences)


def left_out(optimizer: Optimizer, model: FittableModel) -> list[str]:
    """Parameters that were frozen when the optimiser was chosen for all others, and are so no more.

    Where the choice was made by hand, nobody can tell what was forgotten.
    """
    own = {id(p) for p in model.parameters()} - {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [name for name, p in vars(optimizer).get(_FROZEN, ()) if p.requires_grad and id(p) in own]


class OptimizerChooser:
    """Chooses the optimiser of a layer: ``layer.set_optimizer.Adam(lr=0.01)``."""

    def __init__(self, model: FittableModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Callable[..., Optimizer]:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in optimizer_names():
            raise UnknownNameError(
                f"There is no optimiser called {name}.", f"There are: {', '.join(optimizer_names())}."
            )
        kind = OURS.get(name) or getattr(torch.optim, name)

        def choose(parameters: Any = None, **options: Any) -> Optimizer:
            trainable = [p for p in self._model.parameters() if p.requires_grad]
            if not trainable:
                raise FitError(
                    "The model has no parameter to fit.", "Unfreeze one with model.p.<name>.requires_grad_(True)."
                )
            if name in OURS:
                options["bounds"] = self._model.bounded_parameters()
            try:
                optimizer: Optimizer = kind(trainable if parameters is None else parameters, **options)
            except FitError:  # ours say what is wrong themselves
                raise
            except (TypeError, ValueError, RuntimeError) as error:
                raise FitError(
                    f"{name} does not take these parameters or options: {error}",
                    f"Its options are in help({kind.__module__}.{name}); Adam takes parameters of any shape.",
                ) from error
            if parameters is None:  # else what is left out was left out on purpose
                vars(optimizer)[_FROZEN] = [(n, p) for n, p in self._model.named_parameters() if not p.requires_grad]
            self._model.optimizer = optimizer
            return optimizer

        choose.__name__ = name
        choose.__doc__ = kind.__doc__
        return choose

    def __dir__(self) -> list[str]:
        return optimizer_names()

    def __repr__(self) -> str:
        return f"Choose an optimiser, e.g. set_optimizer.Adam(lr=0.01), from: {', '.join(optimizer_names())}"
