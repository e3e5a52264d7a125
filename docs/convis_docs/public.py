"""What is public: the names in ``__all__`` of the packages, and of the modules named there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Entry", "Namespace", "namespaces"]

ROOTS = ("convis_core", "convis_core.plotting", "convis_widgets")
"""Plotting is no name of the core's ``__all__``, for it loads matplotlib."""


@dataclass(frozen=True)
class Entry:
    """One public name: where it is found, what it is, and the place where it is documented."""

    namespace: str
    module: ModuleType
    name: str
    value: Any
    home: str

    @property
    def path(self) -> str:
        """Full name under which a user finds it."""
        return f"{self.namespace}.{self.name}"

    @property
    def is_alias(self) -> bool:
        """Whether it is documented under another name."""
        return self.path != self.home


@dataclass(frozen=True)
class Namespace:
    """A public module and its names."""

    name: str
    module: ModuleType
    entries: tuple[Entry, ...]


def namespaces() -> list[Namespace]:
    """Every public module under the name by which a user reaches it, parents first."""
    modules = dict(found for root in ROOTS for found in _modules(root, import_module(root)))
    places: dict[int, list[tuple[str, str]]] = {}
    for path, module in modules.items():
        for name, value in _names(module):
            places.setdefault(id(value), []).append((path, name))
    return [
        Namespace(path, module, tuple(Entry(path, module, n, v, _home(v, places[id(v)])) for n, v in _names(module)))
        for path, module in modules.items()
    ]


def _modules(path: str, module: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    yield path, module
    for name in module.__all__:
        if isinstance(value := getattr(module, name), ModuleType):
            yield from _modules(f"{path}.{name}", value)


def _names(module: ModuleType) -> list[tuple[str, Any]]:
    found = [(name, getattr(module, name)) for name in sorted(module.__all__, key=str.lower)]
    return [(name, value) for name, value in found if not isinstance(value, ModuleType)]


def _home(value: Any, places: list[tuple[str, str]]) -> str:
    """Choose the place nearest to where it is defined, under its own name."""
    defined, own = getattr(value, "__module__", None) or "", getattr(value, "__name__", "")

    def nearness(place: tuple[str, str]) -> tuple[bool, int]:
        namespace, name = place
        return name == own, len(namespace) if f"{defined}.".startswith(f"{namespace}.") else 0

    return ".".join(max(places, key=nearness))
