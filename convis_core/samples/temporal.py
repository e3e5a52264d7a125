"""Full-field stimuli whose brightness follows a time course: the chirp, and sums of sinusoids."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_shape

__all__ = ["SHAPLEY_VICTOR_FREQUENCIES", "chirp", "sum_of_sinusoids"]

SHAPLEY_VICTOR_FREQUENCIES: Final = tuple((2**k - 1) / 65.526 for k in range(4, 12))
"""Frequencies in Hz of eight sinusoids whose sums and differences of second order fall on none of them."""


def chirp(
    t: int = 4500,
    x: int = 20,
    y: int = 20,
    *,
    first_frequency: float = 0.0,
    last_frequency: float = 10.0,
    contrast_frequency: float = 5.0,
    contrast: float = 1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""Full-field chirp: a step, a rising contrast and a rising frequency, with grey between them.

    Of nine equal parts the second is a step to `contrast`, the fourth and fifth are a
    sinusoid whose contrast rises from zero, and the seventh and eighth are

    .. math:: c \, \sin 2\pi \left(f_1 \tau + \frac{f_2 - f_1}{2 T} \tau^2\right)

    for times :math:`\tau` from 0 to *T*: its phase is the integral of the frequency, so that
    the frequency itself goes evenly from :math:`f_1` to :math:`f_2`.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    first_frequency, last_frequency : float
        Ends of the sweep, in Hz; up to half the steps per second.
    contrast_frequency : float
        Frequency of the part with rising contrast, in Hz.
    contrast : float
        Height of the step and of the sinusoids, about the grey of value 0.
    resolution : Resolution, optional
        Steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Values from -contrast to contrast.

    Raises
    ------
    ParameterError
        If a frequency cannot be shown at this rate.

    References
    ----------
    Baden et al. (2016), The functional diversity of retinal ganglion cells in the
    mouse, Nature 529. https://doi.org/10.1038/nature16468

    Examples
    --------
    >>> course = chirp(4500, 1, 1)[:, 0, 0]
    >>> course[[0, 700, 1200]].tolist()
    [0.0, 1.0, 0.0]
    """
    t, x, y = check_shape(t, x, y)
    step = used_resolution(resolution).step
    most = 0.5 / step
    f1 = check_number(first_frequency, "first_frequency", "Hz", 0.0, most)
    f2 = check_number(last_frequency, "last_frequency", "Hz", 0.0, most)
    f0 = check_number(contrast_frequency, "contrast_frequency", "Hz", 0.0, most)
    edges = [round(k * t / 9) for k in range(10)]
    course = np.zeros(t)
    course[edges[1] : edges[2]] = 1.0
    rising = np.arange(edges[5] - edges[3])
    course[edges[3] : edges[5]] = np.linspace(0.0, 1.0, rising.size) * np.sin(2.0 * math.pi * f0 * step * rising)
    time = step * np.arange(edges[8] - edges[6])
    sweep = f1 * time + (f2 - f1) / (2.0 * step * max(time.size, 1)) * time**2
    course[edges[6] : edges[8]] = np.sin(2.0 * math.pi * sweep)
    return full_field(check_number(contrast, "contrast", "of the unit") * course, x, y)


def sum_of_sinusoids(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    contrast: float = 0.05,
    luminance: float = 1.0,
    frequencies: tuple[float, ...] = SHAPLEY_VICTOR_FREQUENCIES,
    spatial_frequency: float = 0.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    r"""Sinusoids at eight frequencies at once, with which Shapley and Victor found contrast gain control.

    .. math:: L \left(1 + c \, \cos(2\pi f_s d) \sum_k \sin 2\pi f_k \tau\right)

    in the whole field, or as a standing grating over the distance *d* along the columns.
    A linear cell answers at these frequencies with gains that do not depend on the contrast.
    A cell with contrast gain control loses gain at low frequencies and gains phase as the
    contrast rises; the usual contrasts are 0.0125, 0.025, 0.05 and 0.1 for each sinusoid.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    contrast : float
        Contrast *c* of each sinusoid, from 0 to 1.
    luminance : float
        Mean *L*.
    frequencies : tuple of float
        Frequencies in Hz, below half the steps per second. The default ones are 15, 31, 63, ...,
        2047 times the same 1/65.526 Hz: whole numbers of periods take 65.526 s.
    spatial_frequency : float
        Cycles per degree; 0 for the whole field.
    resolution : Resolution, optional
        Pixels per degree and steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    Raises
    ------
    ParameterError
        If a frequency cannot be shown at this rate.

    References
    ----------
    Shapley and Victor (1978), The effect of contrast on the transfer properties of cat
    retinal ganglion cells, Journal of Physiology 285.
    https://doi.org/10.1113/jphysiol.1978.sp012571

    Examples
    --------
    >>> [round(f, 2) for f in SHAPLEY_VICTOR_FREQUENCIES]
    [0.23, 0.47, 0.96, 1.94, 3.89, 7.8, 15.61, 31.24]
    >>> float(sum_of_sinusoids(10, 1, 1)[0, 0, 0])
    1.0
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    most = sampling.steps_per_second / 2
    level = check_number(luminance, "luminance", "of the unit")
    swing = level * check_number(contrast, "contrast", "of the mean", 0.0, 1.0)
    if not len(frequencies):
        raise ParameterError("Expected at least one of frequencies (in Hz), got none.", "The default has eight.")
    checked = [check_number(f, "every one of frequencies", "Hz", 0.0, most) for f in frequencies]
    time = sampling.step * np.arange(t)
    course = np.sin(2.0 * math.pi * np.outer(time, checked)).sum(axis=1)
    cycles = check_number(spatial_frequency, "spatial_frequency", "cycles/deg", 0.0)
    distance = (np.arange(y) - (y - 1) / 2) / sampling.pixel_per_degree
    profile = np.cos(2.0 * math.pi * cycles * distance)
    return np.asarray(level + full_field(swing * course, x, y) * profile, np.float32)


def full_field(course: NDArray[np.float64], x: int, y: int) -> NDArray[np.float32]:
    """Show one value for each frame in all of `x` rows and `y` columns."""
    return np.broadcast_to(course.astype(np.float32)[:, None, None], (course.size, x, y)).copy()
