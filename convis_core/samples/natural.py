"""A natural-looking film: fallen leaves, seen by an eye that drifts and jumps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_seed, check_shape

__all__ = ["dead_leaves", "eye_path", "natural_movie"]

SMALLEST, LARGEST = 0.25, 2.2  # radii of the leaves in deg
WORLD = 2.5  # side of the scene over that of the frame, before it repeats
DRIFT = 0.6  # deg/s
JITTER = 0.15  # deg over the square root of a second, as a random walk
FIXATION = (0.25, 0.7)  # s
SACCADE = 0.03  # s


def natural_movie(
    t: int = 2000, x: int = 50, y: int = 50, seed: int = 1, *, resolution: Resolution | None = None
) -> NDArray[np.float32]:
    """Film of a dead-leaves scene under the movements of an eye.

    Discs of many sizes and brightnesses cover one another: such a scene has the occlusions,
    the scale invariance and the power spectrum of natural images (Lee, Mumford and Huang 2001).
    The eye drifts slowly for a quarter to three quarters of a second, then jumps.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    seed : int
        The same seed gives the same film.
    resolution : Resolution, optional
        Pixels per degree and steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Values from 0 to 1.

    References
    ----------
    Lee, Mumford and Huang (2001), Occlusion models for natural images,
    International Journal of Computer Vision 41. https://doi.org/10.1023/A:1011109015675

    Examples
    --------
    >>> film = natural_movie(100, 20, 30)
    >>> film.shape, bool(film.min() >= 0.0 and film.max() <= 1.0)
    ((100, 20, 30), True)
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    rng = np.random.default_rng(check_seed(seed))
    side = max(16, round(WORLD * max(x, y)))
    radii = (sampling.degrees_to_pixels(SMALLEST), sampling.degrees_to_pixels(LARGEST))
    world = dead_leaves(side, radii, rng)
    path = eye_path(t, sampling, side / sampling.pixel_per_degree, rng) * sampling.pixel_per_degree
    return np.stack([_look(world, at, x, y) for at in path])


def dead_leaves(side: int, radii: tuple[float, float], rng: np.random.Generator) -> NDArray[np.float32]:
    """Cover a square that repeats without a seam by discs, the later ones on top.

    Parameters
    ----------
    side : int
        Rows and columns of the square.
    radii : tuple of float
        Smallest and largest radius in pixels; their density falls with the third power.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray, shape [side, side], float32
        Values from 0 to 1.
    """
    lo, hi = max(radii[0], 0.5), min(max(radii[1], 1.0), side / 2 - 2)
    world = np.full((side, side), 0.5, np.float32)
    mean_area = 2.0 * math.pi * math.log(hi / lo) / (lo**-2 - hi**-2)
    for _ in range(math.ceil(8.0 * side**2 / mean_area)):  # deep enough to hide the ground
        radius = (lo**-2 - rng.random() * (lo**-2 - hi**-2)) ** -0.5
        centre = rng.random(2) * side
        reach = np.arange(-math.ceil(radius) - 1, math.ceil(radius) + 2)
        rows, columns = (np.floor(c).astype(int) + reach for c in centre)
        dx, dy = (rows - centre[0])[:, None], (columns - centre[1])[None, :]
        cover = np.clip(radius - np.hypot(dx, dy) + 0.5, 0.0, 1.0).astype(np.float32)
        patch = np.ix_(rows % side, columns % side)
        world[patch] += cover * (_leaf(dx / radius, dy / radius, rng) - world[patch])
    return np.clip(world, 0.0, 1.0)


def eye_path(t: int, resolution: Resolution, side: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Direction of gaze in each frame: a drift in every fixation, and fast jumps between them.

    Parameters
    ----------
    t : int
        Frames.
    resolution : Resolution
        Steps per second.
    side : float
        Side of the scene in deg; jumps are up to a third of it.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray, shape [t, 2]
        Row and column, in deg.
    """
    step = resolution.step
    velocity = np.zeros((t, 2))
    at = 0
    while at < t:
        fixation = max(1, round(rng.uniform(*FIXATION) / step))
        angle = rng.uniform(0.0, 2.0 * math.pi)
        velocity[at : at + fixation] = DRIFT * np.array([math.sin(angle), math.cos(angle)])
        at += fixation
        jump = max(1, round(SACCADE / step))
        angle = rng.uniform(0.0, 2.0 * math.pi)
        amplitude = side * rng.uniform(0.08, 0.33)
        profile = np.sin(np.pi * (np.arange(jump) + 0.5) / jump)
        speed = amplitude * profile / profile.sum() / step
        velocity[at : at + jump] = (speed[:, None] * [math.sin(angle), math.cos(angle)])[: max(t - at, 0)]
        at += jump
    jitter = JITTER * math.sqrt(step) * rng.standard_normal((t, 2))
    return np.cumsum(velocity * step + jitter, axis=0) + rng.uniform(0.0, side, 2)


def _leaf(dx: NDArray[np.float64], dy: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Brightness across one disc: a level, light from one side, and faint stripes like veins."""
    level, angle, stripes = rng.uniform(0.04, 0.96), rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.0, 0.03)
    along, across = dx * math.sin(angle) + dy * math.cos(angle), dx * math.cos(angle) - dy * math.sin(angle)
    shade = level + 0.06 * along + stripes * np.sin(rng.uniform(6.0, 14.0) * across)
    return np.asarray(shade, np.float32)


def _look(world: NDArray[np.float32], at: NDArray[np.float64], x: int, y: int) -> NDArray[np.float32]:
    """Cut a frame out of the repeating scene, between pixels by linear interpolation."""
    corner = np.floor(at).astype(int)
    fx, fy = (at - corner).astype(np.float32)
    rows, columns = (corner[0] + np.arange(x + 1)) % len(world), (corner[1] + np.arange(y + 1)) % len(world)
    view = world[np.ix_(rows, columns)]
    view = view[:-1] + fx * (view[1:] - view[:-1])
    return np.asarray(view[:, :-1] + fy * (view[:, 1:] - view[:, :-1]))
