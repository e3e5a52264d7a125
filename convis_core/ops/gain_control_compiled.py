"""The loop of `convis_core.ops.gain_control`, compiled for the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.ops.compiled import compile_loop, share_work
from convis_core.ops.deriche_compiled import Tables, blur_frame, tables
from convis_core.ops.gain_control_torch import CustomLaw, Law, Memory
from convis_core.ops.vector_exponential import decay, decay_constants

__all__ = ["gain_control_compiled"]

_Array = NDArray[Any]


@compile_loop
def _potential(v: _Array, drive: _Array, a: _Array, q: _Array, out: _Array, s: Any, c: Any) -> None:
    """One step of all pixels ``[pixel]``: the new potential, and in q the conductance that the old one calls for."""
    amplification, leak, step, feedback, fraction, one = s
    for i in range(v.size):
        old = v[i]
        g = leak + a[i]
        level = amplification * drive[i] / g
        new = level + (old - level) * decay(step * g, c)
        called = feedback * old * old
        q[i] = called / (one + called * fraction)
        v[i] = new
        out[i] = new


@compile_loop
def _custom_potential(
    v: _Array, drive: _Array, a: _Array, slow: _Array, q: _Array, out: _Array, s: Any, law: Any, c: Any
) -> None:
    """The same with another law of the conductance, a reversal potential and a slow current."""
    amplification, leak, step, feedback, fraction, one = s
    exponent, threshold, reversal, symmetric, weight, keep, gain, zero = law
    for i in range(v.size):
        old = v[i]
        g = leak + a[i]
        level = (amplification * drive[i] + a[i] * reversal + weight * slow[i]) / g
        new = level + (old - level) * decay(step * g, c)
        size = abs(old) if symmetric else old
        called = feedback * (size - threshold) ** exponent if size > threshold else zero
        q[i] = called / (one + called * fraction)
        slow[i] = keep * slow[i] + gain * old
        v[i] = new
        out[i] = new


@compile_loop
def _relax(a: _Array, before: _Array, q: _Array, keep: float, gain: float) -> None:
    for i in range(a.size):
        a[i] = keep * before[i] + gain * q[i]


@compile_loop
def _run(
    drive: _Array, out: _Array, v: _Array, a: _Array, slow: _Array, scratch: _Array, size: tuple[int, int],
    coefficients: Tables, blurs: bool, s: Any, relaxation: Any, law: Any, custom: bool, c: Any,
) -> None:  # fmt: skip
    """Run over drive ``[time, pixel]``; a is ``[1 or time + 1, pixel]``, with the conductance before in its first row.

    The scratch ``[4, ...]`` is that of `blur_frame`, and a frame more.
    """
    n, m = size
    keep, gain = relaxation
    called, blurred = scratch[3, : n * m], scratch[2, : n * m]
    frame, smooth = called.reshape(n, m), blurred.reshape(n, m)
    for t in range(drive.shape[0]):
        before, after = a[t % a.shape[0]], a[(t + 1) % a.shape[0]]
        if custom:
            _custom_potential(v, drive[t], before, slow, called, out[t], s, law, c)
        else:
            _potential(v, drive[t], before, called, out[t], s, c)
        if blurs:
            blur_frame(frame, smooth, scratch, coefficients)
            _relax(after, before, blurred, keep, gain)
        else:
            _relax(after, before, called, keep, gain)


def gain_control_compiled(
    drive: Tensor, memory: Memory, law: Law, record: bool
) -> tuple[Tensor, Tensor | None, Memory]:
    """Run the loop over every image of the batch and channel; same arguments as `gain_control_torch`."""
    batch, channels, time, n, m = drive.shape
    kind = torch.empty(0, dtype=drive.dtype).numpy().dtype
    out = drive.new_empty(batch, channels, time, n * m)
    v, slow = (part.detach().reshape(batch, channels, n * m).clone().contiguous() for part in (memory.v, memory.slow))
    a = drive.new_empty(batch, channels, time + 1 if record else 1, n * m)
    a[:, :, 0] = memory.adaptation.detach().reshape(batch, channels, n * m)
    movie = drive.detach().contiguous().view(batch, channels, time, n * m)

    s = _numbers(kind, law.amplification, law.leak, law.step, law.feedback, 1.0 / law.saturation, 1.0)
    relaxation = _numbers(kind, law.keep, 1.0 - law.keep)
    custom = law.custom or CustomLaw()
    special = _numbers(kind, custom.exponent, custom.threshold, custom.reversal)
    keep = custom.slow_keep
    special += (custom.symmetric, *_numbers(kind, custom.slow_weight, keep, 1.0 - keep, 0.0))
    none = np.empty((0, 0, 1), kind)
    coefficients: Tables = tables(law.blur, drive.dtype) if law.blur else (none, none, none, none, 0, none[:, :, 0])

    tasks = []
    for b in range(batch):
        for c in range(channels):
            arrays = [part[b, c].numpy() for part in (movie, out, v, a, slow)]
            scratch = np.empty((4, n * m + 2 * max(n, m)), kind)
            laws = s, relaxation, special, law.custom is not None, decay_constants(kind)
            tasks.append((*arrays, scratch, (n, m), coefficients, law.blur is not None, *laws))
    share_work(_run, tasks)
    image = batch, channels, n, m
    trace = a[:, :, 1:].reshape(drive.shape) if record else None
    return out.view(drive.shape), trace, Memory(v.view(image), a[:, :, -1].reshape(image).clone(), slow.view(image))


def _numbers(kind: np.dtype[Any], *values: Tensor | float) -> tuple[Any, ...]:
    return tuple(kind.type(value.item() if isinstance(value, Tensor) else value) for value in values)
