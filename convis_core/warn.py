"""Warnings that point at the user's line, not at ours."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]

OURS = ("convis_core", "torch")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first line on the stack that is outside convis and torch."""
    level, frame = 2, sys._getframe(1)  # for warnings.warn level 1 is this function, 2 its caller
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
