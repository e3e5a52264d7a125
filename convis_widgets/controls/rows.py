"""Rows of a parameter panel, made from the declarations of a model's parameters."""

from __future__ import annotations

import re
from typing import Any

from convis_core import Layer
from convis_core.parameter_tree import Handle

__all__ = ["parameter_rows", "shown"]


def parameter_rows(model: Layer) -> list[dict[str, Any]]:
    """Describe every single-number parameter of a model for a `ParameterPanel`.

    Examples
    --------
    >>> import convis_core as convis
    >>> rows = parameter_rows(convis.filters.spiking.LeakyIntegrateAndFireNeuron())
    >>> rows[0]["label"], rows[0]["unit"], rows[0]["scale"]
    ('g L', 'Hz', 'log')
    """
    return [_row(model, handle) for handle in model.user_parameters]


def _row(model: Layer, handle: Handle) -> dict[str, Any]:
    declared = handle.declaration
    value = shown(handle)
    lo, hi = declared.range or _around(value)
    path, _, name = handle.name.rpartition(".")
    log = declared.scale == "log" and lo > 0
    return {
        "name": handle.name,
        "group": path.replace(".", " ").replace("_", " ") or _words(type(model).__name__),
        "label": name.replace("_", " "),
        "unit": declared.unit,
        "value": value,
        "default": value,  # what the model came with: an OFF cell is not reset to an ON cell
        "lo": lo,
        "hi": hi,
        "scale": "log" if log else "linear",
        "doc": declared.describe(),
    }


def shown(handle: Handle) -> float:
    """Value as a person wrote it: 0.05, not the nearest float32 to it."""
    return float(f"{float(handle):.6g}")


def _words(name: str) -> str:
    """Split a class name: CentreSurround becomes Centre Surround."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _around(value: float) -> tuple[float, float]:
    """A range for a slider where none is declared."""
    reach = 2.0 * abs(value) or 1.0
    return value - reach, value + reach
