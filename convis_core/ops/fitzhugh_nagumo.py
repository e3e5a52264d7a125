"""The two-variable neuron of FitzHugh and Nagumo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from convis_core.ops.neuron_loops import States, check_neuron, run_neuron, substeps

__all__ = ["FitzHughNagumoMethod", "fitzhugh_nagumo", "fitzhugh_nagumo_rest"]

FitzHughNagumoMethod = Literal["euler", "rk4"]


def fitzhugh_nagumo(
    current: Tensor,
    v: Tensor,
    w: Tensor,
    *,
    step: float,
    a: Tensor | float = 0.7,
    b: Tensor | float = 0.8,
    tau: Tensor | float = 0.08,
    time_constant: Tensor | float = 0.001,
    threshold: float = 1.0,
    longest_step: float = 0.1,
    method: FitzHughNagumoMethod = "euler",
    traces: int = 0,
    compiled: bool = True,
) -> tuple[Tensor, States, States]:
    r"""Advance FitzHugh-Nagumo neurons over a chunk.

    .. math::

        T \frac{dv}{dt} = v - \frac{v^3}{3} - w + I, \qquad T \frac{dw}{dt} = \tau (v + a - b w)

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input `I`, a pure number, constant over a frame.
    v, w : Tensor, shape [batch, channel, x, y]
        Potential and recovery before the chunk, pure numbers.
    step : float
        Duration of a frame in s.
    a, b, tau : Tensor or float
        Pure numbers.
    time_constant : Tensor or float
        The unit of time `T`, in s.
    threshold : float
        A spike is counted when `v` rises through it.
    longest_step : float
        Longest step of the integration, in units of `time_constant`.
    method : {"euler", "rk4"}
        Explicit Euler steps, or the fourth-order method of Runge and Kutta.
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
        If the states do not fit the input; if the method is unknown.

    Examples
    --------
    >>> v = torch.full((1, 1, 1, 1), -1.2)
    >>> spikes, _, _ = fitzhugh_nagumo(torch.full((1, 1, 400, 1, 1), 0.5), v, v + 0.6, step=0.001)
    >>> int(spikes.sum())
    11

    References
    ----------
    FitzHugh R. (1961), Impulses and physiological states in theoretical models of nerve membrane,
    Biophys. J. 1, 445-466, doi:10.1016/S0006-3495(61)86902-6 (with `v`, `w` and `I` of the opposite sign).
    """
    check_neuron(current, (v, w), method, ("euler", "rk4"))
    n_steps = substeps(step, longest_step * float(torch.as_tensor(time_constant).detach()))
    h = step / n_steps / time_constant

    def loop() -> Any:
        from convis_core.ops import fitzhugh_nagumo_compiled

        return fitzhugh_nagumo_compiled.LOOPS[method]

    return run_neuron(
        partial(_advance, method=method),
        loop,
        current,
        (v, w),
        (a, b, tau, threshold, h, 3.0, 0.5, 2.0, 6.0),
        n_steps=n_steps,
        traces=traces,
        compiled=compiled,
    )


def _slopes(drive: Tensor, v: Tensor, w: Tensor, n: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    a, b, tau, _, _, three, *_ = n
    return v - v * v * v / three - w + drive, tau * (v + a - b * w)


def _advance(drive: Tensor, states: States, n: Sequence[Tensor], *, method: str) -> tuple[Tensor, States]:
    v, w = states
    threshold, h, _, half, two, six = n[3:]
    dv, dw = _slopes(drive, v, w, n)
    if method == "rk4":
        dv2, dw2 = _slopes(drive, v + half * h * dv, w + half * h * dw, n)
        dv3, dw3 = _slopes(drive, v + half * h * dv2, w + half * h * dw2, n)
        dv4, dw4 = _slopes(drive, v + h * dv3, w + h * dw3, n)
        dv = (dv + two * (dv2 + dv3) + dv4) / six
        dw = (dw + two * (dw2 + dw3) + dw4) / six
    after = v + h * dv
    spikes = ((v < threshold) & (after >= threshold)).to(drive.dtype)
    return spikes, (after, w + h * dw)


def fitzhugh_nagumo_rest(a: Tensor, b: Tensor, current: float = 0.0) -> tuple[Tensor, Tensor]:
    r"""Fixed point of the equations under a constant input, differentiable in `a` and `b`.

    .. math:: v - v^3 / 3 - (v + a) / b + I = 0, \qquad w = (v + a) / b

    which has one solution for ``b < 1``.

    Examples
    --------
    >>> v, w = fitzhugh_nagumo_rest(torch.tensor(0.7), torch.tensor(0.8))
    >>> round(float(v), 4), round(float(w), 4)
    (-1.1994, -0.6243)
    """

    def excess(v: Tensor) -> Tensor:
        return v - v**3 / 3 - (v + wide_a) / wide_b + current

    wide_a, wide_b = a.double(), b.double()
    with torch.no_grad():  # it falls monotonically: halve the interval in which it crosses 0
        low, high = torch.full_like(wide_a, -100.0), torch.full_like(wide_a, 100.0)
        for _ in range(64):
            middle = (low + high) / 2
            low, high = torch.where(excess(middle) > 0, middle, low), torch.where(excess(middle) > 0, high, middle)
        v = (low + high) / 2
    v = v - excess(v) / (1 - v**2 - 1 / wide_b)  # a step of Newton's method, which carries the gradient
    return v.to(a.dtype), ((v + wide_a) / wide_b).to(a.dtype)
