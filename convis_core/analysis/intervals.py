"""Intervals between spikes, and what they say about the regularity of firing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convis_core.analysis.rates import in_bins, spike_counts, whole_frames
from convis_core.errors import ParameterError
from convis_core.resolution import Resolution

__all__ = ["IntervalStatistics", "fano_factor", "interspike_intervals", "interval_statistics", "spike_trains"]

_Array = NDArray[np.float64]


class IntervalStatistics(NamedTuple):
    """Statistics of the intervals of each cell, ``[batch, channel, x, y]``; NaN where there are too few.

    Number of ``spikes``, ``rate`` in Hz, ``mean`` interval and ``deviation`` in s, coefficient of
    variation ``cv``, and its local variants ``cv2`` and ``lv``, which a slow change of the rate
    does not raise. All three are 1 for Poisson spikes and 0 for a clock.
    """

    spikes: _Array
    rate: _Array
    mean: _Array
    deviation: _Array
    cv: _Array
    cv2: _Array
    lv: _Array


def spike_trains(spikes: Any, *, resolution: Resolution | None = None) -> list[_Array]:
    """Times of the spikes of each cell, in s, in the order of ``[batch, channel, x, y]`` flattened.

    Several spikes in a frame are spread evenly over it; a single one stands at its middle.

    Examples
    --------
    >>> [train.round(5).tolist() for train in spike_trains([0.0, 1.0, 0.0, 2.0])]
    [[0.0015, 0.00325, 0.00375]]
    """
    counts, sampling = spike_counts(spikes, resolution)
    cells = counts.movedim(2, -1).flatten(end_dim=-2).round().long().numpy()
    return [_times(cell) * sampling.step for cell in cells]


def _times(counts: NDArray[np.int64]) -> _Array:
    frames = np.repeat(np.arange(counts.size), counts)
    number = np.repeat(counts, counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(frames + (np.arange(frames.size) - first + 0.5) / np.maximum(number, 1))


def interspike_intervals(spikes: Any, *, resolution: Resolution | None = None) -> list[_Array]:
    """Intervals between successive spikes of each cell, in s.

    Examples
    --------
    >>> interspike_intervals([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])[0].round(4).tolist()
    [0.002, 0.003]
    """
    return [np.diff(train) for train in spike_trains(spikes, resolution=resolution)]


def interval_statistics(spikes: Any, *, resolution: Resolution | None = None) -> IntervalStatistics:
    r"""Measure how regularly each cell fires.

    .. math::

        cv = \frac{\sigma}{\mu}, \qquad
        cv_2 = \left\langle \frac{2 |I_{k+1} - I_k|}{I_{k+1} + I_k} \right\rangle, \qquad
        lv = \left\langle \frac{3 (I_{k+1} - I_k)^2}{(I_{k+1} + I_k)^2} \right\rangle

    Parameters
    ----------
    spikes : array or Output
        Spikes in each frame.
    resolution : Resolution, optional
        Frames per second; that of an Output, else the default.

    Returns
    -------
    IntervalStatistics

    Examples
    --------
    >>> clock = np.arange(1000) % 20 == 0
    >>> s = interval_statistics(clock)
    >>> [round(float(value.item()), 6) for value in (s.rate, s.mean, s.cv)]  # at 1000 frames a second
    [50.0, 0.02, 0.0]

    References
    ----------
    Holt G. R. et al. (1996), J. Neurophysiol. 75, 1806-1814, doi:10.1152/jn.1996.75.5.1806 (cv2).
    Shinomoto S. et al. (2003), Neural Comput. 15, 2823-2842, doi:10.1162/089976603322518759 (lv).
    """
    counts, sampling = spike_counts(spikes, resolution)
    shape = (*counts.shape[:2], *counts.shape[3:])
    rows = [_measure(gaps) for gaps in interspike_intervals(counts, resolution=sampling)]
    total = counts.sum(dim=2).numpy()
    seconds = counts.shape[2] * sampling.step
    measured = np.array(rows).reshape(*shape, -1)
    return IntervalStatistics(total, total / seconds, *np.moveaxis(measured, -1, 0))


def _measure(gaps: _Array) -> tuple[float, ...]:
    nan = float("nan")
    if gaps.size == 0:
        return nan, nan, nan, nan, nan
    mean = float(gaps.mean())
    if gaps.size == 1:
        return mean, nan, nan, nan, nan
    deviation = float(gaps.std(ddof=1))
    relative = np.abs(np.diff(gaps)) / (gaps[1:] + gaps[:-1])
    return mean, deviation, deviation / mean, float(2 * relative.mean()), float(3 * (relative**2).mean())


def fano_factor(spikes: Any, window: float = 0.1, *, resolution: Resolution | None = None) -> _Array:
    """Variance over mean of the number of spikes in windows of time: 1 for Poisson spikes.

    Parameters
    ----------
    spikes : array or Output
        Spikes in each frame.
    window : float
        In s, rounded to whole frames.
    resolution : Resolution, optional
        Frames per second; that of an Output, else the default.

    Returns
    -------
    ndarray, shape [batch, channel, x, y]
        NaN for silent cells.

    Raises
    ------
    ParameterError
        If there are not two windows in the recording.

    Examples
    --------
    >>> float(fano_factor(np.arange(1000) % 20 == 0, window=0.1).item())  # always 5 in 100 ms
    0.0
    """
    counts, sampling = spike_counts(spikes, resolution)
    width = whole_frames(window, sampling)
    bins = counts.shape[2] // width if width > 0 else 0
    if bins < 2:
        raise ParameterError(
            f"{counts.shape[2]} frames do not hold two windows of {window:g} s.", "Choose a shorter one."
        )
    numbers = in_bins(counts, width)
    mean = numbers.mean(axis=2)
    return np.asarray(np.where(mean > 0, numbers.var(axis=2, ddof=1) / np.where(mean > 0, mean, 1.0), np.nan))
