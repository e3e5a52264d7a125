"""A tree of numbers is checked against the schema, and completed by its defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.retina.configuration.schema import Attribute, Element, unit_of

__all__ = ["Tree", "Unknown", "check_number", "complete", "refuse_unknown"]

Tree = dict[str, Any]
Unknown = Callable[[str, str, tuple[str, ...]], None]
"""What to do about a name that is not in the schema: called with where, the name, and the names there are."""


def refuse_unknown(where: str, name: str, known: tuple[str, ...]) -> None:
    """Raise for an unknown name."""
    raise UnknownNameError(f"{where} has no {name!r}.", f"It can have: {', '.join(known)}.")


def complete(tree: Any, element: Element, where: str, on_unknown: Unknown = refuse_unknown) -> Tree:
    """Return a checked copy of what stands in an element, in the order of the schema and with all defaults.

    Raises
    ------
    ParameterError
        If a number is missing, out of range or none at all, or two elements exclude each other.
    """
    if not isinstance(tree, Mapping):
        raise ParameterError(f"{where} is a group of {', '.join(element.names)}, got {tree!r}.")
    for name in tree:
        if name not in element.names:
            on_unknown(where, str(name), element.names)
    done: Tree = {}
    for name, attribute in element.attributes.items():
        value = tree.get(name, attribute.default)
        if value is not None:
            done[name] = check_number(value, attribute, name, where)
        elif not attribute.is_optional:
            raise ParameterError(
                f"{where} needs {name}{_in_unit(name)}, which has no default.", f"Give {attribute.range()}."
            )
    for name, child in element.children.items():
        if name in tree:
            done[name] = complete(tree[name], child, f"{where}.{name}", on_unknown)
    for name, listed in element.lists.items():
        done[name] = [
            complete(item, listed.element, f"{where}.{name}.{i}", on_unknown)
            for i, item in enumerate(_as_list(tree.get(name, []), f"{where}.{name}"))
        ]
    _check_choices(done, element, where)
    return done


def check_number(value: Any, attribute: Attribute, name: str, where: str) -> float | int:
    """Return `value`, a number or the text of one, or raise naming its place, unit and range."""
    number = _number(value)
    lo, hi = attribute.bounds
    if number is None or not lo <= number <= hi or (attribute.is_whole and number != int(number)):
        raise ParameterError(f"{where}: {name} = {value!r} is not {attribute.range()}{_in_unit(name)}.")
    return int(number) if attribute.is_whole else number


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None  # Python reads 1_0 as 10, and no other program does
    if isinstance(value, (str, int, float, np.integer, np.floating)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None
    return None


def _in_unit(name: str) -> str:
    return f" (in {unit_of(name)})" if unit_of(name) else ""


def _as_list(items: Any, where: str) -> list[Any]:
    if not isinstance(items, (list, tuple)):
        raise ParameterError(f"{where} is a list, got {items!r}.", "Append to it with a path that ends in '.+'.")
    return list(items)


def _check_choices(tree: Tree, element: Element, where: str) -> None:
    for tags, is_required in element.choices:
        there = [tag for tag in tags if tag in tree]
        if len(there) > 1:
            raise ParameterError(f"{where} has {' and '.join(there)}, which exclude each other.", "Remove one of them.")
        if is_required and not there:
            raise ParameterError(f"{where} needs {' or '.join(tags)}, and has none.")
