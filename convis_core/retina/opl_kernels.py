"""Impulse responses of the outer plexiform layer, cut to a window and scaled to the gain of the whole."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.ops.kernels import unit_sum
from convis_core.ops.leaky_heat import leaky_heat_equation
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.recursive_time import exponential_filter
from convis_core.retina.outer_plexiform_base import OuterPlexiformFilter

__all__ = ["TimeCourses", "centre_surround_kernels", "stage_kernels", "time_courses"]


@dataclass(frozen=True)
class TimeCourses:
    """Time courses of a layer, ``[lag]``, each of unit sum: of its centre, undershoot and surround."""

    centre: Tensor
    slow: Tensor
    surround: Tensor


def time_courses(opl: OuterPlexiformFilter, n_lags: int) -> TimeCourses:
    """Return the time courses of a layer without a leaky heat equation; that of the surround is for receptors' light.

    Examples
    --------
    >>> from convis_core.retina import SeparableOPLFilter
    >>> courses = time_courses(SeparableOPLFilter(tau_center=0.001), 5)
    >>> courses.centre.detach().round(decimals=3)
    tensor([0.6360, 0.2340, 0.0860, 0.0320, 0.0120])
    """
    impulse = _impulse(opl, n_lags)
    centre = impulse
    for _ in range(opl.n_center + 1):
        centre = _exponential(centre, opl.tau_center / max(opl.n_center, 1), opl.resolution.step)
    delay = opl.stage_delay
    centre = _later(centre, delay if opl.undershoot else 0)
    slow = _exponential(centre, opl.undershoot_tau_center, opl.resolution.step)
    surround = _exponential(_later(impulse, delay), opl.tau_surround, opl.resolution.step)
    return TimeCourses(*(unit_sum(course.flatten()) for course in (centre, slow, surround)))


def centre_surround_kernels(opl: OuterPlexiformFilter, n_lags: int, radius: int) -> tuple[Tensor, Tensor]:
    """Return the filters of receptors and of horizontal cells, ``[lag, x, y]``.

    Examples
    --------
    >>> from convis_core.retina import FullConvolutionOPLFilter
    >>> opl = FullConvolutionOPLFilter(relative_weight=0.5)
    >>> receptor, horizontal = centre_surround_kernels(opl, 20, 8)
    >>> [round(k.sum().item(), 3) for k in (receptor, horizontal)]  # 1 - 0.8, half of it
    [0.2, 0.1]
    """
    parts = _coupled(opl, n_lags, radius) if opl.leaky_heat_equation else _separate(opl, n_lags, radius)
    centre, slow, seen, seen_slow = (unit_sum(part) for part in parts)
    receptor = opl.gain * (centre - opl.weight_undershoot * slow)
    return receptor, opl.gain * opl.relative_weight * (seen - opl.weight_undershoot * seen_slow)


def stage_kernels(opl: OuterPlexiformFilter, lags: tuple[int, int], radii: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the filters from light to receptors and from receptors to the surround, ``[lag, x, y]``.

    Examples
    --------
    >>> from convis_core.retina import FullConvolutionOPLFilter
    >>> receptor, surround = stage_kernels(FullConvolutionOPLFilter(), (20, 10), (3, 8))
    >>> receptor.shape, round(receptor.sum().item(), 3), surround.shape, round(surround.sum().item(), 3)
    (torch.Size([20, 7, 7]), 0.2, torch.Size([10, 17, 17]), 1.0)
    """
    if opl.leaky_heat_equation:
        centre, slow = _leaky_centre(opl, lags[0], radii[0])
        late = _later(_spot(opl, lags[1], radii[1]), opl.stage_delay)
        centre, slow = _middle(centre, radii[0]), _middle(slow, radii[0])
        surround = _middle(_spread(opl, late, opl.tau_surround, opl.sigma_surround), radii[1])
    else:
        scale = opl.resolution.pixel_per_degree
        courses, late_courses = (time_courses(opl, n) for n in lags)
        near, wide = (
            _middle(recursive_blur(_spot(opl, 1, radius), sigma * scale), radius)
            for radius, sigma in zip(radii, (opl.sigma_center, opl.sigma_surround), strict=True)
        )
        centre, slow, surround = (
            course[:, None, None] * profile
            for course, profile in ((courses.centre, near), (courses.slow, near), (late_courses.surround, wide))
        )
    return opl.gain * (unit_sum(centre) - opl.weight_undershoot * unit_sum(slow)), unit_sum(surround)


Parts = tuple[Tensor, Tensor, Tensor, Tensor]
"""Centre and its slow copy, and what the surround makes of either, ``[lag, x, y]``."""


def _separate(opl: OuterPlexiformFilter, n_lags: int, radius: int) -> Parts:
    courses, step, scale = time_courses(opl, n_lags), opl.resolution.step, opl.resolution.pixel_per_degree
    times = [courses.centre, courses.slow]
    for course in (courses.centre, courses.slow):
        late = _exponential(_later(course[None, None, :, None, None], opl.stage_delay), opl.tau_surround, step)
        times.append(late.flatten())
    spot = _spot(opl, 1, radius)
    near = recursive_blur(spot, opl.sigma_center * scale)
    wide = recursive_blur(near, opl.sigma_surround * scale)
    spaces = [_middle(near, radius)[0]] * 2 + [_middle(wide, radius)[0]] * 2
    a, b, c, d = (t[:, None, None] * s for t, s in zip(times, spaces, strict=True))
    return a, b, c, d


def _coupled(opl: OuterPlexiformFilter, n_lags: int, radius: int) -> Parts:
    centre, slow = _leaky_centre(opl, n_lags, radius)
    late = (_later(x, opl.stage_delay) for x in (centre, slow))
    seen, seen_slow = (_spread(opl, x, opl.tau_surround, opl.sigma_surround) for x in late)
    return _middle(centre, radius), _middle(slow, radius), _middle(seen, radius), _middle(seen_slow, radius)


def _leaky_centre(opl: OuterPlexiformFilter, n_lags: int, radius: int) -> tuple[Tensor, Tensor]:
    """Centre and its slow copy with a leaky heat equation, in a frame of twice the width."""
    centre = _spread(opl, _spot(opl, n_lags, radius), opl.tau_center, opl.sigma_center)
    centre = _later(centre, opl.stage_delay if opl.undershoot else 0)
    return centre, _exponential(centre, opl.undershoot_tau_center, opl.resolution.step)


def _spread(opl: OuterPlexiformFilter, x: Tensor, tau: Tensor, sigma: Tensor) -> Tensor:
    scale, step = opl.resolution.pixel_per_degree, opl.resolution.step
    return leaky_heat_equation(x, tau, sigma * scale, step, torch.zeros_like(x[:, :, 0]))[0]


def _impulse(opl: OuterPlexiformFilter, n_lags: int) -> Tensor:
    first = torch.zeros(1, 1, n_lags, 1, 1, dtype=opl.dtype, device=opl.device)
    first[:, :, 0] = 1.0
    return first


def _spot(opl: OuterPlexiformFilter, n_lags: int, radius: int) -> Tensor:
    """Impulse in the middle of a frame of twice the width, so that its border is far from what is used."""
    reach = 2 * radius
    return functional.pad(_impulse(opl, n_lags), (reach, reach, reach, reach))


def _middle(x: Tensor, radius: int) -> Tensor:
    return x[0, 0, :, radius : 3 * radius + 1, radius : 3 * radius + 1]


def _exponential(x: Tensor, tau: Tensor, step: float) -> Tensor:
    return exponential_filter(x, tau, step, torch.zeros_like(x[:, :, 0]))[0]


def _later(x: Tensor, steps: int) -> Tensor:
    return functional.pad(x, (0, 0, 0, 0, steps, -steps)) if steps else x
