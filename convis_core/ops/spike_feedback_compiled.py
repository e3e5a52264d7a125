"""The loop of `convis_core.ops.spike_feedback`, compiled for the processor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.ops.compiled import compile_loop
from convis_core.ops.output_nonlinearity import STEEPEST
from convis_core.ops.poisson import MOST_EXPECTED

__all__ = ["run"]

_Array = NDArray[Any]


@compile_loop
def _rate(u: float, shape: int) -> float:
    """Output nonlinearities in the order of `OUTPUT_NONLINEARITIES`."""
    if shape == 0:
        return math.exp(min(u, STEEPEST)) * (1.0 + max(u - STEEPEST, 0.0))
    if shape == 1:
        return max(u, 0.0) + math.log1p(math.exp(-abs(u)))
    if shape == 2:
        return 1.0 / (1.0 + math.exp(-u))
    return max(u, 0.0)


@compile_loop
def _count(expected: float, uniform: float) -> float:
    probability = math.exp(-expected)
    cumulative = probability
    most = int(expected + 12.0 * expected**0.5) + 11
    for n in range(most):
        if uniform < cumulative:
            return float(n)
        probability = probability * expected / (n + 1)
        cumulative = cumulative + probability
    return float(most)


@compile_loop
def run(
    drive: _Array,
    uniform: _Array,
    past: _Array,
    filters: _Array,
    coupled: bool,
    shape: int,
    spikes: _Array,
    rate: _Array,
    stopped: _Array,
) -> None:
    """Go through the frames of one member of a batch; only spikes that were fired cost time."""
    n_cells, n_steps = drive.shape
    n_lags = past.shape[1]
    ring = past.copy()  # spikes of the last frames, that of lag j in column (t - j) modulo their number
    u = np.empty(n_cells, drive.dtype)
    for t in range(n_steps):
        u[:] = drive[:, t]
        for source in range(n_cells):
            for lag in range(n_lags):
                fired = ring[source, (t - 1 - lag) % n_lags]
                if fired != 0.0:
                    if coupled:
                        for target in range(n_cells):
                            u[target] += fired * filters[source, lag, target]
                    else:
                        u[source] += fired * filters[source, lag, 0]
        for cell in range(n_cells):
            expected = _rate(u[cell], shape)
            rate[cell, t] = expected
            if not expected <= MOST_EXPECTED:
                stopped[0] = t
                rate[:cell, t] = 0.0
                rate[cell + 1 :, t] = 0.0
                return
            if shape == 2:
                spikes[cell, t] = 1.0 if uniform[cell, t] < expected else 0.0
            else:
                spikes[cell, t] = _count(expected, uniform[cell, t])
        for cell in range(n_cells):
            ring[cell, t % n_lags] = spikes[cell, t]
