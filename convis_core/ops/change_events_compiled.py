"""The loop of `convis_core.ops.change_events`, compiled for the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, share_work

__all__ = ["change_events_compiled"]

_Array = NDArray[Any]


@compile_loop
def _run(signal: _Array, events: _Array, level: _Array, dead: _Array, on: _Array, off: _Array, n: _Array) -> None:
    """Fill events [2, time, cells] and advance level and dead [cells]."""
    step, refractory, fall, most = n[0], n[1], n[2], n[3]
    none, one = n[4], n[5]  # in the precision of the signal, as literals are not
    for t in range(signal.shape[0]):
        for i in range(signal.shape[1]):
            events[0, t, i] = none
            events[1, t, i] = none
            if dead[i] > n[6]:
                level[i] = signal[t, i]
                dead[i] -= step
                continue
            now = level[i] - fall
            rises = min(max(np.ceil((signal[t, i] - now) / on[i]) - one, none), most)
            falls = min(max(np.ceil((now - signal[t, i]) / off[i]) - one, none), most)
            events[0, t, i] = rises
            events[1, t, i] = falls
            level[i] = now + on[i] * rises - off[i] * falls
            dead[i] = max(refractory - step, none) if rises + falls > 0 else none


def change_events_compiled(
    signal: Tensor, level: Tensor, dead: Tensor, on: Tensor, off: Tensor, numbers: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the loop over the batch."""
    batch, _, time, *space = signal.shape
    cells = space[0] * space[1]
    events = torch.empty((batch, 2, time, *space), dtype=signal.dtype)
    level, dead = level.clone().contiguous(), dead.clone().contiguous()
    tasks = [
        (
            signal[b].contiguous().view(time, cells).numpy(),
            events[b].view(2, time, cells).numpy(),
            *(s[b].contiguous().view(cells).numpy() for s in (level, dead, on, off)),
            numbers.numpy(),
        )
        for b in range(batch)
    ]
    share_work(_run, tasks)
    return events, level, dead
