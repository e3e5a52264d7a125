"""Noise whose power falls with frequency, as it does in natural scenes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core.samples.checks import check_number, check_seed, check_shape

__all__ = ["pink_noise", "power_law_noise"]


def power_law_noise(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    space: float = 2.0,
    time: float = 0.0,
    contrast: float = 1.0,
    seed: int = 123,
) -> NDArray[np.float32]:
    r"""Gaussian noise with the power spectrum :math:`k^{-a} f^{-b}` over space and time.

    Natural images have *a* near 2. The noise has no mean and repeats without a seam along all
    three axes. Below the lowest frequency that fits, the power stays that of the lowest.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    space, time : float
        Exponents *a* of the spatial frequency *k* (in all directions alike) and *b* of the temporal frequency *f*.
    contrast : float
        Standard deviation.
    seed : int
        The same seed gives the same noise.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    References
    ----------
    Field (1987), Relations between the statistics of natural images and the response
    properties of cortical cells, JOSA A 4. https://doi.org/10.1364/JOSAA.4.002379

    Examples
    --------
    >>> film = power_law_noise(50, 16, 16, contrast=0.3)
    >>> round(float(film.std()), 2)
    0.3
    """
    t, x, y = check_shape(t, x, y)
    a, b = check_number(space, "space", "powers"), check_number(time, "time", "powers")
    white = np.random.default_rng(check_seed(seed)).standard_normal((t, x, y))
    k = np.hypot(np.fft.fftfreq(x)[:, None], np.fft.rfftfreq(y)[None, :])
    f = np.abs(np.fft.fftfreq(t))
    gain = np.maximum(f, 1.0 / t)[:, None, None] ** (-b / 2) * np.maximum(k, 1.0 / max(x, y)) ** (-a / 2)
    gain[0, 0, 0] = 0.0
    noise = np.fft.irfftn(np.fft.rfftn(white) * gain, s=(t, x, y), axes=(0, 1, 2))
    spread = noise.std() or 1.0
    return np.asarray(check_number(contrast, "contrast", "of the unit", 0.0) / spread * noise, np.float32)


def pink_noise(
    t: int = 2000, x: int = 20, y: int = 20, *, contrast: float = 1.0, seed: int = 123
) -> NDArray[np.float32]:
    """Noise whose power falls as one over the frequency, in space and in time: `power_law_noise` of exponents 1.

    Examples
    --------
    >>> pink_noise(20, 8, 8).shape
    (20, 8, 8)
    """
    return power_law_noise(t, x, y, space=1.0, time=1.0, contrast=contrast, seed=seed)
