"""What a fit can be warned of before its first update: data that cannot tell what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convis_core.errors import FitError
from convis_core.loops.losses import Loss, PointwiseLoss
from convis_core.loops.pairs import Pairs
from convis_core.streams.base import SequenceStream, Stream
from convis_core.tensors import TIME, check_finite
from convis_core.warn import warn

__all__ = ["check_recordings"]

KERNEL_NDIM = 5


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
