"""Bars that sweep across the frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import erf, from_numpy

from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_shape
from convis_core.samples.gratings import distance_along

__all__ = ["moving_bar", "moving_bars"]


def moving_bar(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    direction: float = 0.0,
    *,
    width: float = 0.1,
    speed: float = 10.0,
    blur: float = 1.0 / 60.0,
    interval: float | None = None,
    contrast: float = 1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""Bright bar on a dark ground that crosses the frame again and again.

    .. math:: c \left[\Phi\!\left(\frac{d - v\tau + w/2}{b}\right) - \Phi\!\left(\frac{d - v\tau - w/2}{b}\right)\right]

    with the normal distribution function :math:`\Phi` and the distance *d* along the motion.
    The bar is centred on the edge of the frame at time 0. It moves by fractions of a
    pixel: nothing jumps from one pixel to the next.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    direction : float
        Direction of motion in rad: 0 towards higher columns, pi/2 towards lower rows (upwards).
    width : float
        Width *w* of the bar, in deg.
    speed : float
        Speed *v*, in deg/s.
    blur : float
        Width *b* of its soft edges, in deg; 0 makes them sharp.
    interval : float, optional
        Time from one bar to the next, in s; by default a bar starts when the last has left.
    contrast : float
        Brightness *c* of the bar above the ground.
    resolution : Resolution, optional
        Pixels per degree and steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Values from 0 to `contrast`.

    Examples
    --------
    >>> bars = moving_bars(400, 10, 10)
    >>> [int(bars[step].mean(axis=0).argmax()) for step in (25, 55, 85)]  # a tenth of a pixel each step
    [2, 5, 8]
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    along = distance_along(x, y, check_number(direction, "direction", "rad"))
    half = sampling.degrees_to_pixels(check_number(width, "width", "deg", 0.0)) / 2
    edge = sampling.degrees_to_pixels(check_number(blur, "blur", "deg", 0.0))
    per_step = sampling.degrees_to_pixels(check_number(speed, "speed", "deg/s", 0.0)) * sampling.step
    reach = (abs(math.cos(direction)) * y + abs(math.sin(direction)) * x) / 2
    if interval is None:
        period = 2 * reach + 2 * half + 6 * edge
    else:
        period = per_step * sampling.seconds_to_steps(check_number(interval, "interval", "s", sampling.step))
    travelled = (per_step * np.arange(t))[:, None, None]
    distance = along[None] + reach - travelled
    if period > 0.0:  # only the nearest of the bars that have set out is seen in a pixel
        distance += period * np.maximum(np.round(-distance / period), 0.0)
    return (check_number(contrast, "contrast", "of the unit") * _profile(distance, half, edge)).astype(np.float32)


moving_bars = moving_bar


def _profile(distance: NDArray[np.float64], half: float, edge: float) -> NDArray[np.float64]:
    if edge == 0.0:
        return ((distance >= -half) & (distance < half)).astype(np.float64)
    scaled = from_numpy(distance) / (math.sqrt(2.0) * edge)
    offset = half / (math.sqrt(2.0) * edge)
    return np.asarray((0.5 * (erf(scaled + offset) - erf(scaled - offset))).numpy())
