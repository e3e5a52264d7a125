"""What a recording must be before any time is spent on it, and how it is cut into parts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import ConvisError, FitError, ShapeError
from convis_core.loops.run import check_steps
from convis_core.tensors import check_finite, describe_shape, lift, to_tensor
from convis_core.warn import warn

__all__ = [
    "Recording",
    "check_cell",
    "check_counts",
    "check_parts",
    "check_same_recording",
    "split_in_blocks",
    "telling_the_cell",
]

FEW_SPIKES: Final = 50
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
        movie = check_movie(stimulus)
        counts = check_cell(spikes)
        if len(movie) != len(counts):
            raise FitError(
                f"Stimulus and spikes must be equally long, got {len(movie)} frames and {len(counts)} bins.",
                "Bin the spikes by frame of the stimulus, and cut the longer one.",
            )
        if movie.numel() == 0 or float(movie.max() - movie.min()) == 0.0:
            raise FitError("The stimulus is constant, so no spike can be told from it.", "Give one that changes.")
        if n_lags * 4 > len(counts):
            raise FitError(
                f"A filter of {n_lags} lags is too long for a recording of {len(counts)} frames.",
                "Choose a smaller n_lags, or record at least four times as long.",
            )
        size = (int(movie.shape[1]), int(movie.shape[2]))
        if size[0] * size[1] > MOST_PIXELS:
            raise FitError(
                f"The stimulus has {size[0]}x{size[1]} pixels, and at most {MOST_PIXELS} can be estimated exactly.",
                "Crop it around the receptive field, or average neighbouring pixels.",
            )
        return cls(movie.reshape(len(movie), -1), counts, size)


def check_movie(stimulus: Any) -> Tensor:
    """A finite stimulus, ``[time, x, y]``, in double precision."""
    lifted = lift(stimulus).double()
    if lifted.shape[0] != 1 or lifted.shape[1] != 1:
        raise ShapeError(
            f"One stimulus of one channel can be fitted, got {describe_shape(lifted.shape)}.", "Give [time, x, y]."
        )
    check_finite(lifted, "The stimulus")
    return lifted[0, 0]


def check_counts(spikes: Any) -> Tensor:
    """Whole, finite spike counts of one cell, ``[time]``, in double precision."""
    counts = to_tensor(spikes).double()
    counts = counts.reshape(-1) if counts.numel() == max(counts.shape, default=1) else counts
    if counts.ndim != 1:
        raise ShapeError(
            f"The spikes of one cell are [time], got {describe_shape(counts.shape)}.", "Fit one cell at a time."
        )
    check_finite(counts[None, None, :, None, None], "The spike count")
    if bool((counts < 0).any()) or bool((counts != counts.round()).any()):
        bad = int(((counts < 0) | (counts != counts.round())).nonzero()[0])
        raise FitError(
            f"Spike counts must be whole numbers of at least 0, got {float(counts[bad]):g} in bin {bad}.",
            "Count the spikes in each bin; a rate in Hz is not a count.",
        )
    return counts


def check_cell(spikes: Any) -> Tensor:
    """Counts of a cell that can be fitted: without spikes there is nothing to fit."""
    counts = check_counts(spikes)
    total = int(counts.sum())
    if total == 0:
        raise FitError("There are no spikes in the recording.", "Check the unit's name and the recording's start.")
    if float(counts.min()) == float(counts.max()):
        raise FitError(
            f"The spike count is {float(counts[0]):g} in every bin, so nothing about the stimulus can be told from it.",
            "Check how the spikes were binned, or leave the cell out.",
        )
    if total < FEW_SPIKES:
        warn(f"There are only {total} spikes, so the prior decides most of the filter. Record longer, or pool trials.")
    return counts


def check_same_recording(split: Sequence[slice], frames: int) -> None:
    """Refuse a recording that is not as long as the one that a field was fitted to."""
    if split[-1].stop != frames:
        raise FitError(
            f"The field was fitted to a recording of {split[-1].stop} frames, got one of {frames}.",
            "Give the stimulus and the spikes that it was fitted to; for others there is field.predict.",
        )


@contextmanager
def telling_the_cell(number: int | None) -> Iterator[None]:
    """Begin errors and warnings with the number of the cell that they are about, where there are several."""
    if number is None:
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except ConvisError as error:
            raise type(error)(f"Cell {number}: {error}") from None
    for warning in caught:
        warn(f"Cell {number}: {warning.message}", warning.category)


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
    length = check_steps(length, "length")
    if not math.isclose(sum(shares), 1.0, abs_tol=1e-6) or min(shares) <= 0 or gap < 0:
        raise FitError(
            f"The shares of a split must be positive and add up to 1, with a gap of at least 0; got {tuple(shares)} "
            f"and {gap}.",
            "Give e.g. (0.7, 0.1, 0.2).",
        )
    ends = [round(length * sum(shares[: k + 1])) for k in range(len(shares))]
    starts = [0, *(end + gap for end in ends[:-1])]
    if any(stop <= start for start, stop in zip(starts, ends, strict=True)):
        raise FitError(
            f"A recording of {length} frames is too short for parts of {tuple(shares)} with gaps of {gap} frames.",
            "Use fewer parts, a smaller gap or more data.",
        )
    return [slice(start, stop) for start, stop in zip(starts, ends, strict=True)]


def check_parts(counts: Tensor, parts: Sequence[slice]) -> None:
    """Every part needs a spike: without one nothing is learned from it, or nothing scored."""
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if not bool(torch.any(counts[part] > 0)):
            raise FitError(
                f"There is no spike in the {name} part, bins {part.start} to {part.stop - 1}.",
                "Choose other shares with split=..., or record longer.",
            )
