"""Apertures ``[1, x, y]`` to multiply a stimulus with: squares and circles in the middle of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core.samples.checks import check_number, check_shape

__all__ = ["mask_circle", "mask_square"]

STEEPNESS = 5.0
"""Slope of a circle's soft edge, per pixel."""


def mask_square(x: int = 20, y: int = 20, width: float = 5.0, center_on_pixel: bool = True) -> NDArray[np.bool_]:
    """Square in the middle of a frame: where rows and columns are nearer than `width` to the centre.

    Parameters
    ----------
    x, y : int
        Rows and columns.
    width : float
        Half the side of the square, in px.
    center_on_pixel : bool
        Put the centre on pixel ``(n - 1) // 2`` of an even number of pixels, not between two.

    Returns
    -------
    ndarray, shape [1, x, y], bool

    Examples
    --------
    >>> mask_square(5, 7, width=2).sum(axis=2).tolist()
    [[0, 3, 3, 3, 0]]
    """
    rows, columns = _distances(x, y, center_on_pixel)
    half = check_number(width, "width", "px", 0.0)
    return np.asarray((np.abs(rows) < half) & (np.abs(columns) < half))[None]


def mask_circle(
    x: int = 20, y: int = 20, radius: float = 5.0, center_on_pixel: bool = True, *, hard: bool = False
) -> NDArray[np.float64] | NDArray[np.bool_]:
    r"""Circle in the middle of a frame, :math:`1 / (1 + e^{5 (d - r)})` at the distance *d* from the centre.

    Parameters
    ----------
    x, y : int
        Rows and columns.
    radius : float
        Radius *r*, in px.
    center_on_pixel : bool
        Put the centre on pixel ``(n - 1) // 2`` of an even number of pixels, not between two.
    hard : bool
        True for a mask that is 1 where *d* < *r* and 0 elsewhere.

    Returns
    -------
    ndarray, shape [1, x, y], float64, or bool if `hard`

    Examples
    --------
    >>> mask_circle(5, 7, radius=2, hard=True).astype(int)[0, 2].tolist()
    [0, 0, 1, 1, 1, 0, 0]
    """
    rows, columns = _distances(x, y, center_on_pixel)
    outside = np.hypot(rows, columns) - check_number(radius, "radius", "px", 0.0)
    if hard:
        return np.asarray(outside < 0.0)[None]
    return np.asarray(0.5 * (1.0 - np.tanh(0.5 * STEEPNESS * outside)))[None]  # a logistic that cannot overflow


def _distances(x: int, y: int, center_on_pixel: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, x, y = check_shape(1, x, y)
    return _axis(x, center_on_pixel)[:, None], _axis(y, center_on_pixel)[None, :]


def _axis(n: int, center_on_pixel: bool) -> NDArray[np.float64]:
    """Distance of each pixel from the centre; both ends of the frame are included, as in the reference numbers."""
    return np.linspace(-n / 2, n / 2 + (center_on_pixel and n % 2 == 0), n)
