"""Units of space and time: how many pixels make a degree, how many steps a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from convis_core.errors import ResolutionError
from convis_core.scalars import is_number

__all__ = ["Resolution", "default_resolution", "set_default_resolution", "use_resolution", "used_resolution"]


@dataclass(init=False, unsafe_hash=True)  # frozen=True would not let __setattr__ say what to do instead
class Resolution:
    """Sampling of space and time.

    Parameters
    ----------
    pixel_per_degree : float
        Pixels per degree of visual angle.
    steps_per_second : float
        Frames per second, in Hz.

    Examples
    --------
    >>> resolution = Resolution(pixel_per_degree=20.0, steps_per_second=200.0)
    >>> resolution.seconds_to_steps(0.05), resolution.degrees_to_pixels(0.5)
    (10.0, 10.0)
    """

    pixel_per_degree: float = 10.0
    steps_per_second: float = 1000.0

    def __init__(self, pixel_per_degree: float = 10.0, steps_per_second: float = 1000.0) -> None:
        for name, value in (("pixel_per_degree", pixel_per_degree), ("steps_per_second", steps_per_second)):
            if not (is_number(value) and math.isfinite(value) and value > 0):
                raise ResolutionError(
                    f"{name} must be a finite number above 0, got {value!r}.",
                    "Defaults are 10 pixels per degree and 1000 steps per second.",
                )
            object.__setattr__(self, name, float(value))

    def __setattr__(self, name: str, value: object) -> None:
        raise ResolutionError(
            f"A Resolution is fixed once made; {name} cannot be set on it.",
            "Make a new one and install it: "
            f"convis.default_resolution = convis.Resolution({name}={value!r}). "
            "Layers keep the resolution they were built with.",
        )

    @property
    def step(self) -> float:
        """Duration of one step, in s."""
        return 1.0 / self.steps_per_second

    def seconds_to_steps(self, seconds: float) -> float:
        """Convert a duration in s to (fractional) steps."""
        return seconds * self.steps_per_second

    def steps_to_seconds(self, steps: float) -> float:
        """Convert a number of steps to s."""
        return steps / self.steps_per_second

    def degrees_to_pixels(self, degrees: float) -> float:
        """Convert a visual angle in degrees to (fractional) pixels."""
        return degrees * self.pixel_per_degree

    def pixels_to_degrees(self, pixels: float) -> float:
        """Convert pixels to degrees of visual angle."""
        return pixels / self.pixel_per_degree


_default: ContextVar[Resolution | None] = ContextVar("convis_default_resolution", default=None)
_installed = Resolution()


def default_resolution() -> Resolution:
    """Return the resolution that layers capture when they are built without one."""
    return _default.get() or _installed


def set_default_resolution(resolution: Resolution) -> None:
    """Install the resolution used by all layers, streams and stimuli made from now on."""
    global _installed
    _installed = _checked(resolution)


def used_resolution(resolution: Resolution | None) -> Resolution:
    """Return the resolution given, or the default where none is.

    Examples
    --------
    >>> used_resolution(None) == default_resolution()
    True
    """
    return default_resolution() if resolution is None else _checked(resolution)


def _checked(resolution: Resolution) -> Resolution:
    if not isinstance(resolution, Resolution):
        raise ResolutionError(
            f"A resolution must be a convis.Resolution, got {type(resolution).__name__}.",
            "Use convis.Resolution(pixel_per_degree=10, steps_per_second=1000).",
        )
    return resolution


@contextmanager
def use_resolution(resolution: Resolution) -> Iterator[Resolution]:
    """Use another default resolution inside a ``with`` block.

    Examples
    --------
    >>> with use_resolution(Resolution(20.0, 200.0)):
    ...     default_resolution().steps_per_second
    200.0
    """
    token = _default.set(_checked(resolution))
    try:
        yield resolution
    finally:
        _default.reset(token)
