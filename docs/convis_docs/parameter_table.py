"""The table of a layer's parameters, out of their declarations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from convis_core import Layer
from convis_core.parameter_tree import handles
from convis_core.parameters import UNBOUNDED, Bounds, Declaration
from convis_core.state import StateVariable, state_names

__all__ = ["declarations", "parameter_table", "state_table", "table", "virtual_retina_keys"]


def declarations(layer: type[Layer]) -> dict[str, Declaration]:
    """Declarations of a layer and its parts, by the name under which ``layer.p`` has them."""
    found = {name: handle.declaration for name, handle in handles(layer(**layer.example_arguments)).items()}
    return dict(sorted(found.items(), key=lambda item: "." in item[0]))  # its own before those of its parts


def parameter_table(layer: type[Layer]) -> list[str]:
    """Lines of reStructuredText; none where nothing is declared."""
    rows = [_row(name, declared) for name, declared in declarations(layer).items()]
    if not rows:
        return []
    return [
        ".. rubric:: Declared parameters",
        "",
        *table(("Parameter", "Default", "Unit", "Bounds", "Slider", "Meaning"), rows, "parameters"),
    ]


def state_table(layer: type[Layer]) -> list[str]:
    """Lines on what the layer itself remembers from one chunk to the next."""
    variables: list[StateVariable] = [getattr(layer, name) for name in state_names(layer)]
    rows = [(f"``{v.name}``", f"``{v.shape}``" if v.shape else "", v.doc) for v in variables]
    return [".. rubric:: State", "", *table(("Variable", "Shape", "Meaning"), rows, "state")] if rows else []


def virtual_retina_keys(layers: Iterable[type[Layer]]) -> dict[str, list[str]]:
    """Full names of the parameters that each key of a Virtual Retina file sets."""
    found: dict[str, list[str]] = {}
    for layer in layers:
        for name in dir(layer):
            declared = getattr(layer, name, None)
            if isinstance(declared, Declaration) and declared.key:
                found.setdefault(declared.key, []).append(f"{layer.__name__}.{name}")
    return {key: sorted(found[key]) for key in sorted(found)}


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> list[str]:
    """Lines of a table in reStructuredText, without a head if that is empty; a cell may have several lines."""
    lines = [".. list-table::", f"   :header-rows: {int(bool(head))}", f"   :class: {kind}", ""]
    for row in (*([head] if head else []), *rows):
        for k, cell in enumerate(row):
            mark = "*" if k == 0 else " "
            first, *others = cell.splitlines() or [""]
            lines += [f"   {mark} - {first}".rstrip(), *(f"       {line}".rstrip() for line in others)]
    return [*lines, ""]


def _row(name: str, declared: Declaration) -> tuple[str, ...]:
    default = "array" if declared.default is None else _number(declared.default)
    bounds = "any" if declared.bounds == UNBOUNDED else _range(declared.bounds)
    slider = _range(declared.range) if declared.range else ""
    if slider and declared.scale == "log":
        slider += " (log)"
    return f"``{name}``", default, declared.unit, bounds, slider, _meaning(declared)


def _meaning(declared: Declaration) -> str:
    """Say what it is, and in a smaller line where it comes from."""
    doi = declared.citation.removeprefix("doi:")
    source = f"`{declared.citation} <https://doi.org/{doi}>`__" if doi != declared.citation else doi
    key = f"Virtual Retina: ``{declared.key}``" if declared.key else ""
    origins = [origin for origin in (source, key) if origin]
    return "\n".join([declared.doc, "", *(f"| {o}" for o in origins)])


def _range(bounds: Bounds) -> str:
    low, high = bounds
    if math.isinf(high):
        return f"{_number(low)} or more"
    return f"up to {_number(high)}" if math.isinf(low) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\u2212").replace("e\u22120", "e\u2212").replace("e+0", "e")
