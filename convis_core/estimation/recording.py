"""What a recording must be before any time is spent on it, and how it is cut into parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import FitError, ShapeError
from convis_core.loops.run import check_steps
from convis_core.tensors import check_finite, describe_shape, lift, to_tensor
from convis_core.warn import warn

__all__ = [
    "Recording",
    "UntellingError",
    "check_cell",
    "check_counts",
    "check_movie",
    "check_parts",
    "check_same_recording",
    "check_shares",
    "check_stimulus",
    "check_varies",
    "doubt",
    "no_spike_in",
    "split_in_blocks",
    "three_parts",
]

FEW_SPIKES: Final = 50
MOST_SPIKES: Final = 10**9
"""Spikes in a bin that nobody has counted; beyond it priors are lost in rounding."""

LARGEST: Final = 1e100
"""Value of a stimulus beyond which squares of squares are infinite."""

MOST_PIXELS: Final = 1600
"""Pixels beyond which the exact evidence takes minutes and gigabytes."""


@dataclass(frozen=True)
class Recording:
    """A checked stimulus, ``[time, pixel]``, with spike counts, ``[time]``, in double precision."""

    stimulus: Tensor
    counts: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, stimulus: Any, spikes: Any, n_lags: int) -> Recording:
        """Check stimulus and spikes; see `fit_receptive_field` for what is refused."""
        frames, size = check_stimulus(stimulus, n_lags)
        return cls(frames, check_cell(spikes, len(frames)), size)


def check_stimulus(stimulus: Any, n_lags: int) -> tuple[Tensor, tuple[int, int]]:
    """A stimulus that a filter can be told from, ``[time, pixel]``, and the size of its frames."""
    movie = check_movie(stimulus)
    if movie.numel() == 0 or float(movie.max() - movie.min()) == 0.0:
        raise FitError("The stimulus is constant, so no spike can be told from it.", "Give one that changes.")
    if n_lags * 4 > len(movie):
        raise FitError(
            f"A filter of {n_lags} lags is too long for a recording of {len(movie)} frames.",
            "Choose a smaller n_lags, or record at least four times as long.",
        )
    size = (int(movie.shape[1]), int(movie.shape[2]))
    if size[0] * size[1] > MOST_PIXELS:
        raise FitError(
            f"The stimulus has {size[0]}x{size[1]} pixels, and at most {MOST_PIXELS} can be estimated exactly.",
            "Crop it around the receptive field, or average neighbouring pixels.",
        )
    return movie.reshape(len(movie), -1), size


def check_cell(spikes: Any, frames: int, parts: Sequence[slice] = ()) -> Tensor:
    """Counts of a cell that can be fitted, ``[time]``; what makes the fit doubtful is warned of."""
    counts = check_counts(spikes)
    if len(counts) != frames:
        raise FitError(
            f"Stimulus and spikes must be equally long, got {frames} frames and {len(counts)} bins.",
            "Bin the spikes by frame of the stimulus, and cut the longer one.",
        )
    check_varies(counts)
    check_parts(counts, parts)
    if said := doubt(counts):
        warn(said)
    return counts


def check_movie(stimulus: Any) -> Tensor:
    """A finite stimulus, ``[time, x, y]``, in double precision."""
    lifted = lift(stimulus, dtype=torch.float64).detach()
    if lifted.shape[0] != 1 or lifted.shape[1] != 1:
        raise ShapeError(
            f"One stimulus of one channel can be fitted, got {describe_shape(lifted.shape)}.", "Give [time, x, y]."
        )
    check_finite(lifted, "The stimulus")
    if lifted.numel() and float(lifted.abs().max()) > LARGEST:
        raise FitError(
            f"The stimulus reaches {float(lifted.abs().max()):g}, whose square is no number.", "Scale it to order 1."
        )
    return lifted[0, 0]


def check_counts(spikes: Any) -> Tensor:
    """Whole, finite spike counts of one cell, ``[time]``, in double precision."""
    counts = to_tensor(spikes, dtype=torch.float64).detach()
    counts = counts.reshape(-1) if counts.numel() == max(counts.shape, default=1) else counts
    if counts.ndim != 1:
        raise ShapeError(
            f"The spikes of one cell are [time], got {describe_shape(counts.shape)}.", "Fit one cell at a time."
        )
    check_finite(counts[None, None, :, None, None], "The spike count")
    if float(counts.max() if counts.numel() else 0.0) > MOST_SPIKES:
        raise FitError(
            f"At most {MOST_SPIKES:.0e} spikes in a bin can be fitted, got {float(counts.max()):g}.",
            "Check how they were binned.",
        )
    none = (counts < 0) | (counts != counts.round())
    if bool(none.any()):
        bad = int(none.nonzero()[0])
        raise FitError(
            f"Spike counts must be whole numbers of at least 0, got {float(counts[bad]):g} in bin {bad}.",
            "Count the spikes in each bin; a rate in Hz is not a count.",
        )
    return counts


class UntellingError(FitError):
    """The spikes of a cell are sound, and tell nothing."""


def check_varies(counts: Tensor) -> None:
    """Refuse a cell that is silent, or fires the same in every bin: there is nothing to fit."""
    if not bool(counts.any()):
        raise UntellingError(
            "There are no spikes in the recording.", "Check the unit's name and the recording's start."
        )
    if float(counts.min()) == float(counts.max()):
        raise UntellingError(
            f"The spike count is {float(counts[0]):g} in every bin, so nothing about the stimulus can be told from it.",
            "Check how the spikes were binned, or leave the cell out.",
        )


def doubt(counts: Tensor) -> str:
    """Say what makes a fit to these counts doubtful; nothing in the usual case."""
    total, most = int(counts.sum()), int(counts.max())
    if total < FEW_SPIKES:
        return f"There are only {total} spikes, so the prior decides most of the filter. Record longer, or pool trials."
    if 2 * most > total:
        return (
            f"Bin {int(counts.argmax())} holds {most} of {total} spikes, which decide most of the filter. "
            "Check how the spikes were binned, or leave out the burst."
        )
    return ""


def check_same_recording(split: Sequence[slice], counts: Tensor) -> None:
    """Refuse counts that are not as long as those that a field was fitted to, or leave nothing to be scored."""
    if split[-1].stop != len(counts):
        raise FitError(
            f"The field was fitted to a recording of {split[-1].stop} frames, got one of {len(counts)}.",
            "Give the stimulus and the spikes that it was fitted to; for others there is field.predict.",
        )
    if not bool(counts[split[-1]].any()):
        raise no_spike_in("test", split[-1])


def no_spike_in(name: str, part: slice) -> UntellingError:
    """Error for a part of a recording in which the cell is silent."""
    return UntellingError(
        f"There is no spike in the {name} part, bins {part.start} to {part.stop - 1}.",
        "Choose other shares with split=..., or record longer.",
    )


def split_in_blocks(length: int, shares: Sequence[float], gap: int = 0) -> list[slice]:
    """Cut a recording into contiguous parts in order, with frames between that belong to none.

    Parameters
    ----------
    length : int
        Frames of the recording.
    shares : sequence of float
        Share of the whole that each part is to have; together 1.
    gap : int
        Frames left out before every part but the first. As long as the kernel it keeps
        frames of one part out of the other's past.

    Examples
    --------
    >>> split_in_blocks(6000, (0.7, 0.1, 0.2))
    [slice(0, 4200, None), slice(4200, 4800, None), slice(4800, 6000, None)]
    """
    length, shares = check_steps(length, "length"), check_shares(shares)
    gap = check_steps(gap, "gap", least=0)
    if not shares or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise FitError(f"The shares of a split must add up to 1, got {shares}.", "Give e.g. (0.7, 0.1, 0.2).")
    ends = [round(length * sum(shares[: k + 1])) for k in range(len(shares))]
    starts = [0, *(end + gap for end in ends[:-1])]
    if any(stop <= start for start, stop in zip(starts, ends, strict=True)):
        raise FitError(
            f"A recording of {length} frames is too short for parts of {shares} with gaps of {gap} frames.",
            "Use fewer parts, a smaller gap or more data.",
        )
    return [slice(start, stop) for start, stop in zip(starts, ends, strict=True)]


def three_parts(length: int, split: Sequence[float]) -> list[slice]:
    """Training, validation and test part."""
    shares = check_shares(split)
    if len(shares) != 3:
        raise FitError(
            f"A split has three shares, of training, validation and test part, got {shares}.",
            "Give e.g. (0.7, 0.1, 0.2).",
        )
    return split_in_blocks(length, shares)


def check_shares(shares: Any) -> tuple[float, ...]:
    """Shares of a recording, each of which lies between 0 and 1."""
    try:
        found = tuple(float(share) for share in shares)
    except (TypeError, ValueError):
        found = None
    if found is None or not all(0.0 < share <= 1.0 for share in found):
        raise FitError(
            f"Shares of a recording are a sequence of numbers between 0 and 1, got {shares!r:.80}.",
            "Give e.g. (0.25, 0.5), or (0.7, 0.1, 0.2) for a split.",
        )
    return found


def check_parts(counts: Tensor, parts: Sequence[slice]) -> None:
    """Every part needs a spike: without one nothing is learned from it, or nothing scored."""
    for name, part in zip(("training", "validation", "test"), parts, strict=False):
        if not bool(torch.any(counts[part] > 0)):
            raise no_spike_in(name, part)
