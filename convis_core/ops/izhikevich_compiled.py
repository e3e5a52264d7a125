"""The loops of `convis_core.ops.izhikevich`, compiled for the processor.

Cells run innermost and without branches, so that several are computed by one instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from convis_core.ops.compiled import compile_loop

__all__ = ["LOOPS"]

_Array = NDArray[Any]


@compile_loop
def _reset(v: _Array, u: _Array, count: _Array, c: float, d: float, threshold: float) -> None:
    for i in range(v.size):
        fires = v[i] >= threshold
        count[i] += fires
        u[i] = u[i] + d if fires else u[i]
        v[i] = c if fires else v[i]


@compile_loop
def _euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, n: _Array, n_steps: int, low: int, high: int
) -> None:
    a, b, c, d, threshold, quadratic, linear, constant, offset, leak, h = (
        n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10],
    )  # fmt: skip
    v, u, stages = states[0, low:high], states[1, low:high], int(n[14])
    for t in range(current.shape[0]):
        drive, count = current[t, low:high], spikes[t, low:high]
        count[:] = 0
        for _ in range(n_steps):
            for _ in range(stages):
                for i in range(v.size):
                    x, y = v[i], u[i]
                    v[i] = x + h * (quadratic * x * x + linear * x + constant - y + drive[i])
                    u[i] = y + h * (a * (b * (x + offset) - leak * y))
            _reset(v, u, count, c, d, threshold)
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


@compile_loop
def _rk4(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, n: _Array, n_steps: int, low: int, high: int
) -> None:
    a, b, c, d, threshold, quadratic, linear, constant, offset, leak = (
        n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9],
    )  # fmt: skip
    h, half, sixth, two = n[10], n[11], n[12], n[13]
    v, u, stages = states[0, low:high], states[1, low:high], int(n[14])
    for t in range(current.shape[0]):
        drive, count = current[t, low:high], spikes[t, low:high]
        count[:] = 0
        for _ in range(n_steps):
            for _ in range(stages):
                for i in range(v.size):
                    x, y, z = min(v[i], threshold), u[i], drive[i]
                    dv1 = quadratic * x * x + linear * x + constant - y + z
                    du1 = a * (b * (x + offset) - leak * y)
                    p, q = min(x + half * h * dv1, threshold), y + half * h * du1
                    dv2 = quadratic * p * p + linear * p + constant - q + z
                    du2 = a * (b * (p + offset) - leak * q)
                    p, q = min(x + half * h * dv2, threshold), y + half * h * du2
                    dv3 = quadratic * p * p + linear * p + constant - q + z
                    du3 = a * (b * (p + offset) - leak * q)
                    p, q = min(x + h * dv3, threshold), y + h * du3
                    dv4 = quadratic * p * p + linear * p + constant - q + z
                    du4 = a * (b * (p + offset) - leak * q)
                    v[i] = x + h * ((dv1 + two * (dv2 + dv3) + dv4) * sixth)
                    u[i] = y + h * ((du1 + two * (du2 + du3) + du4) * sixth)
            _reset(v, u, count, c, d, threshold)
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


LOOPS: dict[str, Callable[..., None]] = {"euler": _euler, "rk4": _rk4}
