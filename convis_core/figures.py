"""Where the floors below hand over to matplotlib, which is loaded only when a figure is asked for.

The package itself says where figures come from, so that nothing down here imports upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from convis_core.errors import MissingDependencyError

__all__ = ["draw_with", "figure"]

_load: Callable[[], ModuleType] | None = None


def draw_with(load: Callable[[], ModuleType]) -> None:
    """Say how the module with the plotting functions is loaded."""
    global _load
    _load = load


def figure(name: str) -> Callable[..., Any]:
    """Return a plotting function by its name."""
    if _load is None:
        raise MissingDependencyError("No figures without the whole package.", "Use: import convis_core.")
    try:
        plotting = _load()
    except ImportError as error:
        raise MissingDependencyError("Figures need matplotlib.", "Install it with: pip install matplotlib.") from error
    function: Callable[..., Any] = getattr(plotting, name)
    return function
