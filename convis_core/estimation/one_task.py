"""One of many fits, in a process of whoever's, with random numbers and threads of its own."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from convis_core.errors import FitError
from convis_core.layer import Layer
from convis_core.loops.fit import fit

__all__ = ["FitCopy", "FittedModel", "optimizer_like", "run_task"]

_ONE_AT_A_TIME: Final = threading.Lock()
"""Seeds and threads belong to a process, so that of a worker's threads only one may be at work."""


class FittedModel(NamedTuple):
    """A model after its fit, and the loss before every update."""

    model: Layer
    losses: list[float]


class FitCopy:
    """Fits a copy of a layer, with an optimiser of the kind and the options of the layer's own."""

    def __init__(self, model: Layer) -> None:
        if not isinstance(model, Layer):
            raise FitError(
                f"Copies of a model are fitted, got {model!r:.80}.", "Give a Layer, e.g. convis.models.LN(...)."
            )
        if model.optimizer is None:
            raise FitError("No optimiser was chosen.", "Choose one first, e.g. model.set_optimizer.Adam(lr=0.01).")
        self.model = model
        self.kind, self.options = optimizer_like(model.optimizer)

    def __call__(self, **arguments: Any) -> FittedModel:
        return self.fitted(arguments)

    def fitted(self, arguments: Mapping[str, Any], **changed: Any) -> FittedModel:
        """Fit a copy, some options of its optimiser changed."""
        model = copy.deepcopy(self.model)
        getattr(model.set_optimizer, self.kind)(**{**self.options, **changed})
        return FittedModel(model, [step.loss for step in fit(model, **arguments)])


def optimizer_like(optimizer: torch.optim.Optimizer) -> tuple[str, dict[str, Any]]:
    """Name and options that make such an optimiser for another model."""
    if len(optimizer.param_groups) > 1:
        raise FitError(
            "An optimiser with several groups of parameters cannot be made anew for a copy of the model.",
            "Give a function that makes and fits a model instead of the model.",
        )
    return type(optimizer).__name__, dict(optimizer.defaults)


def run_task(
    work: Callable[..., Any], shared: Mapping[str, Any], task: Mapping[str, Any], seed: tuple[int, int], threads: int
) -> Any:
    """Call a function with the arguments of a task; an exception is what it gives, not what it raises."""
    try:
        with _own_conditions(seed, threads):
            return work(**shared, **task)
    except Exception as error:
        return error


@contextmanager
def _own_conditions(seed: tuple[int, int], threads: int) -> Iterator[None]:
    with _ONE_AT_A_TIME:
        before = torch.get_rng_state(), np.random.get_state(), torch.get_num_threads()
        number = int(np.random.SeedSequence(seed).generate_state(1)[0])
        torch.manual_seed(number)
        np.random.seed(number)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_rng_state(before[0])
            np.random.set_state(before[1])
            torch.set_num_threads(before[2])
