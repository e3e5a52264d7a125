"""The loop of `convis_core.ops.integrate_and_fire`, compiled for the processor."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, share_work

__all__ = ["integrate_and_fire_compiled"]

_Array = NDArray[Any]
_STEPS_WORTH_A_THREAD = 50_000  # cell-steps, about a quarter of a millisecond


@compile_loop
def _exact(
    current: _Array, noise: _Array, spikes: _Array, v: _Array, dead: _Array,
    scale: float, g: float, step: float, refractory: float, low: int, high: int,
) -> None:  # fmt: skip
    """Fill spikes [time, cells] and advance v and dead [cells] from `low` to `high`, event by event."""
    gain = step if g == 0.0 else -math.expm1(-g * step) / g
    for t in range(current.shape[0]):
        for i in range(low, high):
            drive = np.float64(current[t, i])
            if scale != 0.0:
                drive += scale * noise[t, i]
            start = np.float64(v[i])
            left = np.float64(dead[i])
            active = step
            reach = gain
            if left > 0.0:
                dead[i] = max(left - step, 0.0)
                active = step - left
                if active <= 0.0:
                    spikes[t, i] = 0.0
                    continue
                reach = active if g == 0.0 else -math.expm1(-g * active) / g
            end = start + (drive - g * start) * reach
            if not (end > 1.0 or start > 1.0):
                v[i] = end
                spikes[t, i] = 0.0
                continue
            wait = 0.0
            if start < 1.0:
                fraction = (1.0 - start) / (drive - g * start)
                wait = fraction if g == 0.0 else -math.log1p(-g * fraction) / g
            since = active - min(wait, active)
            count = 1.0
            if drive > g:
                period = refractory + (1.0 / drive if g == 0.0 else -math.log1p(-g / drive) / g)
                more = math.floor(since / period)
                since = max(since - more * period, 0.0)
                count += more
            spikes[t, i] = count
            dead[i] = max(refractory - since, 0.0)
            moving = max(since - refractory, 0.0)
            v[i] = drive * (moving if g == 0.0 else -math.expm1(-g * moving) / g)


@compile_loop
def _euler(
    current: _Array, noise: _Array, spikes: _Array, v: _Array, dead: _Array,
    scale: float, g: float, step: float, refractory: float, low: int, high: int,
) -> None:  # fmt: skip
    """Fill spikes [time, cells] and advance v and dead [cells] from `low` to `high`, one Euler step at a time."""
    for t in range(current.shape[0]):
        for i in range(low, high):
            spikes[t, i] = 0.0
            left = np.float64(dead[i])
            if left > 0.5 * step:
                dead[i] = left - step
                continue
            drive = np.float64(current[t, i])
            if scale != 0.0:
                drive += scale * noise[t, i]
            start = np.float64(v[i])
            end = start + step * (drive - g * start)
            if end >= 1.0:
                spikes[t, i] = 1.0
                v[i] = 0.0
                dead[i] = max(refractory - step, 0.0)
            else:
                v[i] = end
                dead[i] = 0.0


def integrate_and_fire_compiled(
    method: str,
    current: Tensor,
    v: Tensor,
    dead_time: Tensor,
    noise: Tensor,
    g: Tensor,
    step: float,
    refractory: Tensor,
    noise_scale: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the loop over shares of the cells; `g`, `refractory`, `noise_scale` are ``[channel]``."""
    batch, channels, time, *_ = current.shape
    cells = v.shape[2] * v.shape[3]
    spikes = torch.empty(current.shape, dtype=current.dtype)
    v, dead_time = v.detach().clone().contiguous(), dead_time.detach().clone().contiguous()
    # One memory layout only, for each layout would be compiled on its own.
    movies = [s.detach().to(v.dtype).contiguous().view(batch, channels, time, cells) for s in (current, noise, spikes)]
    states = [s.view(batch, channels, cells) for s in (v, dead_time)]
    loop = {"exact": _exact, "euler": _euler}[method]
    tasks = []
    for b in range(batch):
        for c in range(channels):
            arrays = [s[b, c].numpy() for s in (*movies, *states)]
            scalars = float(noise_scale[c]), float(g[c]), step, float(refractory[c])
            tasks += [(*arrays, *scalars, low, high) for low, high in pairwise(_borders(current))]
    share_work(loop, tasks)
    return spikes, v, dead_time


def _borders(current: Tensor) -> list[int]:
    """Where to cut the cells of one channel so that every thread has work, and enough to be worth it."""
    planes = current.shape[0] * current.shape[1]
    cells = current.shape[3] * current.shape[4]
    worth = 1 if current.numel() < 2 * _STEPS_WORTH_A_THREAD else torch.get_num_threads() // planes
    shares = min(max(worth, 1), cells)
    return [cells * k // shares for k in range(shares + 1)]
