"""State is what a layer must remember between chunks: declared, got, set, cleared, moved.

A layer declares each state variable in its class body and assigns it in ``forward``::

    class LowPass(Layer):
        last = state_variable("last output", shape="[batch, channel, x, y]")

It is None until the first chunk. Unlike a torch buffer it is not part of
``state_dict``, since it belongs to a run and not to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, overload
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from typing_extensions import Self

from convis_core.errors import StateError, UnknownNameError
from convis_core.tensors import describe_shape

__all__ = [
    "StateTree",
    "StateVariable",
    "hold_state",
    "map_state",
    "put_state_back",
    "state_names",
    "state_variable",
]

Value = Tensor | int | None


@dataclass(frozen=True)
class StateVariable:
    """Declaration of one thing a layer remembers. See `state_variable`."""

    doc: str
    shape: str = ""
    name: str = field(default="", compare=False)

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", name)

    @overload
    def __get__(self, layer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, layer: nn.Module, owner: type) -> Any: ...
    def __get__(self, layer: nn.Module | None, owner: type) -> Any:
        return self if layer is None else _values(layer).get(self.name)

    def __set__(self, layer: nn.Module, value: Value) -> None:
        _values(layer)[self.name] = value


def state_variable(doc: str, *, shape: str = "") -> StateVariable:
    """Declare a state variable in the body of a `Layer` class."""
    return StateVariable(doc, shape)


_declared: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()
"""What was found once, for a fit asks at every step; a class declares its state in its body."""


def state_names(cls: type) -> tuple[str, ...]:
    """Names of the state variables that a layer class declares."""
    if cls not in _declared:
        _declared[cls] = tuple(name for name in dir(cls) if isinstance(getattr(cls, name, None), StateVariable))
    return _declared[cls]


def _values(layer: nn.Module) -> dict[str, Value]:
    values: dict[str, Value] = layer.__dict__.setdefault("_state_values", {})
    return values


def owners(layer: nn.Module) -> Iterator[tuple[str, nn.Module, str]]:
    """Yield (dotted name, owning layer, attribute) for every state variable in a model."""
    for path, module in layer.named_modules():
        for name in state_names(type(module)):
            yield (f"{path}.{name}" if path else name), module, name


def get_state(layer: nn.Module) -> dict[str, Value]:
    """Copy the state of a layer and its parts, detached, by dotted name."""
    return {full: _copied(_values(module).get(name)) for full, module, name in owners(layer)}


def set_state(layer: nn.Module, state: Mapping[str, Any]) -> None:
    """Install a state got with `get_state`; every name must be known and none missing."""
    if not isinstance(state, Mapping):
        raise StateError(f"Expected a state by name, got {state!r:.80}.", "Give what get_state() returned.")
    known = {full: (module, name) for full, module, name in owners(layer)}
    unknown, missing = sorted(set(state) - set(known)), sorted(set(known) - set(state))
    if unknown or missing:
        raise UnknownNameError(
            f"This state does not belong to a {type(layer).__name__}: "
            f"unknown {', '.join(unknown) or 'none'}; missing {', '.join(missing) or 'none'}.",
            "Use a state got from the same kind of model.",
        )
    for full, value in state.items():
        _check(full, value, *known[full])
    for full, (module, name) in known.items():
        _values(module)[name] = _copied(state[full])


def clear_state(layer: nn.Module) -> None:
    """Forget everything remembered, as before the first chunk."""
    for _, module, name in owners(layer):
        _values(module)[name] = None


Held = list[tuple[dict[str, Any], dict[str, Any]]]
"""Attributes of every module of a layer, and what those were that make up its state."""

_KEPT: Final[tuple[str, ...]] = ("_state_values", "_state_geometry")


def hold_state(layer: nn.Module) -> Held:
    """Note the state and the input it belongs to, without a copy: layers replace what they remember."""
    held = []
    for module in layer.modules():
        there = module.__dict__
        noted = {name: there[name] for name in _KEPT if name in there}
        if "_state_values" in noted:
            noted["_state_values"] = dict(noted["_state_values"])
        held.append((there, noted))
    return held


def put_state_back(held: Held) -> None:
    """Go back to a state that was noted with `hold_state`."""
    for there, noted in held:
        for name in _KEPT:
            there.pop(name, None)
        there.update(noted)


def map_state(layer: nn.Module, change: Callable[[Tensor], Tensor], recurse: bool = True) -> None:
    """Apply a function to every state tensor, e.g. to detach it or to move it."""
    for module in layer.modules() if recurse else [layer]:
        values = _values(module)
        for name, value in values.items():
            if isinstance(value, Tensor):
                values[name] = change(value)


def _check(full: str, value: Any, module: nn.Module, name: str) -> None:
    """Refuse what no layer remembers, before it fails in the middle of a run."""
    if value is not None and not isinstance(value, (int, Tensor)):
        shape = getattr(type(module), name).shape
        raise StateError(
            f"State {full} must be a tensor{shape and ' ' + shape}, an int or None, got {type(value).__name__}.",
            "Write torch.as_tensor(value), or None for a fresh start.",
        )


def _copied(value: Value) -> Value:
    return value.detach().clone() if isinstance(value, Tensor) else value


class StateTree:
    """`layer.s`: the state variables as tab-completable attributes, with their documentation."""

    def __init__(self, layer: nn.Module, prefix: str = "") -> None:
        self.__dict__.update(_layer=layer, _prefix=prefix)

    def _entries(self) -> dict[str, tuple[nn.Module, str]]:
        start = self._prefix
        return {full[len(start) :]: (m, n) for full, m, n in owners(self._layer) if full.startswith(start)}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        entries = self._entries()
        if name in entries:
            module, attribute = entries[name]
            return _values(module).get(attribute)
        if any(key.startswith(f"{name}.") for key in entries):
            return StateTree(self._layer, f"{self._prefix}{name}.")
        raise UnknownNameError(
            f"{type(self._layer).__name__} has no state {self._prefix}{name}.",
            f"There is: {', '.join(entries) or 'none'}.",
        )

    def __setattr__(self, name: str, value: Any) -> None:
        entries = self._entries()
        if name not in entries:
            raise UnknownNameError(
                f"{type(self._layer).__name__} has no state {self._prefix}{name}.",
                f"There is: {', '.join(entries) or 'none'}.",
            )
        module, attribute = entries[name]
        _check(name, value, module, attribute)
        if isinstance(value, Tensor):
            value = value.to(self._layer.device, self._layer.dtype if value.is_floating_point() else value.dtype)
        _values(module)[attribute] = value

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(f"{key}.".startswith(f"{name}.") for key in self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def __dir__(self) -> list[str]:
        return sorted({name.split(".")[0] for name in self._entries()})

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __repr__(self) -> str:
        lines = [f"State of {type(self._layer).__name__}:"]
        for full, (module, name) in self._entries().items():
            declared = getattr(type(module), name)
            lines.append(f"  {full}: {_shown(_values(module).get(name))}  # {declared.doc}")
        return "\n".join(lines)


def _shown(value: Value) -> str:
    if isinstance(value, Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"{dtype} {describe_shape(value.shape)}"
    return "not set yet" if value is None else str(value)
