"""The loops of `convis_core.ops.fitzhugh_nagumo`, compiled for the processor.

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
def _euler(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, n: _Array, n_steps: int, low: int, high: int
) -> None:
    a, b, tau, threshold, h, three = n[0], n[1], n[2], n[3], n[4], n[5]
    v, w = states[0, low:high], states[1, low:high]
    for t in range(current.shape[0]):
        drive, count = current[t, low:high], spikes[t, low:high]
        count[:] = 0
        for _ in range(n_steps):
            for i in range(v.size):
                x, y = v[i], w[i]
                after = x + h * (x - x * x * x / three - y + drive[i])
                w[i] = y + h * (tau * (x + a - b * y))
                v[i] = after
                count[i] += (x < threshold) & (after >= threshold)
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


@compile_loop
def _rk4(
    current: _Array, spikes: _Array, traces: _Array, states: _Array, n: _Array, n_steps: int, low: int, high: int
) -> None:
    a, b, tau, threshold, h, three, half, two, six = n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]
    v, w = states[0, low:high], states[1, low:high]
    for t in range(current.shape[0]):
        drive, count = current[t, low:high], spikes[t, low:high]
        count[:] = 0
        for _ in range(n_steps):
            for i in range(v.size):
                x, y, z = v[i], w[i], drive[i]
                dv1, dw1 = x - x * x * x / three - y + z, tau * (x + a - b * y)
                p, q = x + half * h * dv1, y + half * h * dw1
                dv2, dw2 = p - p * p * p / three - q + z, tau * (p + a - b * q)
                p, q = x + half * h * dv2, y + half * h * dw2
                dv3, dw3 = p - p * p * p / three - q + z, tau * (p + a - b * q)
                p, q = x + h * dv3, y + h * dw3
                dv4, dw4 = p - p * p * p / three - q + z, tau * (p + a - b * q)
                after = x + h * ((dv1 + two * (dv2 + dv3) + dv4) / six)
                w[i] = y + h * ((dw1 + two * (dw2 + dw3) + dw4) / six)
                v[i] = after
                count[i] += (x < threshold) & (after >= threshold)
        for k in range(traces.shape[0]):
            traces[k, t, low:high] = states[k, low:high]


LOOPS: dict[str, Callable[..., None]] = {"euler": _euler, "rk4": _rk4}
