"""Loops over time that all neuron models share: in plain torch, or compiled and spread over threads.

A model gives one step of its equations on whole frames, and the same as a compiled loop
over cells. The arithmetic is done in the precision of the input, in the same order in
both, so that both give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.tensors import TIME, describe_shape

__all__ = ["Advance", "check_neuron", "run_neuron", "substeps"]

States = tuple[Tensor, ...]
Advance = Callable[[Tensor, States, Sequence[Tensor]], tuple[Tensor, States]]
"""One step: drive, states and numbers of the model in; spikes in this step and the states after it out."""

_STEPS_WORTH_A_THREAD = 100_000  # cell-steps


def substeps(step: float, longest: float) -> int:
    """Into how many equal parts to cut a frame so that none is longer than `longest`.

    Examples
    --------
    >>> substeps(0.001, 0.0005), substeps(0.005, 0.001), substeps(0.0001, 0.001)
    (2, 5, 1)
    """
    if not longest > 0:
        raise ParameterError(f"The longest step of an integration must be above 0, got {longest:g} s.")
    return max(1, math.ceil(step / longest * (1 - 1e-9)))


def check_neuron(current: Tensor, states: Sequence[Tensor], method: str, methods: Sequence[str]) -> None:
    """Refuse states that do not belong to the input, and methods that the model does not have."""
    if current.ndim != 5:
        raise ShapeError(f"The input should be [batch, channel, time, x, y], got {describe_shape(current.shape)}.")
    wanted = (*current.shape[:TIME], *current.shape[TIME + 1 :])
    for state in states:
        if tuple(state.shape) != wanted or state.dtype != current.dtype:
            raise ShapeError(
                f"A state of this neuron should be {current.dtype} {describe_shape(wanted)}, "
                f"got {state.dtype} {describe_shape(state.shape)}.",
                "Start from the states returned with the last chunk.",
            )
    if method not in methods:
        raise ParameterError(
            f"There is no integration method {method!r} for this neuron.", f"Use {' or '.join(map(repr, methods))}."
        )


def run_neuron(
    advance: Advance,
    loop: Callable[[], Callable[..., None]],
    current: Tensor,
    states: States,
    numbers: Sequence[Tensor | float],
    *,
    n_steps: int,
    traces: int = 0,
    compiled: bool = True,
) -> tuple[Tensor, States, States]:
    """Run a model over a chunk.

    Parameters
    ----------
    advance : callable
        One step on whole frames, see `Advance`.
    loop : callable
        Gives the compiled loop; called where it can be used: on the processor, without gradients.
    current : Tensor, shape [batch, channel, time, x, y]
        What drives the neurons, constant over a frame.
    states : tuple of Tensor, shape [batch, channel, x, y]
        Before the chunk.
    numbers : sequence of Tensor or float
        Numbers of the model, one of each, in the order both loops expect.
    n_steps : int
        Steps of integration a frame.
    traces : int
        How many of the states to return for every frame.
    compiled : bool
        Allow the compiled loop.

    Returns
    -------
    spikes : Tensor, shape of `current`
        Spikes in each frame.
    recorded : tuple of Tensor, shape of `current`
        The first `traces` states at the end of each frame.
    states : tuple of Tensor, shape [batch, channel, x, y]
        After the chunk.

    Raises
    ------
    ParameterError
        If they are no numbers any more, and never would be again.
    """
    tensors = [torch.as_tensor(n, dtype=current.dtype, device=current.device) for n in numbers]
    if compiled and can_run_compiled(current, *states, *tensors):
        answer = _run_compiled(loop(), current, states, tensors, n_steps, traces)
        _check_finite(answer[-1])
        return answer
    spikes: list[Tensor] = []
    recorded: list[list[Tensor]] = [[] for _ in range(traces)]
    for drive in current.unbind(TIME):
        count = torch.zeros_like(drive)
        for _ in range(n_steps):
            fired, states = advance(drive, states, tensors)
            count = count + fired
        spikes.append(count)
        for k, trace in enumerate(recorded):
            trace.append(states[k])
    if not spikes:
        return torch.empty_like(current), (torch.empty_like(current),) * traces, states
    _check_finite(states)
    stacked = tuple(torch.stack(trace, dim=TIME) for trace in recorded)
    return torch.stack(spikes, dim=TIME), stacked, states


def _check_finite(states: States) -> None:
    """Refuse an integration that went astray: its potentials would be NaN in silence from then on."""
    if not bool(torch.stack([state.isfinite().all() for state in states]).all()):
        raise ParameterError(
            "The potential of a neuron grew beyond all numbers: its input is too strong for steps this long.",
            "Check the unit of the input and of its noise, or lower longest_step.",
        )


def _run_compiled(
    loop: Callable[..., None],
    current: Tensor,
    states: States,
    numbers: Sequence[Tensor],
    n_steps: int,
    traces: int,
) -> tuple[Tensor, States, States]:
    """Give every thread a share of the cells of every batch and channel."""
    from convis_core.ops.compiled import cut, share_work

    batch, channels, time, *space = current.shape
    cells = space[0] * space[1]
    drive = current.detach().contiguous().view(batch * channels, time, cells)
    spikes = torch.empty_like(drive)
    recorded = drive.new_empty(batch * channels, traces, time, cells)
    after = torch.stack([s.detach().reshape(batch * channels, cells) for s in states], dim=1)
    plain = torch.stack([n.detach() for n in numbers]).numpy()
    pieces = cut(cells, current.numel(), _STEPS_WORTH_A_THREAD, batch * channels)
    tasks: list[tuple[Any, ...]] = []
    for plane in range(batch * channels):
        arrays = [movie[plane].numpy() for movie in (drive, spikes, recorded, after)]
        tasks += [(*arrays, plain, n_steps, low, high) for low, high in pieces]
    share_work(loop, tasks)
    movies = tuple(recorded[:, k].reshape(current.shape) for k in range(traces))
    return spikes.view(current.shape), movies, tuple(after[:, k].reshape(states[0].shape) for k in range(len(states)))
