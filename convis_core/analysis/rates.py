"""Firing rates: over trials, and as a function of time."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from convis_core.errors import ParameterError
from convis_core.output import Output
from convis_core.resolution import Resolution, used_resolution
from convis_core.tensors import lift

__all__ = ["PSTH", "firing_rate", "in_bins", "psth", "spike_counts", "whole_frames"]

_Array = NDArray[np.float64]


class PSTH(NamedTuple):
    """Peri-stimulus time histogram: ``time [bin]`` in s, ``rate`` and its standard ``error``.

    Rate and error are in Hz, ``[channel, bin, x, y]``; the error is NaN for a single trial.
    """

    time: _Array
    rate: _Array
    error: _Array


def spike_counts(spikes: Any, resolution: Resolution | None = None) -> tuple[Tensor, Resolution]:
    """Spike counts ``[batch, channel, time, x, y]`` in double precision, and their sampling in time."""
    if isinstance(spikes, Output):
        counts, sampling = spikes[0].detach().cpu().double(), resolution or spikes.resolution
    else:
        counts, sampling = lift(spikes).detach().cpu().double(), used_resolution(resolution)
    if counts.shape[2] == 0:
        raise ParameterError("A recording without frames has no spikes to count.", "Run the model on some.")
    if not bool(((counts >= 0) & (counts < math.inf)).all()):
        raise ParameterError("Expected counts of spikes, got negative or infinite values or NaN.", "Give spikes.")
    return counts, sampling


def whole_frames(seconds: float, sampling: Resolution) -> int:
    """Round a duration to whole frames; 0 where it is no finite one."""
    steps = sampling.seconds_to_steps(seconds)
    return round(steps) if math.isfinite(steps) else 0


def in_bins(counts: Tensor, width: int) -> _Array:
    """Add up whole bins of `width` frames, ``[batch, channel, bin, x, y]``."""
    bins = counts.shape[2] // width
    shape = (*counts.shape[:2], bins, width, *counts.shape[3:])
    return np.asarray(counts[:, :, : bins * width].reshape(shape).sum(dim=3).numpy())


def psth(spikes: Any, bin_width: float = 0.01, *, resolution: Resolution | None = None) -> PSTH:
    """Average the spikes of repeated trials in bins of time.

    Parameters
    ----------
    spikes : array or Output
        Spikes in each frame, ``[trial, channel, time, x, y]`` or a single trial.
    bin_width : float
        In s; rounded to whole frames. Frames that do not fill a bin at the end are left out.
    resolution : Resolution, optional
        Frames per second; that of an Output, else the default.

    Returns
    -------
    PSTH

    Raises
    ------
    ParameterError
        If a bin is shorter than half a frame or longer than the recording.

    Examples
    --------
    >>> trials = np.zeros((4, 1, 100, 1, 1))
    >>> trials[:, :, 50:60] = 0.1
    >>> psth(trials, bin_width=0.02).rate.ravel()  # at 1000 frames a second
    array([ 0.,  0., 50.,  0.,  0.])
    """
    counts, sampling = spike_counts(spikes, resolution)
    width = whole_frames(bin_width, sampling)
    trials, _, frames, *_ = counts.shape
    if not 1 <= width <= frames:
        raise ParameterError(
            f"A bin of {bin_width:g} s is {width} frames at {sampling.steps_per_second:g} Hz; it must be 1 to {frames}."
        )
    bins = frames // width
    rates = in_bins(counts, width) / (width * sampling.step)
    spread = rates.std(axis=0, ddof=1) / math.sqrt(trials) if trials > 1 else np.full(rates.shape[1:], np.nan)
    middles = np.asarray((np.arange(bins) + 0.5) * width * sampling.step, dtype=np.float64)
    return PSTH(middles, rates.mean(axis=0), spread)


def firing_rate(
    spikes: Any,
    width: float = 0.02,
    kernel: Literal["gaussian", "exponential"] = "gaussian",
    *,
    resolution: Resolution | None = None,
) -> _Array:
    r"""Smooth spikes to a rate as a function of time.

    .. math:: r(t) = \frac{\sum_s k(t - s) \, n(s)}{\Delta t \sum_s k(t - s)}

    over the frames `s` of the recording, so that a constant rate is right up to both ends.

    Parameters
    ----------
    spikes : array or Output
        Spikes in each frame.
    width : float
        Standard deviation of the Gaussian, or time constant of the exponential, in s.
    kernel : {"gaussian", "exponential"}
        The exponential looks back only, so that no rate rises before its spikes.
    resolution : Resolution, optional
        Frames per second; that of an Output, else the default.

    Returns
    -------
    ndarray, shape [batch, channel, time, x, y]
        In Hz.

    Raises
    ------
    ParameterError
        If the width is not above 0 or the kernel unknown.

    Examples
    --------
    >>> bool(np.allclose(firing_rate(np.full(50, 0.1)), 100.0))  # 0.1 in each of 1000 frames a second
    True
    """
    counts, sampling = spike_counts(spikes, resolution)
    if not 0 < width < math.inf or kernel not in ("gaussian", "exponential"):
        raise ParameterError(
            f"Expected a finite width above 0 s and a kernel 'gaussian' or 'exponential', got {width!r} and {kernel!r}."
        )
    steps = sampling.seconds_to_steps(width)
    frames = counts.shape[2]
    reach = min(frames - 1, math.ceil(steps * (6 if kernel == "gaussian" else 30)))
    lag = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (lag / steps) ** 2) if kernel == "gaussian" else torch.exp(-lag / steps) * (lag >= 0)
    flat = counts.movedim(2, -1).reshape(-1, 1, frames)
    along = functional.conv1d(flat, weights.flip(0)[None, None], padding=reach)
    seen = functional.conv1d(torch.ones(1, 1, frames, dtype=torch.float64), weights.flip(0)[None, None], padding=reach)
    rate = (along / seen).reshape(counts.movedim(2, -1).shape).movedim(-1, 2) * sampling.steps_per_second
    return np.asarray(rate.numpy())
