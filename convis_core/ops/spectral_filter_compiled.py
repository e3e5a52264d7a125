"""The loops of `convis_core.ops.spectral_filter`, compiled for the processor.

Arrays are ``x[c, q, 2, lags - 1 + time]``, ``w[o, c, lag, q, 2]`` and ``y[o, q, 2, time]``; each
call works on the frequencies from `low` to `high`.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from convis_core.ops.compiled import compile_loop, compile_sums

__all__ = ["filter_spectra", "spread_back", "weigh"]

_Array = NDArray[Any]


@compile_loop
def filter_spectra(x: _Array, w: _Array, y: _Array, low: int, high: int) -> None:
    """Fill y with the sum over input channels and lags of x times w."""
    lags, time = w.shape[2], y.shape[3]
    for o in range(w.shape[0]):
        for q in range(low, high):
            real, imaginary = y[o, q, 0], y[o, q, 1]
            real[:] = 0.0
            imaginary[:] = 0.0
            for c in range(w.shape[1]):
                for lag in range(lags):
                    a, b = w[o, c, lag, q, 0], w[o, c, lag, q, 1]
                    re = x[c, q, 0, lags - 1 - lag : lags - 1 - lag + time]
                    im = x[c, q, 1, lags - 1 - lag : lags - 1 - lag + time]
                    for t in range(time):
                        real[t] += a * re[t] - b * im[t]
                        imaginary[t] += a * im[t] + b * re[t]


@compile_loop
def spread_back(y: _Array, w: _Array, x: _Array, low: int, high: int) -> None:
    """Fill x with the adjoint of `filter_spectra`: what each of its values did to y."""
    lags, time = w.shape[2], y.shape[3]
    for c in range(w.shape[1]):
        for q in range(low, high):
            x[c, q, :, :] = 0.0
            for o in range(w.shape[0]):
                real, imaginary = y[o, q, 0], y[o, q, 1]
                for lag in range(lags):
                    a, b = w[o, c, lag, q, 0], w[o, c, lag, q, 1]
                    re = x[c, q, 0, lags - 1 - lag : lags - 1 - lag + time]
                    im = x[c, q, 1, lags - 1 - lag : lags - 1 - lag + time]
                    for t in range(time):
                        re[t] += a * real[t] + b * imaginary[t]
                        im[t] += a * imaginary[t] - b * real[t]


@compile_sums
def weigh(x: _Array, y: _Array, w: _Array, low: int, high: int) -> None:
    """Fill w with the adjoint of `filter_spectra` in its weights: how x and y go together at each lag."""
    lags, time = w.shape[2], y.shape[3]
    for o in range(w.shape[0]):
        for c in range(w.shape[1]):
            for q in range(low, high):
                real, imaginary = y[o, q, 0], y[o, q, 1]
                for lag in range(lags):
                    re = x[c, q, 0, lags - 1 - lag : lags - 1 - lag + time]
                    im = x[c, q, 1, lags - 1 - lag : lags - 1 - lag + time]
                    a = b = x.dtype.type(0.0)
                    for t in range(time):
                        a += re[t] * real[t] + im[t] * imaginary[t]
                        b += re[t] * imaginary[t] - im[t] * real[t]
                    w[o, c, lag, q, 0] = a
                    w[o, c, lag, q, 1] = b
