"""`layer.m`: the layers inside a layer as tab-completable attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from convis_core.errors import UnknownNameError

__all__ = ["PartTree"]


class PartTree:
    """The parts of a model by name: ``model.m.conv`` is the layer itself.

    Assigning to it puts another layer in its place; ``m["stage.conv"]`` finds a part of a part.
    """

    _layer: nn.Module

    def __init__(self, layer: nn.Module) -> None:
        self.__dict__.update(_layer=layer)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, part: nn.Module) -> None:
        getattr(self, name)  # refuses an unknown name
        setattr(self._layer, name, part)

    def __getitem__(self, name: str) -> Any:
        part = dict(self._layer.named_modules()).get(name) if name else None
        if part is None:
            raise UnknownNameError(
                f"{type(self._layer).__name__} has no part {name}.",
                f"There are: {', '.join(dir(self)) or 'none'}.",
            )
        return part

    def __dir__(self) -> list[str]:
        return [name for name, _ in self._layer.named_children()]

    def __contains__(self, name: object) -> bool:
        return name != "" and name in dict(self._layer.named_modules())

    def __iter__(self) -> Iterator[nn.Module]:
        return self._layer.children()

    def __len__(self) -> int:
        return len(dir(self))

    def __repr__(self) -> str:
        lines = [f"  {path}: {type(part).__name__}" for path, part in self._layer.named_modules() if path]
        return "\n".join([f"Parts of {type(self._layer).__name__}:", *lines])
