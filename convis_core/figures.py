"""Where the core hands over to matplotlib, which is loaded only when a figure is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from convis_core.errors import MissingDependencyError

__all__ = ["figure"]


def figure(name: str) -> Callable[..., Any]:
    """Return a plotting function by name, so that floors below `plotting` can offer it as a method."""
    try:
        plotting = import_module("convis_core.plotting")
    except ImportError as error:
        raise MissingDependencyError("Figures need matplotlib.", "Install it with: pip install matplotlib.") from error
    function: Callable[..., Any] = getattr(plotting, name)
    return function
