"""One update of a fit: what a chunk is scored by, and one step of an optimiser on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import ConvisError, FitError
from convis_core.loops.losses import Loss
from convis_core.loops.pairs import matched
from convis_core.loops.protocol import FittableModel
from convis_core.output import Output
from convis_core.tensors import TIME

__all__ = ["Objective", "update"]


@dataclass
class Objective:
    """How one chunk is scored: which response, which loss, from which frame on."""

    loss_fn: Loss
    output: int | str | None
    t_skip: int

    def respond(self, model: FittableModel, frames: Tensor) -> Tensor:
        """Run the model and pick the response to be fitted."""
        output: Output = model.as_output(model(frames))
        if self.output is None and len(output) > 1:
            raise FitError(
                f"{type(model).__name__} has {len(output)} responses: {', '.join(output.names)}.",
                f"Choose the one to fit with output={output.names[0]!r}.",
            )
        return output[0 if self.output is None else self.output]

    def score(self, response: Tensor, target: Tensor, start: int) -> Tensor:
        """Loss of one chunk, without the first `t_skip` frames of the data."""
        skip = min(max(self.t_skip - start, 0), response.shape[TIME])
        return self.loss_fn(response[:, :, skip:], target[:, :, skip:])


def update(
    model: FittableModel, optimizer: Optimizer, objective: Objective, start: int, frames: Tensor, wanted: Tensor
) -> tuple[float, Tensor]:
    """Make one step of the optimiser and leave the state at the end of the chunk, detached."""
    before, dice = model.get_state(), torch.get_rng_state()
    evaluations: list[tuple[float, Tensor]] = []

    def respond() -> Tensor:
        model.set_state(before)
        torch.set_rng_state(dice)
        return objective.respond(model, frames)

    def closure() -> Tensor:
        optimizer.zero_grad()
        response = respond()
        loss = objective.score(response, matched(response, wanted), start)
        evaluations.append((float(loss.detach()), response.detach() if not evaluations else evaluations[0][1]))
        _check_finite(loss)
        if not loss.requires_grad:
            raise FitError(
                "The loss has no gradient in any parameter that is to be fitted.",
                f"Fit what comes before the spikes of a {type(model).__name__}, or unfreeze a parameter that counts.",
            )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with _undone_on_error(model, type(optimizer).__name__, start):
        with torch.enable_grad():
            optimizer.step(closure)  # type: ignore[arg-type]  # a tensor is what torch's own documentation returns
        for parameter in model.parameters():
            _check_finite(parameter)
        with torch.no_grad():
            for tensor, lo, hi in model.bounded_parameters():
                tensor.clamp_(lo, hi)
            if len(evaluations) > 1:  # the last evaluation of a line search is not at the weights it chose
                respond()
    model.detach_state()
    return evaluations[0]


@contextmanager
def _undone_on_error(model: FittableModel, optimizer: str, start: int) -> Iterator[None]:
    """Put the parameters back if a step fails or is interrupted, and say which step it was."""
    undo = [(p, p.detach().clone()) for p in model.parameters()]
    try:
        yield
    except BaseException as error:
        with torch.no_grad():
            for parameter, value in undo:
                parameter.copy_(value)
        if isinstance(error, ConvisError) or not isinstance(error, Exception):
            raise
        raise FitError(
            f"{optimizer} could not fit {type(model).__name__} to the chunk from frame {start} on: "
            f"{type(error).__name__}: {error}",
            "The parameters are those from before this update.",
        ) from error


def _check_finite(values: Tensor) -> None:
    if not bool(torch.isfinite(values.detach()).all()):
        raise FitError(
            "The fit diverged: the loss or a parameter is no longer finite. "
            "The parameters are those from before this update.",
            "Try a smaller learning rate, or scale the input and the target to order 1.",
        )
