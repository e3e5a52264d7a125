"""Where to put ticks so that a person reads round numbers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["decades", "nice_ticks", "tick_format"]


def nice_ticks(low: float, high: float, most: int) -> NDArray[np.float64]:
    """Multiples of 1, 2 or 5 times a power of ten inside a range, at most `most` of them.

    Examples
    --------
    >>> nice_ticks(-0.7, 1.1, 5)
    array([-0.5,  0. ,  0.5,  1. ])
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return np.array([low])
    power = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 5, 10, 20):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    return np.round(np.arange(first, last + 1) * step, 12)


def decades(low: float, high: float, most: int) -> NDArray[np.float64]:
    """Powers of ten inside a range, at most `most` of them; 1, 2, 5 times a power where it is narrow.

    Examples
    --------
    >>> decades(3.0, 2e4, 5)
    array([   10.,   100.,  1000., 10000.])
    >>> decades(12.0, 520.0, 6)
    array([ 20.,  50., 100., 200., 500.])
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    exponents = nice_ticks(first, last, most)
    whole = exponents[exponents == np.round(exponents)]
    if len(whole) >= 2:
        return 10.0**whole
    powers = 10.0 ** np.arange(first - 1, last + 2)
    for factors in ((1.0, 2.0, 5.0), (1.0, 3.0)):
        ticks = np.outer(powers, factors).ravel()
        ticks = ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]
        if 2 <= len(ticks) <= most:
            return ticks
    return nice_ticks(low, high, most)  # within a factor of five, where they do not crowd


def tick_format(ticks: NDArray[np.float64]) -> str:
    """Format, in d3's notation, that tells neighbouring ticks apart.

    Examples
    --------
    >>> tick_format(np.array([1.5, 1.55, 1.6])), tick_format(np.array([0.0, 20.0])), tick_format(np.array([1e6, 2e6]))
    ('.2f', '.0f', '~s')
    """
    largest = float(np.abs(ticks).max(initial=0.0))
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else largest
    if not step > 0 or largest >= 1e4 * step:  # decades
        return "~g"
    if largest >= 1e5 or largest < 1e-4:
        return "~s" if 1.0 < largest < 1e18 else "~e"  # 150k is shorter than 1.5e+5
    return f".{max(0, -math.floor(math.log10(step) + 1e-9))}f"
