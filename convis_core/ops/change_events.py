"""Events of change: one for every threshold by which a signal has moved since the last."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.tensors import TIME, describe_shape

__all__ = ["change_events"]


def change_events(
    signal: Tensor,
    level: Tensor,
    dead_time: Tensor,
    *,
    on: Tensor | float,
    off: Tensor | float,
    step: float,
    refractory: float = 0.0,
    drift: float = 0.0,
    compiled: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Compare a signal with a level that follows it in steps, and count the steps.

    In every frame :math:`n_{on} = \max(0, \lceil (s - l) / \theta_{on} \rceil - 1)` events say
    that the signal has risen by more than `on` so many times, :math:`n_{off}` that it has
    fallen, and the level moves by as much. So the level never is further from the signal than
    a threshold, and nothing is lost between frames.

    Parameters
    ----------
    signal : Tensor, shape [batch, 1, time, x, y]
        For instance a luminance or its logarithm.
    level, dead_time : Tensor, shape [batch, 1, x, y]
        Level, and what is left of the refractory time in s, before the chunk.
    on, off : Tensor or float
        Thresholds above 0, numbers or ``[batch, 1, x, y]``.
    step : float
        Duration of a frame in s.
    refractory : float
        Time in s for which a pixel is held still after an event; the level then follows the
        signal. A frame holds as many events as fit in it, but at least one.
    drift : float
        Fall of the level per s, which makes ON events of nothing.
    compiled : bool
        Allow the compiled loop, used on the processor.

    Returns
    -------
    events : Tensor, shape [batch, 2, time, x, y]
        Number of ON events (channel 0) and OFF events (channel 1) in each frame.
    level, dead_time : Tensor, shape [batch, 1, x, y]
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If there is more than one channel or the level does not fit the signal.
    ParameterError
        If a threshold is not above 0, or a time is negative.

    Examples
    --------
    >>> ramp = torch.linspace(0.0, 0.95, 20).reshape(1, 1, 20, 1, 1)
    >>> start = torch.zeros(1, 1, 1, 1)
    >>> events, level, _ = change_events(ramp, start, start, on=0.3, off=0.3, step=0.001)
    >>> events.sum(dim=(0, 2, 3, 4)).tolist(), round(float(level), 3)
    ([3.0, 0.0], 0.9)
    """
    wanted = (*signal.shape[:TIME], *signal.shape[TIME + 1 :])
    if signal.ndim != 5 or signal.shape[1] != 1:
        raise ShapeError(f"The signal should be [batch, 1, time, x, y], got {describe_shape(signal.shape)}.")
    for state in (level, dead_time):
        if tuple(state.shape) != wanted or state.dtype != signal.dtype:
            raise ShapeError(
                f"The level and the dead time should be {signal.dtype} {describe_shape(wanted)}, "
                f"got {state.dtype} {describe_shape(state.shape)}."
            )
    on, off = (torch.as_tensor(t, dtype=signal.dtype, device=signal.device).detach().expand(wanted) for t in (on, off))
    if not bool(((on > 0) & (off > 0)).all()) or refractory < 0 or step <= 0:
        raise ParameterError(
            f"Thresholds and the step must be above 0 and the refractory time not negative, got thresholds from "
            f"{min(float(on.min()), float(off.min())):g}, {step=}, {refractory=}."
        )
    most = max(1.0, step // refractory) if refractory else torch.inf
    numbers = signal.new_tensor([step, refractory, drift * step, most, 0.0, 1.0, step / 2])
    arguments = signal.detach(), level.detach(), dead_time.detach(), on, off, numbers
    if compiled and can_run_compiled(*arguments):
        from convis_core.ops.change_events_compiled import change_events_compiled

        return change_events_compiled(*arguments)
    return _plain(*arguments)


def _plain(
    signal: Tensor, level: Tensor, dead: Tensor, on: Tensor, off: Tensor, numbers: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    step, refractory, fall, most, _, _, half = numbers
    events = []
    for s in signal.unbind(TIME):
        held = dead > half
        level = level - fall
        rises = (torch.ceil((s - level) / on) - 1).clamp(min=0).minimum(most)
        falls = (torch.ceil((level - s) / off) - 1).clamp(min=0).minimum(most)
        rises, falls = torch.where(held, 0.0, rises), torch.where(held, 0.0, falls)
        fired = rises + falls > 0
        level = torch.where(held, s, level + on * rises - off * falls)
        dead = torch.where(held, dead - step, torch.where(fired, (refractory - step).clamp(min=0), 0.0))
        events.append(torch.cat([rises, falls], dim=1))
    if not events:
        return signal.new_empty(signal.shape[0], 2, 0, *signal.shape[3:]), level, dead
    return torch.stack(events, dim=TIME), level, dead
