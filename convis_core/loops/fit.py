"""The fit loop: a model towards a target, chunk by chunk, as an iterator of `FitStep`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import FitError
from convis_core.loops.losses import Loss, sum_squared_error
from convis_core.loops.pairs import Pairs, matched
from convis_core.loops.protocol import FittableModel
from convis_core.loops.run import check_steps
from convis_core.loops.update import Objective, update
from convis_core.tensors import TIME

__all__ = ["FitStep", "fit", "loss_per_chunk"]


@dataclass(frozen=True)
class FitStep:
    """One update of the parameters.

    Attributes
    ----------
    step : int
        Number of updates done before, over all epochs.
    epoch : int
        Number of complete passes over the data done before.
    start, stop : int
        Frames the update was computed from.
    loss : float
        Loss of that chunk before the update.
    optimizer : str
        Name of the optimiser that made it.
    input, target : Tensor
        The chunk itself, ``[batch, channel, time, x, y]``.
    response : Tensor
        What the model had answered before the update.
    """

    step: int
    epoch: int
    start: int
    stop: int
    loss: float
    optimizer: str
    input: Tensor
    target: Tensor
    response: Tensor


def fit(
    model: FittableModel,
    source: Any,
    target: Any,
    *,
    dt: int | None = None,
    epochs: int = 1,
    optimizer: Optimizer | None = None,
    loss_fn: Loss = sum_squared_error,
    t_skip: int = 0,
    output: int | str | None = None,
) -> Iterator[FitStep]:
    """Fit a model to a target and yield every update as soon as it is made.

    The model starts each epoch without memory and carries its detached state from
    chunk to chunk (truncated back-propagation), so memory is bounded by one chunk.
    An optimiser that evaluates the loss several times a step sees the state put
    back each time: the same weights give the same loss to the last bit.
    Declared bounds are kept by projection after every update.

    Parameters
    ----------
    model : Layer
        Its parameters are changed in place, its state is left as it was.
    source, target : array, tensor or Stream
        Equally long in time.
    dt : int, optional
        Frames per update.
    epochs : int
        Passes over the data.
    optimizer : torch.optim.Optimizer, optional
        By default the one chosen with ``model.set_optimizer``, looked up at every
        step, so it may be changed while the fit goes on.
    loss_fn : callable
        ``loss_fn(response, target)`` to a scalar tensor.
    t_skip : int
        Frames at the start of the data that do not count.
    output : int or str, optional
        Which response is fitted, where the model has several.

    Yields
    ------
    FitStep

    Raises
    ------
    FitError
        If nothing can be fitted, or the loss stops being finite; the parameters are
        then those from before the failing update.
    """
    pairs = Pairs.of(source, target, dt)
    objective = Objective(loss_fn, output, t_skip and check_steps(t_skip, "t_skip"))
    epochs = check_steps(epochs, "epochs", "passes over the data")
    if not any(p.requires_grad for p in model.parameters()):
        raise FitError("The model has no parameter to fit.", "Unfreeze one with model.p.<name>.requires_grad_(True).")
    _chosen(model, optimizer)
    return _steps(model, pairs, objective, epochs, optimizer)


def _chosen(model: FittableModel, optimizer: Optimizer | None) -> Optimizer:
    found = optimizer or model.optimizer
    if found is None:
        raise FitError("No optimiser was chosen.", "Choose one first, e.g. model.set_optimizer.Adam(lr=0.01).")
    return found


def _steps(
    model: FittableModel, pairs: Pairs, objective: Objective, epochs: int, optimizer: Optimizer | None
) -> Iterator[FitStep]:
    kept = model.get_state()
    step = 0
    try:
        for epoch in range(epochs):
            model.clear_state()
            for start, frames, wanted in pairs.read(model.dtype, model.device):
                chosen = _chosen(model, optimizer)
                loss, response = update(model, chosen, objective, start, frames, wanted)
                stop = start + frames.shape[TIME]
                name = type(chosen).__name__
                yield FitStep(step, epoch, start, stop, loss, name, frames, wanted, response)
                step += 1
    finally:
        model.set_state(kept)


def loss_per_chunk(
    model: FittableModel,
    source: Any,
    target: Any,
    *,
    dt: int | None = None,
    loss_fn: Loss = sum_squared_error,
    t_skip: int = 0,
    output: int | str | None = None,
) -> np.ndarray[Any, Any]:
    """Loss of every chunk, changing neither the parameters nor the state of the model."""
    pairs = Pairs.of(source, target, dt)
    objective = Objective(loss_fn, output, t_skip and check_steps(t_skip, "t_skip"))
    kept = model.get_state()
    losses = []
    try:
        model.clear_state()
        with torch.no_grad():
            for start, frames, wanted in pairs.read(model.dtype, model.device):
                response = objective.respond(model, frames)
                losses.append(float(objective.score(response, matched(response, wanted), start)))
    finally:
        model.set_state(kept)
    return np.array(losses)
