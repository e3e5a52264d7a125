r"""Covariance of a map that is local, smooth and perhaps striped, and what slopes in it mean for its numbers.

.. math::

    C(x, x') = \rho \, a(x) \, a(x') \, e^{-|x - x'|^2 / 2 \ell^2} \cos 2 \pi f (x - x'), \quad
    a(x) = e^{-|R (x - \mu)|^2 / 4}

With the cosine taken apart into even and odd waves, both take one pass over the pairs of pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convis_core.ops.compiled import compile_sums

__all__ = ["stripes_covariance", "stripes_slope"]

Array = np.ndarray[Any, Any]


def stripes_covariance(numbers: Array, size: tuple[int, int]) -> Array:
    r"""Covariance of the pixels.

    Parameters
    ----------
    numbers : array, shape [9]
        :math:`\log\rho`, the centre :math:`\mu` (2), :math:`\log R_{xx}`, :math:`R_{yx}`,
        :math:`\log R_{yy}`, :math:`\log \ell` and :math:`f` (2), in pixels.
    size : (int, int)

    Returns
    -------
    array, shape [pixel, pixel]

    Examples
    --------
    >>> stripes_covariance(np.zeros(9), (1, 2)).round(3)
    array([[1.   , 0.472],
           [0.472, 0.607]])
    """
    covariance: Array = np.empty((size[0] * size[1],) * 2)
    _fill(numbers, size[0], size[1], covariance)
    return covariance


def stripes_slope(numbers: Array, size: tuple[int, int], slope: Array) -> Array:
    """Slope in the numbers of something whose slope ``[pixel, pixel]`` in the covariance is known, and symmetric.

    Returns
    -------
    array, shape [9]
    """
    found: Array = np.empty(9)
    _pull_back(numbers, size[0], size[1], slope, found)
    return found


@compile_sums
def _near(n, log_length):  # type: ignore[no-untyped-def]
    """Gaussian of the distance along one axis."""
    table = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            table[i, j] = math.exp(-0.5 * (i - j) ** 2 * math.exp(-2 * log_length))
    return table


@compile_sums
def _waves(numbers, nx, ny):  # type: ignore[no-untyped-def]
    """Even and odd wave in the envelope, at every pixel."""
    waves = np.empty((2, nx * ny))
    for a in range(nx):
        for b in range(ny):
            x, y = a - numbers[1], b - numbers[2]
            across, along = x * math.exp(numbers[3]), x * numbers[4] + y * math.exp(numbers[5])
            envelope = math.exp(0.5 * numbers[0] - 0.25 * (across * across + along * along))
            phase = 2 * math.pi * (numbers[7] * x + numbers[8] * y)
            waves[0, a * ny + b] = envelope * math.cos(phase)
            waves[1, a * ny + b] = envelope * math.sin(phase)
    return waves


@compile_sums
def _fill(numbers, nx, ny, covariance):  # type: ignore[no-untyped-def]
    near_x, near_y, waves = _near(nx, numbers[6]), _near(ny, numbers[6]), _waves(numbers, nx, ny)
    for i in range(nx * ny):
        a, b = i // ny, i % ny
        for c in range(nx):
            even, odd = near_x[a, c] * waves[0, i], near_x[a, c] * waves[1, i]
            for d in range(ny):
                j = c * ny + d
                covariance[i, j] = near_y[b, d] * (even * waves[0, j] + odd * waves[1, j])


@compile_sums
def _pull_back(numbers, nx, ny, slope, found):  # type: ignore[no-untyped-def]
    near_x, near_y, waves = _near(nx, numbers[6]), _near(ny, numbers[6]), _waves(numbers, nx, ny)
    xx, yx, yy = math.exp(numbers[3]), numbers[4], math.exp(numbers[5])
    found[:] = 0.0
    for i in range(nx * ny):
        a, b = i // ny, i % ny
        x, y = a - numbers[1], b - numbers[2]
        total, apart, turned_x, turned_y = 0.0, 0.0, 0.0, 0.0
        for c in range(nx):
            far_x, near = a - c, near_x[a, c]
            even, odd = near * waves[0, i], near * waves[1, i]
            row, far, turned, turned_far = 0.0, 0.0, 0.0, 0.0
            for d in range(ny):
                j = c * ny + d
                weight = slope[i, j] * near_y[b, d]
                share = weight * (even * waves[0, j] + odd * waves[1, j])
                turn = weight * (odd * waves[0, j] - even * waves[1, j])
                row += share
                far += share * ((b - d) * (b - d))
                turned += turn
                turned_far += turn * (b - d)
            total += row
            apart += far + row * (far_x * far_x)
            turned_x += turned * far_x
            turned_y += turned_far
        across, along = x * xx, x * yx + y * yy
        found[0] += total
        found[1] += total * (across * xx + along * yx)
        found[2] += total * along * yy
        found[3] -= total * across * across
        found[4] -= total * along * x
        found[5] -= total * along * y * yy
        found[6] += apart * math.exp(-2 * numbers[6])
        found[7] -= 2 * math.pi * turned_x
        found[8] -= 2 * math.pi * turned_y
