"""The path of an eye that rests and jumps: a pure function of its numbers, a seed and where it was."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import StreamError
from convis_core.resolution import Resolution

__all__ = ["AT_REST", "Eye", "Saccades", "border", "corners", "move_eye"]

_NEARLY = 1e-6  # of a step, for times that were meant to be whole ones
_UNIT = 2.0**-20  # pixels: whole numbers of it add up to the same path however the steps are cut


class Saccades(NamedTuple):
    """Means and standard deviations of rests (s), of the lengths of jumps (deg) and of their durations (s)."""

    period: float
    period_deviation: float
    amplitude: float
    amplitude_deviation: float
    duration: float
    duration_deviation: float
    angular_noise: float


class Eye(NamedTuple):
    """Where an eye is and what it is about to do: whole numbers only.

    Position from the centre of attention along the rows and the columns and movement in a step,
    both in 2**-20 pixels; steps left of the rest, and of the movement after it; jumps so far.
    """

    x: int = 0
    y: int = 0
    step_x: int = 0
    step_y: int = 0
    resting: int = 0
    moving: int = 0
    jumps: int = 0


AT_REST = Eye()


def move_eye(
    eye: Eye, n_steps: int, saccades: Saccades, resolution: Resolution, seed: int
) -> tuple[NDArray[np.float64], Eye]:
    r"""Go on for some steps.

    The eye rests, then moves by :math:`a (\cos \varphi, \sin \varphi)` at constant speed, with
    :math:`\varphi = \varphi_0 + \pi n U(-1, 1)` about the direction :math:`\varphi_0` of the centre
    of attention (of the first jump: 0, along a row).

    Returns
    -------
    positions : array, shape [step, 2]
        In pixels along the rows and the columns, from the centre of attention.
    eye : Eye
        Where it is then.

    Examples
    --------
    >>> still = Saccades(0.003, 0.0, 0.2, 0.0, 0.001, 0.0, 0.0)
    >>> move_eye(AT_REST, 6, still, Resolution(10.0, 1000.0), seed=1)[0][:, 1].round(3).tolist()
    [0.0, 0.0, 0.0, 2.0, 4.0, 4.0]
    """
    path = np.empty((n_steps, 2))
    done = 0
    while done < n_steps:
        if not eye.resting and not eye.moving:
            eye = _next_jump(eye, saccades, resolution, seed)
        rest = min(eye.resting, n_steps - done)
        path[done : done + rest] = eye.x, eye.y
        done += rest
        move = min(eye.moving, n_steps - done)
        along = np.arange(1, move + 1)[:, None]
        path[done : done + move] = np.array([eye.x, eye.y]) + along * np.array([eye.step_x, eye.step_y])
        done += move
        eye = eye._replace(
            x=eye.x + move * eye.step_x,
            y=eye.y + move * eye.step_y,
            resting=eye.resting - rest,
            moving=eye.moving - move,
        )
    return path * _UNIT, eye


def _next_jump(eye: Eye, saccades: Saccades, resolution: Resolution, seed: int) -> Eye:
    chance, step = np.random.default_rng((seed, eye.jumps)), resolution.step
    rest, length, lasting = (
        mean + deviation * chance.standard_normal()
        for mean, deviation in zip(saccades[:6:2], saccades[1:6:2], strict=True)
    )
    lasting = max(step, lasting)
    towards = math.atan2(-eye.x, -eye.y) if eye.jumps else 0.0
    angle = towards + saccades.angular_noise * math.pi * chance.uniform(-1.0, 1.0)
    speed = max(0.0, length) * resolution.pixel_per_degree * step / lasting / _UNIT
    return eye._replace(
        step_x=round(speed * math.sin(angle)),
        step_y=round(speed * math.cos(angle)),
        resting=int(max(0.0, rest / step) + _NEARLY),
        moving=int(lasting / step + _NEARLY) + 1,
        jumps=eye.jumps + 1,
    )


def border(size: tuple[int, int], amplitude: float, resolution: Resolution) -> int:
    """Pixels that the window is smaller than the frame on every side: two jumps of mean amplitude.

    Raises
    ------
    StreamError
        If nothing is left.
    """
    pixels = round(2 * amplitude * resolution.pixel_per_degree)
    if min(size) <= 2 * pixels:
        raise StreamError(
            f"Frames of {size[0]}x{size[1]} pixels leave no window for an eye that jumps {amplitude:g} deg, {pixels} "
            "pixels from every border.",
            "Give larger frames or smaller jumps.",
        )
    return pixels


def corners(path: NDArray[np.float64], pixels: int) -> NDArray[np.int64]:
    """First row and column of the window at each position, ``[step, 2]``; it does not leave the frame."""
    first: NDArray[np.int64] = np.clip(np.ceil(path).astype(np.int64) + pixels, 0, 2 * pixels)
    return first
