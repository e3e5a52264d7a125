"""`layer.set_optimizer.<TAB>`: every torch optimiser, made for the layer's own parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

from convis_core.errors import FitError, UnknownNameError
from convis_core.loops.protocol import FittableModel

__all__ = ["OptimizerChooser", "optimizer_names"]


def optimizer_names() -> list[str]:
    """Names of all optimisers that torch offers."""
    return sorted(
        name
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, Optimizer) and kind is not Optimizer
    )


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
        kind = getattr(torch.optim, name)

        def choose(parameters: Any = None, **options: Any) -> Optimizer:
            trainable = [p for p in self._model.parameters() if p.requires_grad]
            if not trainable:
                raise FitError(
                    "The model has no parameter to fit.", "Unfreeze one with model.p.<name>.requires_grad_(True)."
                )
            try:
                optimizer: Optimizer = kind(trainable if parameters is None else parameters, **options)
            except (TypeError, ValueError, RuntimeError) as error:
                raise FitError(
                    f"{name} does not take these parameters or options: {error}",
                    f"Its options are in help(torch.optim.{name}); Adam takes parameters of any shape.",
                ) from error
            self._model.optimizer = optimizer
            return optimizer

        choose.__name__ = name
        choose.__doc__ = kind.__doc__
        return choose

    def __dir__(self) -> list[str]:
        return optimizer_names()

    def __repr__(self) -> str:
        return f"Choose an optimiser, e.g. set_optimizer.Adam(lr=0.01), from: {', '.join(optimizer_names())}"
