"""Integrate and fire with exact times, refractory times that vary, and adaptation: the loop over events."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, cut, share_work
from convis_core.tensors import TIME

__all__ = ["CellMemory", "CellNumbers", "ganglion_spikes"]

_Array = NDArray[Any]
_WORTH_A_THREAD = 200_000  # cell-steps, about half a millisecond


class CellMemory(NamedTuple):
    """What a chunk leaves to the next, each ``[batch, channel, x, y]``.

    Potential, what is left of the refractory time (s), conductance added by adaptation (Hz), and
    how many spikes there were, which names the random numbers of the next refractory time.
    """

    v: Tensor
    dead_time: Tensor
    adaptation: Tensor
    fired: Tensor


class CellNumbers(NamedTuple):
    """Numbers of the cells: leak (Hz), mean and deviation of the refractory time (s), adaptation.

    Each spike adds `delta` (Hz) to a conductance with the reversal potential `reversal`, of which
    `keep` is left after a step.
    """

    leak: float
    refractory: float
    deviation: float = 0.0
    delta: float = 0.0
    keep: float = 0.0
    reversal: float = 0.0


@compile_loop
def _uniform(seed: int, cell: int, count: int, which: int) -> Any:
    """Random number in (0, 1) that belongs to a spike, not to a call (the steps of splitmix64)."""
    z = np.uint64(0)
    for part in (seed, cell, count, which):
        z += (np.uint64(part) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@compile_loop
def _rest(numbers: Any, seed: int, cell: int, count: int) -> Any:
    """Refractory time after a spike: of normal distribution, and not negative."""
    if numbers[2] == 0.0:
        return numbers[1]
    first, second = _uniform(seed, cell, count, 0), _uniform(seed, cell, count, 1)
    normal = math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)
    return max(0.0, numbers[1] + numbers[2] * normal)


@compile_loop
def _relax(
    drives: _Array, chances: _Array, marks: _Array, v: _Array, dead: _Array,
    scale: float, leak: float, step: float, whole: float,
) -> None:  # fmt: skip
    """Advance the cells that do not spike in a step or that rest all through it, and mark the others.

    There is no branch in it, so that the processor advances several cells at once.
    """
    for i in range(v.size):
        start, left = np.float64(v[i]), np.float64(dead[i])
        drive = np.float64(drives[i]) + scale * np.float64(chances[i])
        end = start + (drive - leak * start) * whole
        rests = left >= step
        quiet = (left <= 0.0) & (end <= 1.0) & (start < 1.0)
        marks[i] = np.float32(0.0) if rests | quiet else np.float32(1.0)
        v[i] = end if quiet else start
        dead[i] = left - step if rests else left


@compile_loop
def _run(
    current: _Array, noise: _Array, spikes: _Array, v: _Array, dead: _Array, ga: _Array, count: _Array,
    where: _Array, when: _Array, scale: float, numbers: Any, step: float, seed: int, first: int, low: int, high: int,
    found: _Array,
) -> None:  # fmt: skip
    """Fill spikes ``[time, cell]``, and cell and time of as many events as there is room for; count them all."""
    leak, _, _, delta, keep, reversal = numbers
    adapts = delta != 0.0
    whole = step if leak == 0.0 else -math.expm1(-leak * step) / leak
    eventful = np.arange(low, high)
    n = 0
    for t in range(current.shape[0]):
        eventful_cells = high - low
        if not adapts:
            drives, chances, marks = current[t, low:high], noise[t, low:high], spikes[t, low:high]
            _relax(drives, chances, marks, v[low:high], dead[low:high], scale, leak, step, whole)
            eventful_cells = 0
            for i in range(low, high):  # without a branch, which would be guessed wrong for every event
                eventful[eventful_cells] = i
                eventful_cells += spikes[t, i] != 0.0
        for i in eventful[:eventful_cells]:
            start: Any = np.float64(v[i])
            left: Any = np.float64(step)
            here = 0
            ga[i] = ga[i] * keep
            while True:
                if dead[i] > 0.0:
                    waited: Any = min(np.float64(dead[i]), left)
                    dead[i] = dead[i] - waited
                    left -= waited
                    if left <= 0.0:
                        break
                g = leak + ga[i]
                drive = np.float64(current[t, i]) + ga[i] * reversal
                if scale != 0.0:
                    drive += scale * noise[t, i]
                gone = left if g == 0.0 else -math.expm1(-g * left) / g
                end = start + (drive - g * start) * gone
                if end <= 1.0 and start < 1.0:
                    start = end
                    break
                wait = 0.0
                if start < 1.0:
                    part = (1.0 - start) / (drive - g * start)
                    wait = min(part if g == 0.0 else -math.log1p(-g * part) / g, left)
                left -= wait
                if n < when.size:
                    where[n] = i
                    when[n] = (first + t + 1) * step - left
                n += 1
                here += 1
                start = 0.0
                dead[i] = _rest(numbers, seed, i, count[i])
                count[i] += 1
                ga[i] += delta
                if here > 100000:
                    break
            v[i] = start
            spikes[t, i] = here
    found[0] = n


def ganglion_spikes(
    current: Tensor,
    memory: CellMemory,
    numbers: CellNumbers,
    step: float,
    *,
    noise: Tensor | None = None,
    noise_scale: float = 0.0,
    seed: int = 0,
    first: int = 0,
) -> tuple[Tensor, tuple[_Array, _Array], CellMemory]:
    r"""Integrate currents until the threshold, spike, rest, and go on, from event to event.

    .. math:: \frac{dv}{dt} = I(t) + s \xi(t) + g_a E - (g_L + g_a) v, \qquad v \ge 1: \text{ spike}, \; v \to 0

    `I` and the noise are constant over a step, and so is the conductance but for spikes; between
    events `v` is solved exactly. After a spike it is held at 0 for the refractory time.

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input current in threshold units per s.
    memory : CellMemory
        From the chunk before.
    numbers : CellNumbers
        Leak, refractory time and adaptation.
    step : float
        Duration of a step in s.
    noise : Tensor, shape of `current`, optional
        Standard normal numbers, added to the current after multiplication by `noise_scale`.
    seed : int
        Names the random refractory times; each belongs to a spike, however time is cut.
    first : int
        Step since the start of the run at which the chunk begins, for the times.

    Returns
    -------
    spikes : Tensor, shape of `current`
        Number of spikes in each step.
    events : tuple of arrays
        Cell, counted through batch, channel, x and y, and time in s of each spike, in order of time.
    memory : CellMemory
        To give back with the next chunk.

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.

    Examples
    --------
    >>> rest, none = torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1, dtype=torch.int64)
    >>> current = torch.full((1, 1, 40, 1, 1), 100.0)
    >>> _, (_, time), _ = ganglion_spikes(
    ...     current, CellMemory(rest, rest, rest, none), CellNumbers(50.0, 0.003), 0.001
    ... )
    >>> time.round(4)  # log(2) / 50 s, and 3 ms later once more
    array([0.0139, 0.0307])
    """
    batch, channels, time, *size = current.shape
    kind = torch.promote_types(current.dtype, torch.float32)  # the loop knows no shorter floats
    movie = current.detach().movedim(TIME, 0).reshape(time, -1).cpu().to(kind).contiguous()
    chance = movie if noise is None else noise.detach().movedim(TIME, 0).reshape(time, -1).to(movie).contiguous()
    spikes = torch.zeros_like(movie)
    cells = movie.shape[1]
    pieces = cut(cells, movie.numel(), _WORTH_A_THREAD)
    room = 64 + int(movie.numel() * step * 100) // len(pieces)
    while True:
        states = [_wide(part.detach().reshape(-1).cpu(), kind).clone().numpy() for part in memory]
        events = [(np.empty(room, np.int64), np.empty(room), np.zeros(1, np.int64)) for _ in pieces]
        tasks = [
            (movie.numpy(), chance.numpy(), spikes.numpy(), *states, where, when, float(noise_scale), tuple(numbers),
             step, seed, first, low, high, found)
            for (where, when, found), (low, high) in zip(events, pieces, strict=True)
        ]  # fmt: skip
        share_work(_run, tasks)
        most = max(int(found[0]) for _, _, found in events)
        if most <= room:
            break
        room = most
    where = np.concatenate([cell[: found[0]] for cell, _, found in events])
    when = np.concatenate([moment[: found[0]] for _, moment, found in events])
    order = np.argsort(when, kind="stable")
    counts = spikes.view(time, batch, channels, *size).movedim(0, TIME).to(current)
    after = (
        torch.from_numpy(state).view(batch, channels, *size).to(part)
        for state, part in zip(states, memory, strict=True)
    )
    return counts, (where[order], when[order]), CellMemory(*after)


def _wide(part: Tensor, kind: torch.dtype) -> Tensor:
    return part.to(kind) if part.is_floating_point() else part
