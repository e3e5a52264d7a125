"""Shapes in the middle of the frame: a disc that looms, a grating behind a soft window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_shape
from convis_core.samples.gratings import drifting_grating

__all__ = ["drifting_gabor", "looming_disc"]


def drifting_gabor(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    sigma: float = 0.5,
    temporal_frequency: float = 4.0,
    spatial_frequency: float = 1.0,
    direction: float = 0.0,
    contrast: float = 1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""`drifting_grating` behind a window :math:`e^{-d^2 / 2\sigma^2}` that stands still.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    sigma : float
        Standard deviation of the window, in deg.
    temporal_frequency, spatial_frequency, direction, contrast, resolution
        As in `drifting_grating`.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    Examples
    --------
    >>> patch = drifting_gabor(100, 21, 21)
    >>> bool(abs(patch[:, 0, 0]).max() < 0.2 * abs(patch[:, 10, 10]).max())
    True
    """
    sampling = used_resolution(resolution)
    grating = drifting_grating(
        t, x, y, temporal_frequency=temporal_frequency, spatial_frequency=spatial_frequency, direction=direction,
        contrast=contrast, resolution=sampling,
    )  # fmt: skip
    width = sampling.degrees_to_pixels(check_number(sigma, "sigma", "deg", 1e-9))
    window = np.exp(-0.5 * (_from_centre(x, y) / width) ** 2)
    return np.asarray(grating * window.astype(np.float32))


def looming_disc(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    half_size_over_speed: float = 0.005,
    collision: float | None = None,
    contrast: float = -1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""Disc that grows as an object does that comes nearer at constant speed.

    .. math:: \theta(\tau) = 2 \arctan \frac{l / v}{\tau_c - \tau}

    is its angle until the collision at :math:`\tau_c`; after that it fills half the visual
    field to either side. The edge is one pixel wide, so that its area grows smoothly.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    half_size_over_speed : float
        Half the size of the object over its speed, *l/v*, in s.
    collision : float, optional
        Time of the collision :math:`\tau_c` in s; the end of the stimulus by default.
    contrast : float
        Value of the disc above the ground of 0; dark by default.
    resolution : Resolution, optional
        Pixels per degree and steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    References
    ----------
    Gabbiani, Krapp and Laurent (1999), Computation of object approach by a wide-field,
    motion-sensitive neuron, Journal of Neuroscience 19.
    https://doi.org/10.1523/JNEUROSCI.19-03-01122.1999

    Examples
    --------
    >>> area = -looming_disc(1000, 40, 40).sum(axis=(1, 2))
    >>> bool((np.diff(area) >= -1e-3).all() and area[-1] == 1600)
    True
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    ratio = check_number(half_size_over_speed, "half_size_over_speed", "s", 1e-9)
    end = t * sampling.step if collision is None else check_number(collision, "collision", "s", 0.0)
    left = np.maximum(end - sampling.step * np.arange(t), 0.0)
    radius = np.degrees(np.arctan2(ratio, left)) * sampling.pixel_per_degree
    cover = np.clip(radius[:, None, None] - _from_centre(x, y) + 0.5, 0.0, 1.0)
    return np.asarray(check_number(contrast, "contrast", "of the unit") * cover, np.float32)


def _from_centre(x: int, y: int) -> NDArray[np.float64]:
    """Distance of each pixel from the centre of the frame, in pixels."""
    rows, columns = np.arange(x) - (x - 1) / 2, np.arange(y) - (y - 1) / 2
    return np.asarray(np.hypot(rows[:, None], columns[None, :]))
