"""Checks shared by the sample stimuli."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np

from convis_core.errors import ParameterError

__all__ = ["check_number", "check_seed", "check_shape"]


def check_shape(t: Any, x: Any, y: Any) -> tuple[int, int, int]:
    """Return ``(t, x, y)`` as ints, or refuse what is no positive whole number."""
    counts = []
    for name, value in (("t", t), ("x", x), ("y", y)):
        try:
            counts.append(operator.index(value))
        except TypeError:
            raise ParameterError(f"Expected a whole number for {name}, got {value!r}.") from None
        if counts[-1] < 1:
            raise ParameterError(
                f"Expected {name} to be 1 or more, got {value!r}.",
                "Sizes are frames, rows, columns.",
            )
    return counts[0], counts[1], counts[2]


def check_number(value: Any, name: str, unit: str, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number between `least` and `most`, naming its unit in the refusal."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ParameterError(f"Expected a finite number for {name} (in {unit}), got {value!r}.")
    if not least <= float(value) <= most:
        raise ParameterError(f"Expected {name} between {least:g} and {most:g} {unit}, got {value!r}.")
    return float(value)


def check_seed(seed: Any) -> int:
    """Return a seed as an int, or refuse what numpy's generators would not take."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ParameterError(f"Expected a seed from 0 to 2**32 - 1, got {seed!r}.", "Choose any whole number there.")
    return int(seed)
