"""One update of a fit: what a chunk is scored by, and one step of an optimiser on one or on many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import ConvisError, FitError, ParameterError
from convis_core.loops.course import Place
from convis_core.loops.dice import get_dice, set_dice
from convis_core.loops.divergence import check_values
from convis_core.loops.losses import Loss, PointwiseLoss, weighted
from convis_core.loops.pairs import Piece, matched
from convis_core.loops.protocol import FittableModel
from convis_core.loops.values import copy_values, put_values
from convis_core.output import Output
from convis_core.tensors import TIME

__all__ = ["Objective", "chosen_response", "update"]


@dataclass
class Objective:
    """How one chunk is scored: which response, which loss, from which frame on, with which penalties."""

    loss_fn: Loss
    output: int | str | None
    t_skip: int
    penalties: Sequence[Callable[[Any], Tensor]] = ()
    clip: float | None = None

    def respond(self, model: FittableModel, frames: Tensor) -> Tensor:
        """Run the model and pick the response to be fitted."""
        return chosen_response(model.as_output(model(frames)), self.output, type(model).__name__)

    def score(self, model: FittableModel, response: Tensor, piece: Piece) -> Tensor:
        """Loss of one chunk, without the first `t_skip` frames of the data."""
        skip = self._skipped(piece)
        target = matched(response, piece.wanted, model)
        importance = None if piece.importance is None else piece.importance[:, :, skip:]
        return weighted(self.loss_fn, response[:, :, skip:], target[:, :, skip:], importance)

    @torch.no_grad()
    def of_silence(self, model: FittableModel, response: Tensor, piece: Piece) -> float:
        """Loss that no response at all would have in a chunk."""
        return float(self.score(model, torch.zeros_like(response), piece))

    def shares(self, places: Iterable[Place]) -> list[float]:
        """Factor of the loss of each place where several are put together: 1, and for a mean their size, 1 on average.

        With it each point counts the same, however time is cut.
        """
        if not (isinstance(self.loss_fn, PointwiseLoss) and self.loss_fn.mean):
            return []
        sizes = [self._size(place.piece) for place in places]
        return [len(sizes) * size / sum(sizes) for size in sizes] if sum(sizes) > 0 else []

    def _skipped(self, piece: Piece) -> int:
        return min(max(self.t_skip - piece.start, 0), piece.frames.shape[TIME])

    def _size(self, piece: Piece) -> float:
        """Frames that count, each as much as its weights say."""
        skip = self._skipped(piece)
        if piece.importance is None:
            return float(piece.frames.shape[TIME] - skip)
        return float(piece.importance[:, :, skip:].double().sum()) / piece.importance[:, :, 0].numel()

    def penalty(self, model: FittableModel) -> Tensor | float:
        """All penalties of the model together."""
        return sum((penalise(model) for penalise in self.penalties), start=0.0)


def chosen_response(output: Output, which: int | str | None, model: str) -> Tensor:
    """The response that is asked for; of several, one has to be."""
    if which is None and len(output) > 1:
        raise FitError(
            f"{model} has {len(output)} responses: {', '.join(output.names)}.",
            f"Choose the one to fit with output={output.names[0]!r}.",
        )
    return output[0 if which is None else which]


def update(
    model: FittableModel,
    optimizer: Optimizer,
    objective: Objective,
    places: Callable[[], Iterator[Place]],
    state: dict[str, Any] | None,
    gradient: bool = True,
) -> tuple[float, int, Tensor]:
    """Make one step of the optimiser, on all places together, and leave the state at their end, detached.

    The model begins with the state given, whatever was done with it since, or without memory. What comes back is the
    loss before the step, the number of places, and the response to the first. The gradients of all places are added
    up one after the other, so memory is bounded by one of them. Without `gradient` the optimiser gets the loss alone.
    """
    dice = get_dice(model.device)
    fitted = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    shares = objective.shares(places())
    evaluations: list[tuple[float, int]] = []
    responses: list[Tensor] = []
    beginning = ""

    def respond() -> Iterator[tuple[Place, Tensor]]:
        nonlocal beginning
        set_dice(model.device, dice)
        for number, place in enumerate(places()):
            if number == 0 or place.piece.start == 0:
                model.start_trial(place.trial)
            if number == 0:
                beginning = f"frame {place.piece.start} on"
                if state is not None:
                    model.set_state(state)
            yield place, objective.respond(model, place.piece.frames)
            model.detach_state()

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = []
        for (place, response), share in zip(respond(), chain(shares, repeat(1.0)), strict=False):
            loss = objective.score(model, response, place.piece)
            if not isinstance(loss, Tensor) or loss.numel() != 1:
                got = (
                    f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
                )
                raise FitError(
                    f"A loss is one number, as a tensor that keeps its gradient; loss_fn gave {got}.",
                    "Sum over all points, e.g. loss_fn=lambda response, target: (response - target).square().sum().",
                )
            loss = share * loss
            if objective.penalties:
                loss = loss + place.share * objective.penalty(model)
            check_values(loss)
            if gradient and not loss.requires_grad:
                raise FitError(
                    "The loss has no gradient in any parameter that is to be fitted.",
                    f"Fit what comes before the spikes of a {type(model).__name__}, unfreeze a parameter that counts, "
                    "or use set_optimizer.FiniteDifferences().",
                )
            if gradient:
                loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            if not responses:
                responses.append(response.detach())
        if gradient and objective.clip is not None:
            torch.nn.utils.clip_grad_norm_(fitted, objective.clip)
        total = torch.stack(losses).sum()
        evaluations.append((float(total), len(losses)))
        return total

    with _undone_on_error(model, type(optimizer).__name__, lambda: beginning):
        with torch.set_grad_enabled(gradient):
            optimizer.step(closure)  # type: ignore[arg-type]  # a tensor is what torch's own documentation returns
        for parameter in model.parameters():
            check_values(parameter)
        with torch.no_grad():
            for tensor, lo, hi in model.bounded_parameters():
                tensor.clamp_(lo, hi)
            if len(evaluations) > 1:  # the last evaluation of a line search is not at the weights it chose
                for _ in respond():
                    pass
    return *evaluations[0], responses[0]


@contextmanager
def _undone_on_error(model: FittableModel, optimizer: str, beginning: Callable[[], str]) -> Iterator[None]:
    """Put the parameters back if a step fails or is interrupted, and say which step it was."""
    undo = copy_values(model)
    try:
        yield
    except BaseException as error:
        outside = _outside(model)
        put_values(model, undo)
        if outside and isinstance(error, ParameterError):
            raise FitError(
                f"{optimizer} left the range in which {type(model).__name__} is defined: {error}",
                "Use set_optimizer.BoundedLBFGS(), which searches within the bounds, or a smaller learning rate. "
                "The parameters are those from before this update.",
            ) from error
        if isinstance(error, ConvisError) or not isinstance(error, Exception):
            raise
        raise FitError(
            f"{optimizer} could not fit {type(model).__name__} to the data from {beginning()}: "
            f"{type(error).__name__}: {error}",
            "The parameters are those from before this update. If they have another size or precision since the "
            f"optimiser was chosen, choose it again: set_optimizer.{optimizer}(...).",
        ) from error


def _outside(model: FittableModel) -> bool:
    """Whether a parameter is beyond its bounds, as a line search sees it that knows none."""
    return any(bool(((tensor < lo) | (tensor > hi)).any()) for tensor, lo, hi in model.bounded_parameters())
