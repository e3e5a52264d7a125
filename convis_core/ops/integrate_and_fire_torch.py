"""The loop of `convis_core.ops.integrate_and_fire` in plain torch: any device, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.ops.surrogate import Surrogate, spike
from convis_core.tensors import TIME

__all__ = ["integrate_and_fire_torch"]


def integrate_and_fire_torch(
    method: str,
    current: Tensor,
    v: Tensor,
    dead_time: Tensor,
    noise: Tensor | None,
    g: Tensor,
    step: float,
    refractory: Tensor,
    noise_scale: Tensor,
    surrogate: Surrogate | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the loop on whole frames; `g`, `refractory`, `noise_scale` are ``[channel]``.

    A step is computed in double precision and its state then rounded to that of the
    current, as in the compiled loop, so that both count the same spikes.
    """
    advance = {"exact": _exact, "euler": _euler}[method]
    wide = current.dtype if current.device.type == "mps" else torch.float64  # Apple's GPUs have no doubles
    g, refractory, noise_scale = (p.to(wide)[:, None, None] for p in (g, refractory, noise_scale))
    spikes = []
    for t in range(current.shape[TIME]):
        drive = current[:, :, t].to(wide)
        if noise is not None:
            drive = drive + noise_scale * noise[:, :, t]
        count, v, dead_time = advance(drive, v.to(wide), dead_time.to(wide), g, step, refractory, surrogate)
        spikes.append(count.to(current.dtype))
        v, dead_time = v.to(current.dtype), dead_time.to(current.dtype)
    if not spikes:
        return torch.empty_like(current), v, dead_time
    return torch.stack(spikes, dim=TIME), v, dead_time


def _reach(duration: Tensor, g: Tensor) -> Tensor:
    """How far `v` has gone towards a new equilibrium, per unit of dv/dt at the start."""
    leak = torch.where(g > 0, g, 1.0)  # both branches of a `where` must be finite for its gradient
    return torch.where(g > 0, -torch.expm1(-leak * duration) / leak, duration)


def _wait(distance: Tensor, speed: Tensor, g: Tensor, fires: Tensor, longest: Tensor) -> Tensor:
    """Time to go `distance` at initial `speed`, where `fires` says that it is gone at all."""
    fraction = torch.where(fires, distance, 0.0) / torch.where(fires, speed, 1.0)
    leak = torch.where(g > 0, g, 1.0)
    inside = torch.where(leak * fraction < 1, leak * fraction, 0.0)
    logarithmic = torch.where(leak * fraction < 1, -torch.log1p(-inside) / leak, longest)
    return torch.where(g > 0, logarithmic, fraction)


def _exact(
    drive: Tensor, v: Tensor, dead: Tensor, g: Tensor, step: float, refractory: Tensor, surrogate: Surrogate | None
) -> tuple[Tensor, Tensor, Tensor]:
    active = (step - dead.clamp(min=0)).clamp(min=0)
    end = v + (drive - g * v) * _reach(active, g)
    fires = (active > 0) & ((end > 1) | (v > 1))

    wait = torch.minimum(_wait(1 - v, drive - g * v, g, fires & (v < 1), active), active)
    since = torch.where(fires, active - wait, 0.0)
    repeats = fires & (drive > g)
    period = refractory + _wait(torch.ones_like(v), drive, g, repeats, active)
    more = torch.where(repeats, torch.floor(since / torch.where(repeats, period, 1.0)), 0.0).detach()
    since = (since - more * period).clamp(min=0)

    after = drive * _reach((since - refractory).clamp(min=0), g)
    still_dead = torch.where(fires, (refractory - since).clamp(min=0), (dead - step).clamp(min=0))
    first = spike(torch.where(active > 0, end, 0.0) - 1, fires, surrogate)
    return first + more, torch.where(fires, after, end), still_dead


def _euler(
    drive: Tensor, v: Tensor, dead: Tensor, g: Tensor, step: float, refractory: Tensor, surrogate: Surrogate | None
) -> tuple[Tensor, Tensor, Tensor]:
    resting = dead > 0.5 * step
    end = v + step * (drive - g * v)
    fires = ~resting & (end >= 1)
    count = spike(torch.where(resting, 0.0, end) - 1, fires, surrogate)
    v = torch.where(resting, v, torch.where(fires, 0.0, end))
    dead = torch.where(resting, dead - step, torch.where(fires, (refractory - step).clamp(min=0), 0.0))
    return count, v, dead
