"""The loops of `convis_core.ops.adaptive_exponential`, compiled for the processor, in double precision.

In compiled code ``float`` leaves a number in single precision as it is, ``numpy.float64`` does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.ops.compiled import compile_loop

__all__ = ["LOOPS"]

_Array = NDArray[Any]


@compile_loop
def _run(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int,
    exponential: bool,
) -> None:  # fmt: skip
    wide = numbers.astype(np.float64)
    C, g_L, E_L, V_T, delta_T, tau_w = wide[0], wide[1], wide[2], wide[3], wide[4], wide[5]
    a, b, V_reset, V_peak, h, steepest = wide[6], wide[7], wide[8], wide[9], wide[10], wide[11]
    keep_w, keep_v = math.exp(-h / tau_w), math.exp(-h * g_L / C)
    for t in range(current.shape[0]):
        for i in range(low, high):
            drive, count = np.float64(current[t, i]), 0
            for _ in range(n_steps):
                v, w = np.float64(states[0, i]), np.float64(states[1, i])
                push = g_L * delta_T * math.exp(min((v - V_T) / delta_T, steepest)) - w + drive
                pull = a * (v - E_L)
                if exponential:
                    w = pull + (w - pull) * keep_w
                    aim = E_L + push / g_L
                    v = aim + (v - aim) * keep_v
                else:
                    w = w + h * (pull - w) / tau_w
                    v = v + h * (push - g_L * (v - E_L)) / C
                if v >= V_peak:
                    v = V_reset
                    w += b
                    count += 1
                states[0, i], states[1, i] = v, w
            spikes[t, i] = count
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


@compile_loop
def _euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int
) -> None:
    _run(current, spikes, traces, states, numbers, n_steps, low, high, False)


@compile_loop
def _exponential_euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int
) -> None:
    _run(current, spikes, traces, states, numbers, n_steps, low, high, True)


LOOPS: dict[str, Callable[..., None]] = {"exponential_euler": _exponential_euler, "euler": _euler}
