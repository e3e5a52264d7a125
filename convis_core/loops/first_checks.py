"""What can be said before the first update: options that make no sense, data that cannot tell what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from convis_core.errors import FitError
from convis_core.loops.losses import Loss, PointwiseLoss
from convis_core.loops.optimizers import left_out
from convis_core.loops.pairs import Pairs
from convis_core.loops.protocol import FittableModel
from convis_core.scalars import is_number
from convis_core.streams.base import SequenceStream, Stream
from convis_core.tensors import TIME, check_finite
from convis_core.warn import warn

__all__ = ["check_optimizer", "check_options", "check_recordings"]

KERNEL_NDIM = 5


def check_options(*, loss_fn: Any, penalties: Any, clip: Any, optimizer: Any, schedule: Any) -> None:
    """Refuse options that would fail only in the middle of a fit."""
    if clip is not None and not (is_number(clip) and clip > 0):
        raise FitError(f"clip is the largest norm of the gradient and must be more than 0, got {clip!r:.80}.")
    if not callable(loss_fn):
        raise FitError(
            f"loss_fn is a function of response and target, got {loss_fn!r:.80}.",
            "Use one of convis_core.estimation.losses, e.g. losses.mean_squared_error.",
        )
    if not isinstance(penalties, Sequence) or not all(callable(penalise) for penalise in penalties):
        raise FitError(
            f"penalties are a list of functions of the model, got {penalties!r:.80}.",
            "Write e.g. penalties=[regularisers.L2(1e-3)].",
        )
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise FitError(
            f"optimizer is one of torch.optim, got {optimizer!r:.80}.",
            "Leave it out and choose one by name: model.set_optimizer.Adam(lr=0.01).",
        )
    if schedule is not None and not callable(getattr(schedule, "step", None)):
        raise FitError(
            f"schedule is one of torch.optim.lr_scheduler, got {schedule!r:.80}.",
            "Write e.g. schedule=torch.optim.lr_scheduler.StepLR(model.optimizer, 1).",
        )


def check_optimizer(optimizer: Optimizer, model: FittableModel) -> None:
    """Refuse an optimiser that changes nothing in the model, since it was chosen for what the model was before.

    Warn of one that was chosen before a parameter was freed.
    """
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        kind = type(optimizer).__name__
        raise FitError(
            f"This {kind} was chosen for other parameters than the model has.",
            f"Choose it again, now that parts have been replaced: model.set_optimizer.{kind}(...).",
        )
    freed = left_out(optimizer, model)
    if freed:
        kind, more = type(optimizer).__name__, f" and {len(freed) - 3} more" * (len(freed) > 3)
        warn(
            f"This {kind} was chosen while {', '.join(freed[:3])}{more} did not require a gradient, so it does not fit "
            f"what has been freed since. Choose it again: model.set_optimizer.{kind}(...)."
        )


def check_recordings(
    recordings: Sequence[Pairs], loss_fn: Loss, t_skip: int, parameters: Sequence[nn.Parameter]
) -> None:
    """Refuse, or warn of, what is known before any time is spent.

    Arrays are looked through; a stream that is read from a file is checked chunk by chunk later.
    """
    longest = max(pairs.n_frames for pairs in recordings)
    if t_skip >= longest:
        raise FitError(f"t_skip={t_skip} leaves none of {longest} frames to be fitted.", "Skip fewer.")
    lags = max((p.shape[TIME] for p in parameters if p.ndim == KERNEL_NDIM), default=0)
    if lags > longest:
        warn(
            f"A kernel of {lags} frames is longer than the recording of {longest}, which cannot tell its oldest "
            "weights. Choose a shorter one, or record longer."
        )
    stimuli = [_in_memory(pairs.stimulus) for pairs in recordings]
    ranges = [_range(frames, "The input") for frames in stimuli if frames is not None]
    if len(ranges) == len(recordings) and len({value for pair in ranges for value in pair}) == 1:
        warn("The input is constant, so a filter cannot be told from it. Give one that changes.")
    if isinstance(loss_fn, PointwiseLoss):
        _check_targets(recordings, loss_fn)


def _check_targets(recordings: Sequence[Pairs], loss_fn: PointwiseLoss) -> None:
    events = []
    for pairs in recordings:
        target = _in_memory(pairs.recording)
        if target is None:
            events.append(True)
            continue
        if pairs.importance is not None:
            pairs.importance.seek(0)
            weights = pairs.importance.get(pairs.n_frames)
            target = torch.where(weights > 0, target, target.new_zeros(()))
        most = _range(target, "The target")[1]
        if loss_fn.check is not None:
            loss_fn.check(target)
        events.append(most > 0)
    if loss_fn.check is not None and not any(events):
        warn(
            "There are no spikes in the target, so the likeliest rate is none at all, whatever the input. "
            "Check the unit's name and the recording's start."
        )


def _in_memory(stream: Stream) -> Tensor | None:
    return stream.sequence.detach() if type(stream) is SequenceStream and stream.sequence.numel() else None


def _range(values: Tensor, what: str) -> tuple[float, float]:
    lo, hi = (float(value) for value in torch.aminmax(values))  # NaN if one of them is
    if not -torch.inf < lo <= hi < torch.inf:
        check_finite(values, what)
    return lo, hi
