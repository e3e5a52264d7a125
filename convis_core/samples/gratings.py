"""Gratings that drift across the frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_shape

__all__ = ["drifting_grating", "moving_grating"]


def moving_grating(
    t: int = 2000, x: int = 20, y: int = 20, vt: float = 0.005, vx: float = 3.0, vy: float = 2.0, p: float = 0.0
) -> NDArray[np.float32]:
    r"""Sine grating that fills the frame whatever its size, drifting at constant speed.

    .. math:: \sin(v_x X + v_y Y + v_t T + p)

    where X and Y run from -1 to 1 over rows and columns and T from 0 to `t` over the frames,
    both ends included: one frame is ``t / (t - 1)`` long, as in the numbers this agrees with.
    Use `drifting_grating` for a grating in degrees and hertz.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    vt : float
        Phase per frame, in rad.
    vx, vy : float
        Phase from the centre to the last row and to the last column, in rad.
    p : float
        Phase in the centre of the first frame, in rad.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Values from -1 to 1.

    Examples
    --------
    >>> moving_grating().shape
    (2000, 20, 20)
    """
    t, x, y = check_shape(t, x, y)
    vt, vx, vy, p = (check_number(v, n, "rad") for v, n in ((vt, "vt"), (vx, "vx"), (vy, "vy"), (p, "p")))
    time = vt * np.linspace(0.0, t, t)[:, None, None]
    rows = vx * np.linspace(-1.0, 1.0, x)[None, :, None]
    columns = vy * np.linspace(-1.0, 1.0, y)[None, None, :]
    return np.sin(rows + columns + time + p).astype(np.float32)


def drifting_grating(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    temporal_frequency: float = 4.0,
    spatial_frequency: float = 1.0,
    direction: float = 0.0,
    contrast: float = 1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""Sine grating in physical units.

    .. math:: c \, \sin\bigl(2\pi (f_s d - f_t \tau)\bigr)

    with :math:`\tau` the time in s and *d* the distance in deg from the centre of the frame
    along the direction of motion.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    temporal_frequency : float
        Cycles per second, in Hz.
    spatial_frequency : float
        Cycles per degree.
    direction : float
        Direction of motion in rad: 0 towards higher columns, pi/2 towards lower rows (upwards).
    contrast : float
        Largest value.
    resolution : Resolution, optional
        Pixels per degree and steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    Examples
    --------
    >>> grating = drifting_grating(500, temporal_frequency=4.0)
    >>> bool(np.allclose(grating[0], grating[250], atol=1e-5))  # one period at 1000 steps a second
    True
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    temporal = 2.0 * math.pi * check_number(temporal_frequency, "temporal_frequency", "Hz") * sampling.step
    spatial = 2.0 * math.pi * check_number(spatial_frequency, "spatial_frequency", "cycles/deg")
    along = distance_along(x, y, check_number(direction, "direction", "rad")) / sampling.pixel_per_degree
    phase = spatial * along[None] - temporal * np.arange(t)[:, None, None]
    return (check_number(contrast, "contrast", "of the unit") * np.sin(phase)).astype(np.float32)


def distance_along(x: int, y: int, direction: float) -> NDArray[np.float64]:
    """Distance in pixels from the centre of the frame along a direction, for each pixel ``[x, y]``."""
    rows = np.arange(x)[:, None] - (x - 1) / 2
    columns = np.arange(y)[None, :] - (y - 1) / 2
    return np.asarray(columns * math.cos(direction) - rows * math.sin(direction))
