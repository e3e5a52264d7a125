"""The neuron of Hodgkin and Huxley: a squid axon under a space clamp."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from convis_core.ops.neuron_loops import States, check_neuron, run_neuron, substeps

__all__ = ["HodgkinHuxleyMethod", "hodgkin_huxley", "hodgkin_huxley_gates", "hodgkin_huxley_rates"]

HodgkinHuxleyMethod = Literal["exponential_euler", "euler"]


def hodgkin_huxley_rates(v: Tensor) -> tuple[Tensor, ...]:
    r"""Rates at which the gates open and close, in 1/ms: of `m`, of `h` and of `n`.

    .. math::

        \alpha_m &= 0.1 \frac{25 - v}{e^{(25 - v) / 10} - 1}, & \beta_m &= 4 e^{-v / 18} \\
        \alpha_h &= 0.07 e^{-v / 20}, & \beta_h &= \frac{1}{e^{(30 - v) / 10} + 1} \\
        \alpha_n &= 0.01 \frac{10 - v}{e^{(10 - v) / 10} - 1}, & \beta_n &= 0.125 e^{-v / 80}

    continued at 25 and 10 mV, where numerator and denominator vanish.

    Parameters
    ----------
    v : Tensor
        Potential relative to rest, in mV.

    Returns
    -------
    alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n : Tensor, shape of `v`

    Examples
    --------
    >>> alpha_m, *_ = hodgkin_huxley_rates(torch.tensor([24.999, 25.0, 25.001]))
    >>> bool((alpha_m - 1).abs().max() < 1e-4)
    True
    """
    return (
        0.1 * _ramp(25.0 - v),
        4.0 * torch.exp(-v / 18.0),
        0.07 * torch.exp(-v / 20.0),
        1.0 / (torch.exp((30.0 - v) / 10.0) + 1.0),
        0.01 * _ramp(10.0 - v),
        0.125 * torch.exp(-v / 80.0),
    )


def _ramp(x: Tensor) -> Tensor:
    """``x / (exp(x / 10) - 1)``, and what its power series says close to 0."""
    close = x.abs() < 1e-3
    safe = torch.where(close, 1.0, x)
    return torch.where(close, 10.0 - 0.5 * x, safe / torch.expm1(safe / 10.0))


def hodgkin_huxley_gates(v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Steady gates ``m, h, n`` at a potential in mV relative to rest.

    Examples
    --------
    >>> [round(float(gate), 4) for gate in hodgkin_huxley_gates(torch.tensor(0.0))]
    [0.0529, 0.5961, 0.3177]
    """
    alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = hodgkin_huxley_rates(v)
    return alpha_m / (alpha_m + beta_m), alpha_h / (alpha_h + beta_h), alpha_n / (alpha_n + beta_n)


def hodgkin_huxley(
    current: Tensor,
    v: Tensor,
    m: Tensor,
    h: Tensor,
    n: Tensor,
    *,
    step: float,
    g_K: Tensor | float = 36.0,
    g_Na: Tensor | float = 120.0,
    g_L: Tensor | float = 0.3,
    C_m: Tensor | float = 1.0,
    V_K: Tensor | float = -12.0,
    V_Na: Tensor | float = 115.0,
    V_L: Tensor | float = 10.613,
    threshold: float = 50.0,
    longest_step: float = 5e-5,
    method: HodgkinHuxleyMethod = "exponential_euler",
    traces: int = 0,
    compiled: bool = True,
) -> tuple[Tensor, States, States]:
    r"""Advance Hodgkin-Huxley neurons over a chunk.

    .. math::

        C \frac{dv}{dt} = I - g_{Na} m^3 h (v - V_{Na}) - g_K n^4 (v - V_K) - g_L (v - V_L), \qquad
        \frac{dx}{dt} = \alpha_x(v) (1 - x) - \beta_x(v) x

    for the gates ``x = m, h, n``, with `t` in ms and the rates of `hodgkin_huxley_rates`.

    Method "exponential_euler" moves the gates at constant `v`, then `v` with constant gates,
    and solves each of these linear equations exactly. The gates stand for the middle of a step
    of `v`, which makes the error second order. It is stable for any input, where "euler" is
    not: below -40 mV with steps of 0.05 ms.

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input in uA/cm^2, constant over a frame.
    v, m, h, n : Tensor, shape [batch, channel, x, y]
        Potential in mV relative to rest, and gates, before the chunk.
    step : float
        Duration of a frame in s.
    g_K, g_Na, g_L : Tensor or float
        Conductances in mS/cm^2.
    C_m : Tensor or float
        Capacitance in uF/cm^2.
    V_K, V_Na, V_L : Tensor or float
        Reversal potentials in mV relative to rest.
    threshold : float
        A spike is counted when `v` rises through it, in mV.
    longest_step : float
        Longest step of the integration, in s.
    method : {"exponential_euler", "euler"}
        How to integrate.
    traces : int
        How many of `v`, `m`, `h`, `n` to return for every frame.
    compiled : bool
        Allow the compiled loop, used on the processor where no gradient is asked for.

    Returns
    -------
    spikes : Tensor, shape of `current`
    recorded : tuple of Tensor, shape of `current`
        What `traces` asks for.
    states : tuple of Tensor
        `v`, `m`, `h` and `n`, to give back with the next chunk.

    Raises
    ------
    ShapeError, ParameterError
        If the states do not fit the input; if the method is unknown.

    Examples
    --------
    >>> rest = [torch.full((1, 1, 1, 1), x) for x in (0.0, 0.0529, 0.5961, 0.3177)]
    >>> spikes, _, _ = hodgkin_huxley(torch.full((1, 1, 500, 1, 1), 10.0), *rest, step=0.001)
    >>> int(spikes.sum())
    34

    References
    ----------
    Hodgkin A. L., Huxley A. F. (1952), A quantitative description of membrane current and its application
    to conduction and excitation in nerve, J. Physiol. 117, 500-544, doi:10.1113/jphysiol.1952.sp004764.
    """
    check_neuron(current, (v, m, h, n), method, ("exponential_euler", "euler"))
    n_steps = substeps(step, longest_step)

    def loop() -> Any:
        from convis_core.ops import hodgkin_huxley_compiled

        return hodgkin_huxley_compiled.LOOPS[method]

    return run_neuron(
        partial(_advance, method=method),
        loop,
        current,
        (v, m, h, n),
        (g_K, g_Na, g_L, C_m, V_K, V_Na, V_L, threshold, 1000.0 * step / n_steps),
        n_steps=n_steps,
        traces=traces,
        compiled=compiled,
    )


def _advance(drive: Tensor, states: States, numbers: Sequence[Tensor], *, method: str) -> tuple[Tensor, States]:
    """One step in double precision: exponentials of single precision differ between processors."""
    wide = drive.dtype if drive.device.type == "mps" else torch.float64  # Apple's GPUs have no doubles
    v, m, h, n = (state.to(wide) for state in states)
    g_K, g_Na, g_L, C_m, V_K, V_Na, V_L, threshold, dt = (number.to(wide) for number in numbers)
    alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n = hodgkin_huxley_rates(v)
    rates = ((m, alpha_m, beta_m), (h, alpha_h, beta_h), (n, alpha_n, beta_n))
    if method == "euler":
        sodium, potassium = g_Na * (m * m * m * h), g_K * (n * n * n * n)
        inward = drive - sodium * (v - V_Na) - potassium * (v - V_K) - g_L * (v - V_L)
        after = v + dt * inward / C_m
        gates = [gate + dt * (alpha * (1.0 - gate) - beta * gate) for gate, alpha, beta in rates]
    else:
        gates = [_toward(gate, alpha, beta, dt) for gate, alpha, beta in rates]
        m, h, n = gates
        sodium, potassium = g_Na * (m * m * m * h), g_K * (n * n * n * n)
        total = sodium + potassium + g_L
        aim = (drive + sodium * V_Na + potassium * V_K + g_L * V_L) / total
        after = aim + (v - aim) * torch.exp(-dt * total / C_m)
    spikes = (v < threshold) & (after >= threshold)
    return spikes.to(drive.dtype), tuple(state.to(drive.dtype) for state in (after, *gates))


def _toward(gate: Tensor, alpha: Tensor, beta: Tensor, dt: Tensor) -> Tensor:
    """Gate after a step at constant rates."""
    steady = alpha / (alpha + beta)
    return steady + (gate - steady) * torch.exp(-dt * (alpha + beta))
