"""Leaky integrate and fire, exact inside a step and the same however time is cut."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.integrate_and_fire_torch import integrate_and_fire_torch
from convis_core.ops.surrogate import Surrogate, check_surrogate
from convis_core.tensors import describe_shape

__all__ = ["IntegrationMethod", "leaky_integrate_and_fire"]

IntegrationMethod = Literal["exact", "euler"]


def leaky_integrate_and_fire(
    current: Tensor,
    v: Tensor,
    dead_time: Tensor,
    *,
    g: Tensor | float,
    step: float,
    refractory: Tensor | float = 0.0,
    noise: Tensor | None = None,
    noise_scale: Tensor | float = 1.0,
    method: IntegrationMethod = "exact",
    surrogate: Surrogate | None = None,
    compiled: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Integrate a current until the threshold, spike, reset, and rest for a while.

    .. math:: \frac{dv}{dt} = I(t) + s \, \xi(t) - g v, \qquad v \ge 1: \text{ spike}, \; v \to 0

    `I` and the noise are constant over a step. Method "exact" goes from event to event
    inside the step: between spikes `v` relaxes to `I / g` with rate `g`; it reaches the
    threshold after ``-log(1 - g (1 - v) / (I - g v)) / g`` if ``I > g``; after a spike
    it is held at 0 for the refractory time, which may span steps, and so may one step
    hold several spikes. Under constant current the rate is
    ``1 / (refractory + log(x / (x - 1)) / g)`` with ``x = I / g``.

    Method "euler" takes one step ``v += step * (I - g v)`` and can spike once in it. The
    spike stands at the start of its step, so that the shortest interval is the refractory
    time, rounded to steps.

    Parameters
    ----------
    current : Tensor, shape [batch, channel, time, x, y]
        Input current in threshold units per s.
    v : Tensor, shape [batch, channel, x, y]
        Membrane potential before the chunk; the threshold is 1, rest and reset are 0.
    dead_time : Tensor, shape [batch, channel, x, y]
        What is left of the refractory time, in s.
    g : Tensor or float
        Leak in 1/s, a number or one per channel ``[channel, 1, 1]``; 0 for a perfect integrator.
    step : float
        Duration of a step in s.
    refractory : Tensor or float
        Refractory time in s, a number or one per channel.
    noise : Tensor, shape of `current`, optional
        Added to the current after multiplication by `noise_scale`. Standard normal
        numbers and ``noise_scale = sigma * sqrt(2 * g / step)`` give `v` a stationary
        standard deviation close to `sigma` where it does not reach the threshold.
    noise_scale : Tensor or float
        Factor of the noise, a number or one per channel.
    method : {"exact", "euler"}
        How to integrate.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient of the first spike in a step by the distance from the threshold of the
        potential without it; the counts are the same.
    compiled : bool
        Allow the compiled loop; it is used on the processor where no gradient is asked
        for. The other loop is plain torch: any device, differentiable in all but the
        spike counts themselves.

    Returns
    -------
    spikes : Tensor, shape [batch, channel, time, x, y]
        Number of spikes in each step.
    v, dead_time : Tensor, shape [batch, channel, x, y]
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If the shapes do not fit one another.
    ParameterError
        If `g` or `refractory` is negative, `step` not above 0, or `method` unknown.

    References
    ----------
    Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, chapter 1.3. DOI 10.1017/CBO9781107447615

    Examples
    --------
    >>> rest = torch.zeros(1, 1, 1, 1)
    >>> spikes, v, dead = leaky_integrate_and_fire(
    ...     torch.full((1, 1, 1000, 1, 1), 100.0), rest, rest, g=50.0, step=0.001, refractory=0.003
    ... )
    >>> int(spikes.sum())  # 1 s at 1 / (0.003 + log(2) / 50) = 59.3 Hz
    59
    """
    _check(current, v, dead_time, noise, method, step)
    check_surrogate(surrogate)
    channels = current.shape[1]
    numbers = {"g": g, "refractory": refractory, "noise_scale": noise_scale}
    plain = {name: _numbers(value, channels, name) for name, value in numbers.items()}
    given = [t for t in (noise, *numbers.values()) if isinstance(t, Tensor)]
    if compiled and can_run_compiled(current, v, dead_time, *given):
        from convis_core.ops.integrate_and_fire_compiled import integrate_and_fire_compiled

        return integrate_and_fire_compiled(method, current, v, dead_time, noise, step=step, **plain)
    tensors = {name: _per_channel(value, current) for name, value in numbers.items()}
    return integrate_and_fire_torch(method, current, v, dead_time, noise, step=step, **tensors, surrogate=surrogate)


def _numbers(value: Tensor | float, channels: int, name: str) -> list[float]:
    """Return the number of each channel, checked."""
    values = value.detach().reshape(-1).tolist() if isinstance(value, Tensor) else [float(value)]
    if len(values) not in (1, channels):
        raise ShapeError(
            f"{name} must be a number or have one value for each of {channels} channels, got {len(values)} of them."
        )
    if min(values) < 0:
        raise ParameterError(f"{name} must not be negative, got {min(values):g}.")
    return values if len(values) == channels else values * channels


def _per_channel(value: Tensor | float, current: Tensor) -> Tensor:
    tensor = torch.as_tensor(value, dtype=torch.float64 if isinstance(value, float) else None, device=current.device)
    return tensor.reshape(-1).expand(current.shape[1])


def _check(current: Tensor, v: Tensor, dead_time: Tensor, noise: Tensor | None, method: str, step: float) -> None:
    if current.ndim != 5:
        raise ShapeError(
            f"The current must be [batch, channel, time, x, y], got {describe_shape(current.shape)}.",
            "Use convis_core.tensors.lift on an array with fewer axes.",
        )
    wanted = (*current.shape[:2], *current.shape[3:])
    for name, state in (("v", v), ("dead_time", dead_time)):
        if tuple(state.shape) != wanted or state.dtype != current.dtype:
            raise ShapeError(
                f"{name} should be {describe_shape(wanted)} of {current.dtype} to go with a current "
                f"{describe_shape(current.shape)}, got {describe_shape(state.shape)} of {state.dtype}.",
                "Clear the state before running an input of another size, batch, channel count or precision.",
            )
    if noise is not None and noise.shape != current.shape:
        raise ShapeError(
            f"The noise must have the shape of the current, {describe_shape(current.shape)}, "
            f"got {describe_shape(noise.shape)}."
        )
    if method not in ("exact", "euler"):
        raise ParameterError(f"method must be 'exact' or 'euler', got {method!r}.")
    if not step > 0:
        raise ParameterError(f"step must be a duration in s above 0, got {step!r}.")
