"""The loops of `convis_core.ops.adaptive_exponential`, compiled for the processor, in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.ops.adaptive_exponential import STEEPEST
from convis_core.ops.compiled import compile_loop

__all__ = ["LOOPS"]

_Array = NDArray[Any]


@compile_loop
def _run(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, numbers: _Array, n_steps: int, low: int, high: int,
    exponential: bool,
) -> None:  # fmt: skip
    C, g_L, E_L, V_T = float(numbers[0]), float(numbers[1]), float(numbers[2]), float(numbers[3])
    delta_T, tau_w, a, b = float(numbers[4]), float(numbers[5]), float(numbers[6]), float(numbers[7])
    V_reset, V_peak, h = float(numbers[8]), float(numbers[9]), float(numbers[10])
    keep_w, keep_v = math.exp(-h / tau_w), math.exp(-h * g_L / C)
    for t in range(current.shape[0]):
        for i in range(low, high):
            drive, count = np.float64(current[t, i]), 0
            for _ in range(n_steps):
                v, w = float(states[0, i]), float(states[1, i])
                push = g_L * delta_T * math.exp(min((v - V_T) / delta_T, STEEPEST)) - w + drive
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
