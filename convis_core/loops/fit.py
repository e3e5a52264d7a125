"""The fit loop: a model towards a target, chunk by chunk, as an iterator of `FitStep`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convis_core.errors import FitError
from convis_core.loops.bookmark import BestPass, Bookmark, check_bookmark
from convis_core.loops.course import Course, Place
from convis_core.loops.divergence import STUCK, DivergedError, check_not_exploded, is_stuck
from convis_core.loops.first_checks import check_optimizer, check_options, check_recordings
from convis_core.loops.losses import Loss, sum_squared_error
from convis_core.loops.optimizers import needs_gradient, searches
from convis_core.loops.pairs import trials
from convis_core.loops.protocol import FittableModel
from convis_core.loops.run import check_steps
from convis_core.loops.update import Objective, update
from convis_core.loops.values import copy_values, put_values
from convis_core.warn import warn

__all__ = ["FitStep", "check_score", "fit", "loss_per_chunk", "steps_of_a_fit"]


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
        Frames of the chunk the update was computed from; by LBFGS, of the first of them.
    loss : float
        Loss before the update, of all that it was computed from.
    optimizer : str
        Name of the optimiser that made it.
    input, target : Tensor
        The chunk itself, ``[batch, channel, time, x, y]``.
    response : Tensor
        What the model had answered before the update.
    trial : int
        Which of several trials the chunk is from.
    ends_epoch : bool
        Whether this was the last update of a pass over the data.
    n_chunks : int
        Chunks whose losses were added up; more than one by LBFGS.
    bookmark : Bookmark
        Where the fit goes on from here.
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
    trial: int = 0
    ends_epoch: bool = False
    n_chunks: int = 1
    bookmark: Bookmark = field(kw_only=True, repr=False)


def steps_of_a_fit(steps: Any, asked: str) -> Iterator[FitStep]:
    """Pass on the steps of a fit, and refuse what has not what is asked of one."""
    for step in steps if isinstance(steps, Iterable) else [steps]:
        if not hasattr(step, asked):
            raise FitError(f"Expected the steps of a fit, got {step!r:.80}.", "Give model.fit(stimulus, target, ...).")
        yield step


def check_score(score: Any) -> None:
    """Refuse a score that cannot be asked for."""
    if not callable(score):
        raise FitError(
            f"A score is a function without arguments, got {score!r:.80}.",
            "Write e.g. lambda: model.compute_loss(held_out, target).sum().",
        )


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
    weights: Any = None,
    penalties: Sequence[Callable[[Any], Tensor]] = (),
    clip: float | None = None,
    schedule: LRScheduler | None = None,
    resume: Bookmark | None = None,
) -> Iterator[FitStep]:
    """Fit a model to a target and yield every update as soon as it is made.

    The model starts each epoch without memory and carries its detached state from
    chunk to chunk (truncated back-propagation), so memory is bounded by one chunk.
    An optimiser that evaluates the loss several times a step sees the state put
    back each time: the same weights give the same loss to the last bit. LBFGS, which
    learns the curvature of one loss, makes one update from all that is left of the pass,
    the chunks of all trials together, with the memory of one chunk.
    Declared bounds are kept by projection after every update.

    Parameters
    ----------
    model : Layer
        Its parameters are changed in place, its state is left as it was.
    source, target : array, tensor or Stream, or lists of them
        Equally long in time. Lists hold trials; the model starts each without memory.
    dt : int, optional
        Frames per chunk; each makes an update, except by LBFGS.
    epochs : int
        Passes over the data.
    optimizer : torch.optim.Optimizer, optional
        By default the one chosen with ``model.set_optimizer``, looked up at every
        step, so it may be changed while the fit goes on.
    loss_fn : callable
        ``loss_fn(response, target)`` to a scalar tensor; where LBFGS puts chunks together, the sum of theirs.
    t_skip : int
        Frames at the start of the data that do not count.
    output : int or str, optional
        Which response is fitted, where the model has several.
    weights : array, tensor or Stream, or a list of them, optional
        Weight of every point of the target, ``[time]`` or shaped like it; 0 leaves a point out,
        whatever the target is there. Needs a loss of `convis_core.loops.losses`.
    penalties : sequence of callable
        Regularisers, each a function of the model; see `convis_core.loops.regularisers`.
        An epoch adds each of them once to its loss.
    clip : float, optional
        Largest norm of the gradient; a longer one is shortened to it.
    schedule : torch.optim.lr_scheduler.LRScheduler, optional
        Stepped after every epoch.
    resume : Bookmark, optional
        Where an earlier part of the same fit has come to, ``step.bookmark`` of its last step or what
        `convis_core.loops.checkpoint.resume_checkpoint` returns. What comes before is not read again.

    Yields
    ------
    FitStep

    Raises
    ------
    FitError
        If nothing can be fitted, or the loss stops being finite or explodes, to 1e5 times what
        it was and what no response at all would have; the parameters are then those with which
        the pass of the smallest loss began. After another error in an update they are those from
        before it.

    Warns
    -----
    UserWarning
        For a constant input, counts without a spike, a kernel longer than the recording, a parameter that was freed
        after the optimiser was chosen, and a pass over the data that has moved nothing.
    """
    recordings = trials(source, target, dt, weights)
    check_options(loss_fn=loss_fn, penalties=penalties, clip=clip, optimizer=optimizer, schedule=schedule)
    check_bookmark(resume)
    objective = Objective(loss_fn, output, check_steps(t_skip, "t_skip", least=0), tuple(penalties), clip)
    epochs = check_steps(epochs, "epochs", "passes over the data")
    if not any(p.requires_grad for p in model.parameters()):
        raise FitError("The model has no parameter to fit.", "Unfreeze one with model.p.<name>.requires_grad_(True).")
    check_optimizer(_chosen(model, optimizer), model)
    check_recordings(recordings, loss_fn, objective.t_skip, list(model.parameters()))
    begin = resume or Bookmark(0, 0, 0, 0, BestPass.at_first(copy_values(model)))
    for name, given in (("optimizer", optimizer), ("schedule", schedule)):
        if getattr(begin, name) is not None and given is None:
            raise FitError(
                f"The part of the fit before this one was given {name}=, and this one is not.",
                f"Give {name}= to both.",
            )
    course = Course(recordings, model)
    course.check(begin)
    return _steps(model, course, objective, epochs, replace(begin, optimizer=optimizer, schedule=schedule))


def _chosen(model: FittableModel, optimizer: Optimizer | None) -> Optimizer:
    found = optimizer or model.optimizer
    if found is None:
        raise FitError("No optimiser was chosen.", "Choose one first, e.g. model.set_optimizer.Adam(lr=0.01).")
    return found


def _steps(model: FittableModel, course: Course, objective: Objective, epochs: int, at: Bookmark) -> Iterator[FitStep]:
    kept, told = model.get_state(), False
    try:
        while at.epoch < epochs:
            if (at.trial, at.start) == (0, 0):
                at = replace(at, passes=at.passes.begin(copy_values(model)))
            first = course.chunk(at.trial, at.start)
            if first is None:  # a film that ended earlier than it had said
                at = course.after(at, at.trial)
                continue
            step = _step(model, course, objective, first, at)
            at = step.bookmark
            chosen = _chosen(model, at.optimizer)
            if step.ends_epoch and not told and not searches(chosen) and is_stuck(model, chosen, at.passes):
                told = True  # a search that has found what it looked for does not move either
                warn(STUCK)
            yield step
    except DivergedError:
        put_values(model, at.passes.values)
        raise
    finally:
        model.set_state(kept)


def _step(model: FittableModel, course: Course, objective: Objective, first: Place, at: Bookmark) -> FitStep:
    """Make one update, from the first chunk or from all that is left of the pass, and note where it leads."""
    chosen = _chosen(model, at.optimizer)
    takes_rest = searches(chosen)
    places = partial(course.rest, first) if takes_rest else partial(iter, (first,))
    loss, n_chunks, response = update(model, chosen, objective, places, at.state, needs_gradient(chosen))
    check_not_exploded(loss, at.passes.least, lambda: n_chunks * objective.of_silence(model, response, first.piece))
    made = replace(at, step=at.step + 1, passes=at.passes.add(loss), stopping=None)
    then = course.after(made) if takes_rest else course.after(made, at.trial, first.piece.stop)
    if then.start > 0:
        then = replace(then, state=model.get_state())
    ends = then.epoch > at.epoch
    if ends and at.schedule is not None:
        at.schedule.step()
    numbers = at.step, at.epoch, at.start, first.piece.stop, loss, type(chosen).__name__
    return FitStep(*numbers, first.piece.frames, first.piece.wanted, response, at.trial, ends, n_chunks, bookmark=then)


def loss_per_chunk(
    model: FittableModel,
    source: Any,
    target: Any,
    *,
    dt: int | None = None,
    loss_fn: Loss = sum_squared_error,
    t_skip: int = 0,
    output: int | str | None = None,
    weights: Any = None,
) -> np.ndarray[Any, Any]:
    """Loss of every chunk, without penalties, changing neither the parameters nor the state of the model."""
    recordings = trials(source, target, dt, weights)
    objective = Objective(loss_fn, output, check_steps(t_skip, "t_skip", least=0))
    kept = model.get_state()
    losses = []
    try:
        for trial, pairs in enumerate(recordings):
            model.start_trial(trial)
            with torch.no_grad():
                for piece in pairs.read(model.dtype, model.device):
                    losses.append(float(objective.score(model, objective.respond(model, piece.frames), piece)))
    finally:
        model.set_state(kept)
    return np.array(losses)
