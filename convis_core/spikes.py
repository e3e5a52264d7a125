"""Spikes of several cells: which cell, and when."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convis_core.errors import ParameterError

__all__ = ["Spikes", "check_spikes"]

_NUMBERS: Final = "biuf"
"""Kinds of number types of numpy that are real numbers."""


class Spikes(NamedTuple):
    """Spikes of several cells, in the order of their times.

    Attributes
    ----------
    unit : array of int, shape [spike]
        Number of the cell.
    time : array of float, shape [spike]
        When it spiked, in s.
    """

    unit: NDArray[np.int64]
    time: NDArray[np.float64]


def check_spikes(unit: ArrayLike, time: ArrayLike) -> Spikes:
    """Return spikes sorted by their times, or refuse what is none.

    Raises
    ------
    ParameterError
        If there is not one time for each unit, a time is not finite or a unit no whole number.
    """
    units, times = np.asarray(unit), np.asarray(time)
    if units.dtype.kind not in _NUMBERS or times.dtype.kind not in _NUMBERS:
        raise ParameterError(f"Expected units and times to be numbers, got {units.dtype} and {times.dtype}.")
    times = times.astype(np.float64)
    if units.ndim != 1 or units.shape != times.shape:
        raise ParameterError(f"Expected a unit and a time for each spike, got {units.shape} and {times.shape}.")
    if not np.isfinite(times).all():
        raise ParameterError("Expected times of spikes to be finite numbers of seconds.")
    if not ((units >= 0) & (units < 2.0**63) & (units == np.floor(units))).all():
        raise ParameterError("Expected units to be whole numbers from 0.", "Number the cells.")
    order = np.argsort(times, kind="stable")
    return Spikes(units.astype(np.int64)[order], times[order])
