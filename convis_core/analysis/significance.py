"""Which directions of a spike-triggered covariance are more than chance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convis_core.analysis.spike_triggered import stc
from convis_core.errors import ParameterError
from convis_core.loops.run import check_steps
from convis_core.tensors import TIME, lift

__all__ = ["SignificantDirections", "significant_directions"]

_Array = NDArray[np.float64]


class SignificantDirections(NamedTuple):
    """Eigenvalues of a spike-triggered covariance, the limits of chance, and the directions beyond them.

    ``eigenvalues`` fall; ``limits`` are those that chance stays between; ``excitatory`` and
    ``suppressive`` are ``[direction, lag, x, y]`` of unit norm, the most significant one first.
    """

    eigenvalues: _Array
    limits: tuple[float, float]
    excitatory: _Array
    suppressive: _Array


def significant_directions(
    stimulus: Any,
    spikes: Any,
    lags: int = 20,
    *,
    level: float = 0.05,
    repeats: int = 100,
    seed: int = 0,
) -> SignificantDirections:
    """Find the directions in which the stimuli before spikes scatter more or less than by chance.

    Chance is the same spike train shifted in time against the stimulus, at its end going on at its
    start: as many spikes with the same intervals, which the stimulus did not cause. An eigenvalue
    counts if it lies beyond the largest or the smallest one that chance gives, each at half the
    level, so that with no effect at all there is any finding with the probability `level`.

    Parameters
    ----------
    stimulus : array, shape [time, x, y] or [batch, 1, time, x, y]
        White noise: other stimuli have directions of their own, which would be found as well.
    spikes : array, shape [time] or [batch, 1, time, 1, 1]
        Spikes of one cell in each frame.
    lags : int
        Frames in the window.
    level : float
        Probability of finding a direction where there is none.
    repeats : int
        Shifts to try; at least ``2 / level``.
    seed : int
        Of the shifts.

    Returns
    -------
    SignificantDirections

    Raises
    ------
    ParameterError
        If `level` is not between 0 and 1, `repeats` too few for it, the recording too short to be
        shifted, or for what `stc` refuses.
    ShapeError
        If stimulus and spikes do not fit one another.

    Notes
    -----
    The limits are those for no effect at all. Beside a very strong direction a second, weak one can be
    missed, or its shadow found; the reference tests for the second with the first one taken out.

    Examples
    --------
    >>> stimulus = np.random.default_rng(1).normal(size=(4000, 1, 1))
    >>> spikes = np.roll(np.abs(stimulus[:, 0, 0]) > 1.5, 2)
    >>> found = significant_directions(stimulus, spikes, lags=4)
    >>> len(found.excitatory), len(found.suppressive), int(np.abs(found.excitatory[0]).argmax())
    (1, 0, 2)

    References
    ----------
    Schwartz O., Pillow J. W., Rust N. C., Simoncelli E. P. (2006), Spike-triggered neural characterization,
    J. Vis. 6, 484-507, doi:10.1167/6.4.13.
    """
    repeats = check_steps(repeats, "repeats", "shifts")
    if not 0 < level < 1 or repeats < 2 / level:
        raise ParameterError(
            f"A level of {level:g} takes a number between 0 and 1 and at least 2 / level shifts, got {repeats}.",
            "Use a larger level or more repeats.",
        )
    values, vectors = np.linalg.eigh(stc(stimulus, spikes, lags))
    counts = lift(spikes)
    length = counts.shape[TIME]
    if length < 4 * lags:
        raise ParameterError(
            f"{length} frames are too few to shift spikes by more than a window of {lags}.",
            "Use a longer recording or fewer lags.",
        )
    shifts = np.random.default_rng(seed).integers(lags, length - lags, size=repeats)
    chance = [np.linalg.eigvalsh(stc(stimulus, counts.roll(int(shift), TIME), lags))[[0, -1]] for shift in shifts]
    lowest, highest = np.transpose(chance)
    limits = float(np.quantile(lowest, level / 2)), float(np.quantile(highest, 1 - level / 2))
    x, y = lift(stimulus).shape[3:]
    directions = vectors.T.reshape(-1, lags, x, y)
    return SignificantDirections(
        values[::-1], limits, directions[values > limits[1]][::-1], directions[values < limits[0]]
    )
