"""Random checkers, sparse points and flashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_seed, check_shape

__all__ = ["pulse", "random_checker_stimulus", "sparse_input"]

# RandomState is frozen: the same seed gives the same numbers in every version of numpy, for ever.


def random_checker_stimulus(
    t: int = 2000, x: int = 20, y: int = 20, checker_size: int = 5, seed: int | None = 123
) -> NDArray[np.float32]:
    """Squares of random brightness, drawn anew in each frame.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    checker_size : int
        Side of a square in pixels; those at the last row and column may be cut.
    seed : int, optional
        The same seed gives the same stimulus; None gives another each time.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Values uniform from 0 to 1.

    Examples
    --------
    >>> checkers = random_checker_stimulus(3, 4, 4, checker_size=2)
    >>> bool((checkers[:, 0, 0] == checkers[:, 1, 1]).all())
    True
    """
    t, x, y = check_shape(t, x, y)
    side = check_shape(checker_size, 1, 1)[0]
    squares = _random(seed).random_sample((t, -(-x // side), -(-y // side))).astype(np.float32)
    return squares.repeat(side, axis=1).repeat(side, axis=2)[:, :x, :y].copy()


def sparse_input(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    frequency: float = 10.0,
    seed: int | None = 123,
    *,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    """Single bright pixels, each coming on by chance and for one frame.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    frequency : float
        Mean rate at which each pixel comes on, in Hz; at most one a step.
    seed : int, optional
        The same seed gives the same stimulus; None gives another each time.
    resolution : Resolution, optional
        Steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32
        Zeros and ones.

    Examples
    --------
    >>> round(float(sparse_input(frequency=50.0).mean()), 2)  # of 1000 steps a second
    0.05
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    chance = check_number(frequency, "frequency", "Hz", 0.0, sampling.steps_per_second) * sampling.step
    return (_random(seed).random_sample((t, x, y)) < chance).astype(np.float32)


def pulse(
    t: int = 2000,
    x: int = 20,
    y: int = 20,
    *,
    length: float = 0.1,
    contrast: float = 1.0,
    resolution: Resolution | None = None,
) -> NDArray[np.float32]:
    """Full-field flashes: on for `length`, off for as long, beginning with on.

    Parameters
    ----------
    t, x, y : int
        Frames, rows and columns.
    length : float
        Duration of a flash, and of the pause after it, in s.
    contrast : float
        Brightness of a flash.
    resolution : Resolution, optional
        Steps per second; the current default if None.

    Returns
    -------
    ndarray, shape [t, x, y], float32

    Examples
    --------
    >>> pulse(7, 1, 1, length=0.003).ravel().tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """
    t, x, y = check_shape(t, x, y)
    sampling = used_resolution(resolution)
    steps = round(sampling.seconds_to_steps(check_number(length, "length", "s", 0.0)))
    if steps < 1:
        raise ParameterError(
            f"A flash of {length:g} s is shorter than one step of {sampling.step:g} s.", "Make it longer."
        )
    is_on = (np.arange(t) // steps) % 2 == 0
    level = np.float32(check_number(contrast, "contrast", "of the unit"))
    return np.broadcast_to(is_on[:, None, None] * level, (t, x, y)).astype(np.float32)


def _random(seed: int | None) -> np.random.RandomState:
    return np.random.RandomState(None if seed is None else check_seed(seed))
