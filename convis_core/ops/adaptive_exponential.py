"""The adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from convis_core.ops.neuron_loops import States, check_neuron, run_neuron, substeps
from convis_core.ops.surrogate import Surrogate, check_surrogate, spike

__all__ = ["AdaptiveExponentialMethod", "adaptive_exponential"]

AdaptiveExponentialMethod = Literal["exponential_euler", "euler"]
STEEPEST = 40.0
"""Largest exponent taken: a potential with more of it reaches any peak within a step."""


def adaptive_exponential(
    current: Tensor,
    v: Tensor,
    w: Tensor,
    *,
    step: float,
    C: Tensor | float = 281.0,
    g_L: Tensor | float = 30.0,
    E_L: Tensor | float = -70.6,
    V_T: Tensor | float = -50.4,
    delta_T: Tensor | float = 2.0,
    tau_w: Tensor | float = 0.144,
    a: Tensor | float = 4.0,
    b: Tensor | float = 80.5,
    V_reset: Tensor | float = -70.6,
    V_peak: Tensor | float = 20.0,
    longest_step: float = 1e-4,
    method: AdaptiveExponentialMethod = "exponential_euler",
    surrogate: Surrogate | None = None,
    traces: int = 0,
    compiled: bool = True,
) -> tuple[Tensor, States, States]:
    r"""Advance adaptive exponential neurons over a chunk.

    .. math::

        C \frac{dv}{dt} = -g_L (v - E_L) + g_L \Delta_T e^{(v - V_T) / \Delta_T} - w + I, \qquad
        \tau_w \frac{dw}{dt} = a (v - E_L) - w, \qquad
        v \ge V_{peak}: \; v \to V_{reset}, \; w \to w + b

    Method "exponential_euler" holds the exponential, `w` and the input for a step and solves
    the linear equation of `v` exactly, and that of `w` at the old `v`.

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input `I` in pA, constant over a frame.
    v, w : Tensor, shape [batch, channel, x, y]
        Potential in mV and adaptation current in pA before the chunk.
    step : float
        Duration of a frame in s.
    C, g_L, E_L, V_T, delta_T, tau_w, a, b, V_reset, V_peak : Tensor or float
        In pF, nS, mV, mV, mV, s, nS, pA, mV and mV.
    longest_step : float
        Longest step of the integration, in s; at most one spike falls into each.
    method : {"exponential_euler", "euler"}
        How to integrate.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient of a spike by the distance of `v` from ``V_T``, in units of 10 mV.
    traces : int
        1 to return `v` for every frame, 2 for `v` and `w`.
    compiled : bool
        Allow the compiled loop, used on the processor where no gradient is asked for.

    Returns
    -------
    spikes : Tensor, shape of `current`
    recorded : tuple of Tensor, shape of `current`
        What `traces` asks for.
    states : tuple of Tensor
        `v` and `w`, to give back with the next chunk.

    Raises
    ------
    ShapeError, ParameterError
        If the states do not fit the input; if the method or surrogate is unknown.

    Examples
    --------
    >>> v = torch.full((1, 1, 1, 1), -70.6)
    >>> spikes, _, _ = adaptive_exponential(torch.full((1, 1, 500, 1, 1), 1000.0), v, 0 * v, step=0.001)
    >>> int(spikes.sum())
    17

    References
    ----------
    Brette R., Gerstner W. (2005), Adaptive exponential integrate-and-fire model as an effective description
    of neuronal activity, J. Neurophysiol. 94, 3637-3642, doi:10.1152/jn.00686.2005.
    """
    check_neuron(current, (v, w), method, ("exponential_euler", "euler"))
    check_surrogate(surrogate)
    n_steps = substeps(step, longest_step)

    def loop() -> Any:
        from convis_core.ops import adaptive_exponential_compiled

        return adaptive_exponential_compiled.LOOPS[method]

    return run_neuron(
        partial(_advance, method=method, surrogate=surrogate),
        loop,
        current,
        (v, w),
        (C, g_L, E_L, V_T, delta_T, 1000.0 * tau_w, a, b, V_reset, V_peak, 1000.0 * step / n_steps, STEEPEST),
        n_steps=n_steps,
        traces=traces,
        compiled=compiled,
    )


def _advance(
    drive: Tensor, states: States, numbers: Sequence[Tensor], *, method: str, surrogate: Surrogate | None
) -> tuple[Tensor, States]:
    """One step in double precision: exponentials of single precision differ between processors."""
    wide = drive.dtype if drive.device.type == "mps" else torch.float64  # Apple's GPUs have no doubles
    v, w = (state.to(wide) for state in states)
    C, g_L, E_L, V_T, delta_T, tau_w, a, b, V_reset, V_peak, h, _ = (number.to(wide) for number in numbers)
    push = g_L * delta_T * torch.exp(((v - V_T) / delta_T).clamp(max=STEEPEST)) - w + drive
    pull = a * (v - E_L)
    if method == "euler":
        w = w + h * (pull - w) / tau_w
        v = v + h * (push - g_L * (v - E_L)) / C
    else:
        w = pull + (w - pull) * torch.exp(-h / tau_w)
        aim = E_L + push / g_L
        v = aim + (v - aim) * torch.exp(-h * g_L / C)
    fires = v >= V_peak
    spikes = spike((torch.minimum(v, V_peak) - V_T) / 10.0, fires, surrogate)
    v, w = torch.where(fires, V_reset, v), torch.where(fires, w + b, w)
    return spikes.to(drive.dtype), (v.to(drive.dtype), w.to(drive.dtype))
