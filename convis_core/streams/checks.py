"""Checks at the door of every stream: counts, sizes, rates and positions."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

from convis_core.errors import StreamError

__all__ = ["check_choice", "check_count", "check_frame", "check_open", "check_rate", "check_size"]


def check_count(n: Any, what: str = "the number of frames to get", least: int = 0) -> int:
    """Return `n` as an int, or refuse it if it is no whole number or below `least`."""
    try:
        count = operator.index(n)
    except TypeError:
        raise StreamError(f"Expected a whole number for {what}, got {n!r}.", "Round it with int(...).") from None
    if count < least:
        raise StreamError(f"Expected {what} to be {least} or more, got {count}.")
    return count


def check_size(size: Any) -> tuple[int, int]:
    """Return a frame size ``(x, y)``, or refuse what is no pair of positive whole numbers."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise StreamError(f"Expected size=(x, y), the rows and columns of a frame, got {size!r}.")
    return check_count(size[0], "the rows of a frame", 1), check_count(size[1], "the columns of a frame", 1)


def check_rate(rate: Any, what: str = "steps_per_second") -> float:
    """Return a rate in Hz, or refuse what is not a finite number from a thousandth up."""
    if isinstance(rate, bool) or not isinstance(rate, Real) or not (math.isfinite(rate) and float(rate) >= 0.001):
        raise StreamError(f"Expected {what} to be a finite number of Hz, 0.001 or more, got {rate!r}.")
    return float(rate)


def check_choice(value: Any, choices: tuple[str, ...], what: str) -> str:
    """Return `value` if it is one of `choices`."""
    if value not in choices:
        raise StreamError(f"Expected {what} to be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return str(value)


def check_frame(frame: Any, length: int | None) -> int:
    """Return the frame to seek, or refuse one outside a stream of `length` frames."""
    index = check_count(frame, "the frame to seek")
    if length is not None and index > length:
        raise StreamError(
            f"Frame {index} is outside this stream of {length} frames.", f"Seek a frame from 0 to {length}."
        )
    return index


def check_open(is_closed: bool, kind: str) -> None:
    """Refuse to use a stream after its end."""
    if is_closed:
        raise StreamError(f"This {kind} has been closed.", "Make a new one, or use it inside its with block.")
