"""Dotted paths into a configuration, such as ``ganglion-layers.*.spiking-channel.sigma-V``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from convis_core.errors import UnknownNameError
from convis_core.retina.configuration.checking import Tree
from convis_core.retina.configuration.schema import RETINA, Element, Listed

__all__ = ["Place", "find"]

Place = tuple[Any, Any]
"""A dict and a name in it, or a list and a number in it."""


_MOST_DIGITS: Final = 9
"""Of the number of an element: more than any list is long, and fewer than Python refuses to read."""


def find(tree: Tree, path: str, *, write: bool = False) -> list[Place]:
    """Return all places that a path leads to.

    Parameters
    ----------
    write : bool
        Whether to make the groups and list elements on the way that are not there yet. Behind a
        ``*`` none are made: it stands for what is there.

    Raises
    ------
    UnknownNameError
        If no configuration has such a path, or this one has nothing there.
    """
    steps = path.split(".")
    what: Element | Listed | None = RETINA
    for i, step in enumerate(steps):
        what = _follow(what, step, ".".join(steps[:i]) or "A retina")
    places = list(_walk(tree, RETINA, steps, write, write))
    if not places:
        raise UnknownNameError(f"This configuration has nothing at {path!r}.", _what_is_there(tree, steps))
    return places


def _walk(node: Any, what: Element | Listed, steps: list[str], write: bool, create: bool) -> Iterator[Place]:
    step, rest = steps[0], steps[1:]
    following = _follow(what, step, "")
    for key in list(_elements(node, step, create)) if isinstance(what, Listed) else [step]:
        is_there = isinstance(node, list) or key in node
        if not rest:
            if is_there or write:
                yield node, key
        elif following is not None and (is_there or create):
            if not is_there:
                node[key] = [] if isinstance(following, Listed) else {}
            yield from _walk(node[key], following, rest, write, create and step != "*")


def _elements(items: list[Any], step: str, create: bool) -> Iterator[int]:
    """Numbers of the elements of a list that one step of a path stands for; appends one where it says so."""
    if step == "*":
        yield from range(len(items))
        return
    number = len(items) if step == "+" else int(step.removeprefix("="))
    if number == len(items) and create and not step.isdecimal():
        items.append({})
    if number < len(items):
        yield number


def _follow(what: Element | Listed | None, step: str, here: str) -> Element | Listed | None:
    """Return what stands one step further by the schema: None is a number."""
    if isinstance(what, Listed):
        if step in ("*", "+") or (step.removeprefix("=").isdecimal() and len(step) <= _MOST_DIGITS):
            return what.element
        raise UnknownNameError(
            f"{here} is a list and has no {step!r}.",
            "Write a number from 0, * for all, + to append one, or =N for number N, appended if it is the next.",
        )
    if what is None:
        raise UnknownNameError(f"{here} is a number and has no {step!r} in it.")
    if step in what.attributes:
        return None
    if step not in what.names:
        raise UnknownNameError(f"{here} has no {step!r}.", f"It can have: {', '.join(what.names)}.")
    return what.children[step] if step in what.children else what.lists[step]


def _what_is_there(tree: Tree, steps: list[str]) -> str:
    """Say what the longest part of the path that leads somewhere has."""
    for n in range(len(steps) - 1, 0, -1):
        places = list(_walk(tree, RETINA, steps[:n], False, False))
        if places:
            node = places[0][0][places[0][1]]
            there = f"{len(node)} elements" if isinstance(node, list) else ", ".join(node)
            return f"{'.'.join(steps[:n])} has: {there}."
    return f"It has: {', '.join(tree)}."
