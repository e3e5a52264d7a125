"""Warnings that point at the user's line, not at ours."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first line on the stack that is outside convis and torch."""
    level, frame = 2, sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in {"convis_core", "torch"}:
        level, next_frame = level + 1, frame.f_back
        if next_frame is None:
            break
        frame = next_frame
    warnings.warn(message, category, stacklevel=level - 1)
