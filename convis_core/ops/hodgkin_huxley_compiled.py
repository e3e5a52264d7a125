"""The loops of `convis_core.ops.hodgkin_huxley`, compiled for the processor, in double precision.

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
def _ramp(x: float) -> float:
    return 10.0 - 0.5 * x if abs(x) < 1e-3 else x / math.expm1(x / 10.0)


@compile_loop
def _rates(v: float) -> tuple[float, float, float, float, float, float]:
    return (
        0.1 * _ramp(25.0 - v),
        4.0 * math.exp(-v / 18.0),
        0.07 * math.exp(-v / 20.0),
        1.0 / (math.exp((30.0 - v) / 10.0) + 1.0),
        0.01 * _ramp(10.0 - v),
        0.125 * math.exp(-v / 80.0),
    )


@compile_loop
def _toward(gate: float, alpha: float, beta: float, dt: float) -> float:
    steady = alpha / (alpha + beta)
    return steady + (gate - steady) * math.exp(-dt * (alpha + beta))


@compile_loop
def _euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int
) -> None:
    wide = numbers.astype(np.float64)
    g_K, g_Na, g_L, C_m, V_K, V_Na, V_L, threshold, dt = (
        wide[0], wide[1], wide[2], wide[3], wide[4], wide[5], wide[6], wide[7], wide[8],
    )  # fmt: skip
    for t in range(current.shape[0]):
        for i in range(low, high):
            drive, count = np.float64(current[t, i]), 0
            for _ in range(n_steps):
                v, m = np.float64(states[0, i]), np.float64(states[1, i])
                h, n = np.float64(states[2, i]), np.float64(states[3, i])
                alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = _rates(v)
                sodium, potassium = g_Na * (m * m * m * h), g_K * (n * n * n * n)
                inward = drive - sodium * (v - V_Na) - potassium * (v - V_K) - g_L * (v - V_L)
                after = v + dt * inward / C_m
                states[0, i] = after
                states[1, i] = m + dt * (alpha_m * (1.0 - m) - beta_m * m)
                states[2, i] = h + dt * (alpha_h * (1.0 - h) - beta_h * h)
                states[3, i] = n + dt * (alpha_n * (1.0 - n) - beta_n * n)
                if v < threshold <= after:
                    count += 1
            spikes[t, i] = count
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


@compile_loop
def _exponential_euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int
) -> None:
    wide = numbers.astype(np.float64)
    g_K, g_Na, g_L, C_m, V_K, V_Na, V_L, threshold, dt = (
        wide[0], wide[1], wide[2], wide[3], wide[4], wide[5], wide[6], wide[7], wide[8],
    )  # fmt: skip
    for t in range(current.shape[0]):
        for i in range(low, high):
            drive, count = np.float64(current[t, i]), 0
            for _ in range(n_steps):
                v, m = np.float64(states[0, i]), np.float64(states[1, i])
                h, n = np.float64(states[2, i]), np.float64(states[3, i])
                alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = _rates(v)
                m, h, n = (
                    _toward(m, alpha_m, beta_m, dt),
                    _toward(h, alpha_h, beta_h, dt),
                    _toward(n, alpha_n, beta_n, dt),
                )
                sodium, potassium = g_Na * (m * m * m * h), g_K * (n * n * n * n)
                total = sodium + potassium + g_L
                aim = (drive + sodium * V_Na + potassium * V_K + g_L * V_L) / total
                after = aim + (v - aim) * math.exp(-dt * total / C_m)
                states[0, i], states[1, i], states[2, i], states[3, i] = after, m, h, n
                if v < threshold <= after:
                    count += 1
            spikes[t, i] = count
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


LOOPS: dict[str, Callable[..., None]] = {"euler": _euler, "exponential_euler": _exponential_euler}
