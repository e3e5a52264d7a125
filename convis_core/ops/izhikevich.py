"""Izhikevich's two-variable neuron."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from convis_core.ops.neuron_loops import States, check_neuron, run_neuron, substeps
from convis_core.ops.surrogate import Surrogate, check_surrogate, spike

__all__ = ["IzhikevichMethod", "izhikevich"]

IzhikevichMethod = Literal["euler", "rk4"]
STAGES = 2
"""Steps of integration between two looks at the threshold, as published."""


def izhikevich(
    current: Tensor,
    v: Tensor,
    u: Tensor,
    *,
    step: float,
    a: Tensor | float = 0.02,
    b: Tensor | float = 0.2,
    c: Tensor | float = -65.0,
    d: Tensor | float = 8.0,
    threshold: Tensor | float = 30.0,
    quadratic: Tensor | float = 0.04,
    linear: Tensor | float = 5.0,
    constant: Tensor | float = 140.0,
    recovery_offset: Tensor | float = 0.0,
    recovery_leak: Tensor | float = 1.0,
    longest_step: float = 0.001,
    method: IzhikevichMethod = "euler",
    surrogate: Surrogate | None = None,
    traces: int = 0,
    compiled: bool = True,
) -> tuple[Tensor, States, States]:
    r"""Advance Izhikevich neurons over a chunk.

    .. math::

        \frac{dv}{dt} = q v^2 + l v + k - u + I, \qquad \frac{du}{dt} = a (b (v + r) - e u), \qquad
        v \ge v_{th}: \; v \to c, \; u \to u + d

    with `t` in ms. Every frame is cut into the fewest equal steps that are not longer than
    `longest_step`; each is made of two halves, and the threshold is looked at after each.

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input `I` in mV/ms, constant over a frame.
    v, u : Tensor, shape [batch, channel, x, y]
        Potential in mV and recovery in mV/ms before the chunk.
    step : float
        Duration of a frame in s.
    a, b, c, d, threshold, quadratic, linear, constant, recovery_offset, recovery_leak : Tensor or float
        `a` in 1/ms, `b` in 1/ms, `c` in mV, `d` in mV/ms, then `v_th, q, l, k, r, e`.
    longest_step : float
        In s; at most one spike falls into each.
    method : {"euler", "rk4"}
        Explicit Euler steps, or the fourth-order method of Runge and Kutta, in which the
        slopes beyond the threshold are those at the threshold.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient of a spike by the distance from the threshold in units of 10 mV.
    traces : int
        1 to return `v` for every frame, 2 for `v` and `u`.
    compiled : bool
        Allow the compiled loop, used on the processor where no gradient is asked for.

    Returns
    -------
    spikes : Tensor, shape of `current`
    recorded : tuple of Tensor, shape of `current`
        What `traces` asks for.
    states : tuple of Tensor
        `v` and `u`, to give back with the next chunk.

    Raises
    ------
    ShapeError, ParameterError
        If the states do not fit the input; if the method or surrogate is unknown.

    Examples
    --------
    >>> v = torch.full((1, 1, 1, 1), -65.0)
    >>> spikes, _, _ = izhikevich(torch.full((1, 1, 300, 1, 1), 14.0), v, 0.2 * v, step=0.001, d=6.0)
    >>> int(spikes.sum())
    12

    References
    ----------
    Izhikevich E. M. (2003), Simple model of spiking neurons, IEEE Trans. Neural Netw. 14, 1569-1572,
    doi:10.1109/TNN.2003.820440.
    """
    check_neuron(current, (v, u), method, ("euler", "rk4"))
    check_surrogate(surrogate)
    n_steps = substeps(step, longest_step)
    h = 1000.0 * step / (n_steps * STAGES)
    factors = (0.5, 1 / 6, 2.0)
    numbers = (a, b, c, d, threshold, quadratic, linear, constant, recovery_offset, recovery_leak, h, *factors, STAGES)

    def loop() -> object:
        from convis_core.ops import izhikevich_compiled

        return izhikevich_compiled.LOOPS[method]

    return run_neuron(
        partial(_advance, method=method, surrogate=surrogate),
        loop,  # type: ignore[arg-type]
        current,
        (v, u),
        numbers,
        n_steps=n_steps,
        traces=traces,
        compiled=compiled,
    )


def _slopes(drive: Tensor, v: Tensor, u: Tensor, n: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    a, b, _, _, _, quadratic, linear, constant, offset, leak, *_ = n
    return quadratic * v * v + linear * v + constant - u + drive, a * (b * (v + offset) - leak * u)


def _advance(
    drive: Tensor, states: States, n: Sequence[Tensor], *, method: str, surrogate: Surrogate | None
) -> tuple[Tensor, States]:
    v, u = states
    c, d, threshold, h, half, sixth, two = n[2], n[3], n[4], *n[10:14]
    for _ in range(STAGES):
        if method == "rk4":  # beyond the threshold the equations run away within a fraction of a step
            v = torch.minimum(v, threshold)
            dv, du = _slopes(drive, v, u, n)
            dv2, du2 = _slopes(drive, torch.minimum(v + half * h * dv, threshold), u + half * h * du, n)
            dv3, du3 = _slopes(drive, torch.minimum(v + half * h * dv2, threshold), u + half * h * du2, n)
            dv4, du4 = _slopes(drive, torch.minimum(v + h * dv3, threshold), u + h * du3, n)
            dv = (dv + two * (dv2 + dv3) + dv4) * sixth
            du = (du + two * (du2 + du3) + du4) * sixth
        else:
            dv, du = _slopes(drive, v, u, n)
        v, u = v + h * dv, u + h * du
    fires = v >= threshold
    spikes = spike((v - threshold) / 10.0, fires, surrogate)
    return spikes, (torch.where(fires, c, v), torch.where(fires, u + d, u))
