"""The loop of `convis_core.ops.integrate_and_fire`, compiled for the processor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, cut, share_work

__all__ = ["integrate_and_fire_compiled"]

_Array = NDArray[Any]
_STEPS_WORTH_A_THREAD = 50_000  # cell-steps, about a quarter of a millisecond


@compile_loop
def _exact(
    current: _Array, noise: _Array, spikes: _Array, v: _Array, dead: _Array,
    scale: float, g: float, step: float, refractory: float, plane: int, low: int, high: int,
) -> None:  # fmt: skip
    """Fill spikes [plane, time, cells] and advance v and dead [plane, cells] in one plane from `low` to `high`.

    Each step first takes all cells together as if none of them spiked, and then those that do,
    or that wake up, one by one.
    """
    gain = step if g == 0.0 else -math.expm1(-g * step) / g
    v, dead = v[plane, low:high], dead[plane, low:high]
    eventful = np.empty(v.size, np.int64)
    for t in range(current.shape[1]):
        drives, chances, counts = current[plane, t, low:high], noise[plane, t, low:high], spikes[plane, t, low:high]
        _relax(drives, chances, counts, v, dead, scale, g, step, gain)
        n = 0
        for i in range(v.size):  # without a branch, which would be guessed wrong for every event
            eventful[n] = i
            n += counts[i] != 0.0
        for i in eventful[:n]:
            drive = np.float64(drives[i]) + scale * chances[i]
            counts[i], v[i], dead[i] = _events(drive, v[i], dead[i], g, step, gain, refractory)


@compile_loop
def _relax(
    drives: _Array, chances: _Array, counts: _Array, v: _Array, dead: _Array,
    scale: float, g: float, step: float, gain: float,
) -> None:  # fmt: skip
    """Advance the cells that do not spike in a step or that rest all through it; set the counts of the others to 1.

    There is no branch in it, so that the processor advances several cells at once.
    """
    for i in range(v.size):
        start, left = np.float64(v[i]), np.float64(dead[i])
        drive = np.float64(drives[i]) + scale * np.float64(chances[i])
        end = start + (drive - g * start) * gain
        rests = left >= step
        happens = ((end > 1.0) | (start > 1.0) | (left > 0.0)) & (not rests)
        counts[i] = np.float32(1.0) if happens else np.float32(0.0)
        v[i] = start if happens | rests else end
        dead[i] = left - step if rests else left


@compile_loop
def _events(
    drive: float, v: float, dead: float, g: float, step: float, gain: float, refractory: float
) -> tuple[float, float, float]:
    """Spikes in a step, and potential and dead time after it, of a cell that wakes up in it or spikes."""
    start, left = np.float64(v), np.float64(dead)
    active, reach = step, gain
    if left > 0.0:
        active = step - left
        reach = active if g == 0.0 else -math.expm1(-g * active) / g
    end = start + (drive - g * start) * reach
    if not (end > 1.0 or start > 1.0):
        return 0.0, end, 0.0
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
    moving = max(since - refractory, 0.0)
    after = drive * (moving if g == 0.0 else -math.expm1(-g * moving) / g)
    return count, after, max(refractory - since, 0.0)


@compile_loop
def _euler(
    current: _Array, noise: _Array, spikes: _Array, v: _Array, dead: _Array,
    scale: float, g: float, step: float, refractory: float, plane: int, low: int, high: int,
) -> None:  # fmt: skip
    """Do what `_exact` does, one Euler step at a time."""
    current, noise, spikes, v, dead = current[plane], noise[plane], spikes[plane], v[plane], dead[plane]
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
    noise: Tensor | None,
    g: Sequence[float],
    step: float,
    refractory: Sequence[float],
    noise_scale: Sequence[float],
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the loop over pieces of the cells; `g`, `refractory`, `noise_scale` have a number for each channel.

    A run in short chunks comes by often, so there is little here that torch is asked for.
    """
    batch, channels, time, *_ = current.shape
    planes = batch * channels
    spikes = torch.empty(current.shape, dtype=current.dtype)
    after = [s.detach().clone(memory_format=torch.contiguous_format) for s in (v, dead_time)]
    # One memory layout only, for each layout would be compiled on its own.
    drives = current.detach().contiguous().numpy().reshape(planes, time, -1)
    chances = drives if noise is None else noise.detach().to(v.dtype).contiguous().numpy().reshape(drives.shape)
    arrays = drives, chances, spikes.numpy().reshape(drives.shape), *(s.numpy().reshape(planes, -1) for s in after)
    loop = {"exact": _exact, "euler": _euler}[method]
    pieces = cut(drives.shape[2], current.numel(), _STEPS_WORTH_A_THREAD, planes)
    tasks = []
    for plane in range(planes):
        c = plane % channels
        scalars = 0.0 if noise is None else noise_scale[c], g[c], step, refractory[c]
        tasks += [(*arrays, *scalars, plane, low, high) for low, high in pieces]
    share_work(loop, tasks)
    return spikes, after[0], after[1]
