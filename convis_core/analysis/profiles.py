"""Size and position of a receptive field, by the fit of a Gaussian or of a difference of two."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import FitError, ShapeError
from convis_core.resolution import Resolution, used_resolution
from convis_core.tensors import to_tensor

__all__ = ["CentreSurroundProfile", "GaussianProfile", "fit_centre_surround", "fit_gaussian", "spatial_profile"]

_Array = NDArray[np.float64]
FEWEST_PIXELS = 9
NARROWEST = 0.3
"""Pixels: a narrower Gaussian could lie anywhere between them and be of any height, and noise would say where."""


@dataclass(frozen=True)
class GaussianProfile:
    """A Gaussian in the plane: position in pixels, widths in deg, angle of the first width in rad.

    The angle is that from the axis of columns towards lower rows, as the directions of the
    gratings. ``explained`` is the share of the variance of the image.
    """

    x: float
    y: float
    sigma: tuple[float, float]
    angle: float
    amplitude: float
    offset: float
    explained: float


@dataclass(frozen=True)
class CentreSurroundProfile:
    """A difference of round Gaussians: position in pixels, widths in deg, weights of their volumes."""

    x: float
    y: float
    sigma_center: float
    sigma_surround: float
    weight_center: float
    weight_surround: float
    explained: float


def spatial_profile(kernel: Any) -> tuple[_Array, _Array]:
    """Split a filter ``[lag, x, y]`` into the space and the time course that come closest to it.

    Returns
    -------
    space : ndarray, shape [x, y]
        Scaled to a largest absolute value of 1, which is positive.
    time : ndarray, shape [lag]

    Raises
    ------
    ShapeError
        For another number of axes (axes of batch and channel of length 1 are dropped).

    Examples
    --------
    >>> space, time = spatial_profile(np.array([2.0, -1.0])[:, None, None] * np.array([[0.5, 1.0]]))
    >>> space.round(3), time.round(3)
    (array([[0.5, 1. ]]), array([ 2., -1.]))
    """
    film = to_tensor(kernel).detach().cpu().double().numpy()
    while film.ndim > 3 and film.shape[0] == 1:
        film = film[0]
    if film.ndim != 3:
        raise ShapeError(f"A filter is [lag, x, y], got {film.shape}.", "Choose one channel, or one frame.")
    time, sizes, space = np.linalg.svd(film.reshape(film.shape[0], -1), full_matrices=False)
    peak = space[0, np.abs(space[0]).argmax()]
    return (space[0] / peak).reshape(film.shape[1:]), time[:, 0] * sizes[0] * peak


def fit_gaussian(image: Any, *, resolution: Resolution | None = None) -> GaussianProfile:
    r"""Fit a Gaussian to an image ``[x, y]``, or to the spatial profile of a filter ``[lag, x, y]``.

    .. math:: a \, e^{-u^2 / 2 \sigma_1^2 - w^2 / 2 \sigma_2^2} + b

    with `u` and `w` along and across the angle, and :math:`\sigma_1 \ge \sigma_2`, of 0.3 pixels at least: where a
    narrower one lies between the pixels, and how high it is, no image tells.

    Parameters
    ----------
    image : array
        ``[x, y]`` or ``[lag, x, y]``.
    resolution : Resolution, optional
        Pixels per degree; the default if not given.

    Returns
    -------
    GaussianProfile

    Raises
    ------
    FitError
        If the image is constant or has too few pixels.

    Examples
    --------
    >>> x, y = np.mgrid[:15, :15]
    >>> found = fit_gaussian(2.0 * np.exp(-((x - 6) ** 2 + (y - 8) ** 2) / 8))  # 2 pixels: 0.2 deg
    >>> round(found.x, 3), round(found.y, 3), round(found.sigma[0], 3)
    (6.0, 8.0, 0.2)
    """
    target, start, spread = _prepared(image)
    ppd = used_resolution(resolution).pixel_per_degree
    rows, columns = _grid(target)

    def predict(p: Tensor) -> Tensor:
        dx, dy = rows - p[0], columns - p[1]
        along, across = dy * torch.cos(p[4]) - dx * torch.sin(p[4]), dy * torch.sin(p[4]) + dx * torch.cos(p[4])
        return p[5] * torch.exp(-0.5 * (along / _width(p[2])) ** 2 - 0.5 * (across / _width(p[3])) ** 2) + p[6]

    height = start[2]
    starts = [
        [start[0], start[1], math.log(1.5 * spread), math.log(spread), angle, height, 0.0]
        for angle in (0.1, 0.1 + math.pi / 4, 0.1 + math.pi / 2, 0.1 + 3 * math.pi / 4)
    ]
    p, explained = _best(predict, starts, target)
    first, second, angle = math.hypot(math.exp(p[2]), NARROWEST), math.hypot(math.exp(p[3]), NARROWEST), p[4]
    if first < second:
        first, second, angle = second, first, angle + math.pi / 2
    return GaussianProfile(p[0], p[1], (first / ppd, second / ppd), angle % math.pi, p[5], p[6], explained)


def fit_centre_surround(image: Any, *, resolution: Resolution | None = None) -> CentreSurroundProfile:
    r"""Fit a difference of Gaussians to an image ``[x, y]``, or to the spatial profile of a filter.

    .. math:: w_c \, G(r; \sigma_c) - w_s \, G(r; \sigma_s), \qquad
        G(r; \sigma) = \frac{e^{-r^2 / 2 \sigma^2}}{2 \pi \sigma^2}

    with `r` and :math:`\sigma` in pixels in the weights and in deg in the result, and
    :math:`\sigma_s > \sigma_c`. Parameters and errors are those of `fit_gaussian`.

    Examples
    --------
    >>> x, y = np.mgrid[:21, :21] - 10
    >>> g = lambda s: np.exp(-(x**2 + y**2) / 2 / s**2) / (2 * np.pi * s**2)
    >>> found = fit_centre_surround(3 * g(1.5) - 2 * g(4.0))
    >>> round(found.sigma_center, 3), round(found.sigma_surround, 3), round(found.weight_surround, 3)
    (0.15, 0.4, 2.0)

    References
    ----------
    Rodieck R. W. (1965), Vision Res. 5, 583-601, doi:10.1016/0042-6989(65)90033-7.
    """
    target, start, spread = _prepared(image)
    ppd = used_resolution(resolution).pixel_per_degree
    rows, columns = _grid(target)

    def predict(p: Tensor) -> Tensor:
        r2 = (rows - p[0]) ** 2 + (columns - p[1]) ** 2
        center = p[2].exp()
        surround = center * (1 + p[3].exp())
        return p[4] * torch.exp(-0.5 * r2 / center**2) / (2 * math.pi * center**2) - p[5] * torch.exp(
            -0.5 * r2 / surround**2
        ) / (2 * math.pi * surround**2)

    starts = []
    for width in (0.6 * spread, spread, 1.6 * spread):
        volume = start[2] * 2 * math.pi * width**2
        starts += [[start[0], start[1], math.log(width), math.log(ratio), volume, 0.5 * volume] for ratio in (1.0, 3.0)]
    p, explained = _best(predict, starts, target)
    center = math.exp(p[2])
    return CentreSurroundProfile(p[0], p[1], center / ppd, center * (1 + math.exp(p[3])) / ppd, p[4], p[5], explained)


def _prepared(image: Any) -> tuple[Tensor, tuple[float, float, float], float]:
    """The image, where and how high its extreme is, and the radius of what reaches half of it."""
    plane = to_tensor(image).detach().cpu().double().numpy()
    if plane.ndim > 2:
        plane = spatial_profile(plane)[0]
    if plane.ndim != 2:
        raise ShapeError(f"Expected an image [x, y] or a filter [lag, x, y], got {plane.shape}.")
    if plane.size < FEWEST_PIXELS or not np.isfinite(plane).all() or np.ptp(plane) == 0:
        raise FitError(
            f"No profile can be fitted to {plane.shape[0]}x{plane.shape[1]} pixels between "
            f"{plane.min():g} and {plane.max():g}.",
            "The image must be finite, not constant, and have 9 pixels or more.",
        )
    apart = plane - np.median(plane)
    x, y = np.unravel_index(np.abs(apart).argmax(), plane.shape)
    height = apart[x, y]
    spread = math.sqrt(np.count_nonzero(apart / height > 0.5) / math.pi) / math.sqrt(2 * math.log(2))
    return torch.from_numpy(plane.copy()), (float(x), float(y), float(height)), max(spread, 0.5)


def _grid(target: Tensor) -> tuple[Tensor, Tensor]:
    rows = torch.arange(target.shape[0], dtype=torch.float64)[:, None]
    return rows, torch.arange(target.shape[1], dtype=torch.float64)[None]


def _width(logarithm: Tensor) -> Tensor:
    return torch.hypot(logarithm.exp(), torch.tensor(NARROWEST, dtype=logarithm.dtype))


def _best(predict: Callable[[Tensor], Tensor], starts: list[list[float]], target: Tensor) -> tuple[list[float], float]:
    """The best of the fits from several starts, and the share of the variance it explains."""
    fits = [_least_squares(predict, torch.tensor(start, dtype=torch.float64), target) for start in starts]
    error, p = min(fits, key=lambda fit: fit[0])
    if not math.isfinite(error):
        raise FitError("The fit of a profile did not converge.", "Look at the image: is there one field in it?")
    return p.tolist(), 1.0 - error / float((target - target.mean()).square().sum())


def _least_squares(
    predict: Callable[[Tensor], Tensor], p: Tensor, target: Tensor, steps: int = 100
) -> tuple[float, Tensor]:
    """Levenberg's and Marquardt's method: Gauss and Newton's step, shortened where it overshoots."""

    def residual(p: Tensor) -> Tensor:
        return (predict(p) - target).flatten()

    damping, error = 1e-2, float(residual(p).square().sum())
    for _ in range(steps):
        jacobian = torch.stack([(residual(p + h) - residual(p - h)) / (2 * h.sum()) for h in _steps(p)], dim=1)
        normal, slope = jacobian.T @ jacobian, jacobian.T @ residual(p)
        before = error
        while damping < 1e10:
            scaled = normal + damping * torch.diag(normal.diagonal().clamp(min=1e-12))
            candidate = p - torch.linalg.solve(scaled, slope)
            new = float(residual(candidate).square().sum())
            if new <= error:  # false for NaN
                p, error, damping = candidate, new, max(damping / 5, 1e-12)
                break
            damping *= 4
        if damping >= 1e10 or before - error <= 1e-14 * before:
            break
    return error, p


def _steps(p: Tensor) -> Tensor:
    """Small steps along each parameter, one in a row."""
    return torch.diag(1e-6 * (1 + p.abs()))
