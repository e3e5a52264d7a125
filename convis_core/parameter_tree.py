"""`layer.p`: the parameters of a layer and its parts as a tree to look at, tab through and set."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convis_core.errors import UnknownNameError
from convis_core.parameters import Declaration, set_in_place
from convis_core.tensors import to_numpy

__all__ = ["Handle", "ParameterTree", "handles"]


class Handle:
    """One parameter of a model: its value, and everything declared about it.

    It can be given to numpy, torch and plotting functions in place of its value.

    Attributes
    ----------
    name : str
        Dotted path from the layer whose tree it was found in.
    tensor : torch.nn.Parameter
        The parameter itself, as the model uses it and an optimiser changes it.
    declaration : Declaration
        Default, unit, bounds, documentation.
    """

    __slots__ = ("declaration", "name", "owner", "tensor")  # what else is set would be lost: raise instead

    def __init__(self, name: str, tensor: nn.Parameter, declaration: Declaration, owner: nn.Module) -> None:
        self.name = name
        self.tensor = tensor
        self.declaration = declaration
        self.owner = owner

    def set(self, value: Any) -> None:
        """Set the value in place; refused outside the declared bounds."""
        set_in_place(self.tensor, self.declaration, value, where=type(self.owner).__name__)

    def reset(self) -> None:
        """Go back to the default, where there is one."""
        if self.declaration.default is not None:
            self.set(self.declaration.default)

    @property
    def value(self) -> float | np.ndarray[Any, Any]:
        """Current value: a float, or a copy as an array."""
        array = to_numpy(self.tensor)
        return float(array) if array.ndim == 0 else array.copy()

    @property
    def unit(self) -> str:
        return self.declaration.unit

    @property
    def doc(self) -> str:
        return self.declaration.doc

    @property
    def bounds(self) -> tuple[float, float]:
        return self.declaration.bounds

    @property
    def default(self) -> float | None:
        return self.declaration.default

    def __float__(self) -> float:
        return float(self.tensor.detach())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = to_numpy(self.tensor).copy()
        return array if dtype is None else array.astype(dtype)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return func(*_unwrapped(args, _tensor), **_unwrapped(kwargs or {}, _tensor))

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return func(*_unwrapped(args, np.asarray), **_unwrapped(kwargs, np.asarray))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "tensor":
            raise AttributeError(name)
        return getattr(self.tensor, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("requires_grad", "grad"):
            setattr(self.tensor, name, value)
        else:
            super().__setattr__(name, value)

    def __getitem__(self, index: Any) -> Tensor:
        return self.tensor[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        changed = self.tensor.detach().clone()
        changed[index] = _unwrapped(value, _tensor)
        self.set(changed)

    def __len__(self) -> int:
        return len(self.tensor)

    def __hash__(self) -> int:
        return hash(self.tensor)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __repr__(self) -> str:
        value = self.value
        shown = f"{value:g}" if isinstance(value, float) else f"array {value.shape}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name} = {shown}{unit}" + (f"  # {self.declaration.describe()}" if self.doc else "")


def _tensor(handle: Handle) -> nn.Parameter:
    return handle.tensor


def _unwrapped(x: Any, value: Callable[[Handle], Any]) -> Any:
    """Put the value in the place of every handle in what a function is given."""
    if isinstance(x, (list, tuple)):
        return type(x)(_unwrapped(item, value) for item in x)
    if isinstance(x, dict):
        return {key: _unwrapped(item, value) for key, item in x.items()}
    return value(x) if isinstance(x, Handle) else x


def _arithmetic(name: str) -> Callable[..., Any]:
    def operate(self: Handle, *others: Any) -> Any:
        return getattr(self.tensor, name)(*(o.tensor if isinstance(o, Handle) else o for o in others))

    operate.__name__ = name
    return operate


_OPERATORS = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul "
    "neg abs lt gt le ge eq ne bool int iter"
)
for _name in _OPERATORS.split():
    setattr(Handle, f"__{_name}__", _arithmetic(f"__{_name}__"))


def declaration_of(layer: nn.Module, name: str) -> Declaration:
    """Return what is declared about a parameter; a bare one for plain torch modules."""
    found = getattr(type(layer), name, None)
    if isinstance(found, Declaration):
        return found
    declaration = Declaration(doc=f"{name} of a {type(layer).__name__}")
    declaration.__set_name__(type(layer), name)
    return declaration


def handles(layer: nn.Module) -> dict[str, Handle]:
    """List every parameter of a layer and its parts by dotted name."""
    found = {}
    for path, module in layer.named_modules():
        for name, tensor in module.named_parameters(recurse=False):
            full = f"{path}.{name}" if path else name
            found[full] = Handle(full, tensor, declaration_of(module, name), module)
    return found


class ParameterTree:
    """Parameters as attributes: ``p.g_L``, ``p.bipolar.lambda_amp``, ``p._search.lam``, ``p._all``.

    Reading gives a `Handle`, assigning sets the value in place. Iterating gives the
    handles, depth first; ``p["bipolar.lambda_amp"]`` finds one by its dotted name.
    """

    def __init__(self, found: dict[str, Handle], title: str, prefix: str = "") -> None:
        self.__dict__.update(_handles=found, _title=title, _prefix=prefix)

    @property
    def _all(self) -> ParameterTree:
        """Every parameter in one flat list, dots written as underscores."""
        return ParameterTree(_flat(self._handles), self._title)

    @property
    def _search(self) -> ParameterSearch:
        """Parameters whose name contains what follows: ``p._search.lam``."""
        return ParameterSearch(self._handles, self._title)

    def _child(self, name: str) -> Handle | ParameterTree | None:
        handles: dict[str, Handle] = self._handles
        if name in handles:
            return handles[name]
        inside = {key[len(name) + 1 :]: h for key, h in handles.items() if key.startswith(f"{name}.")}
        return ParameterTree(inside, self._title, f"{self._prefix}{name}.") if inside else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        child = self._child(name)
        if child is None:
            raise UnknownNameError(
                f"{self._title} has no parameter {self._prefix}{name}.",
                f"There are: {', '.join(self._handles) or 'none'}.",
            )
        return child

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        target = self[name]
        if isinstance(target, ParameterTree):
            raise UnknownNameError(
                f"{self._prefix}{name} is a group of parameters, not one.", f"Set one of: {', '.join(target._handles)}."
            )
        target.set(value)

    def __dir__(self) -> list[str]:
        return [*sorted({name.split(".")[0] for name in self._handles}), "_all", "_search"]

    def __iter__(self) -> Iterator[Handle]:
        return iter(self._handles.values())

    def __len__(self) -> int:
        return len(self._handles)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._child(name) is not None

    def __repr__(self) -> str:
        lines = [f"Parameters of {self._title}:"]
        return "\n".join(lines + [f"  {handle!r}" for handle in self])

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in _row(handle)) + "</tr>"
            for handle in self
        )
        head = "".join(f"<th style='text-align:left'>{h}</th>" for h in ("parameter", "value", "unit", "bounds", ""))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


class ParameterSearch:
    """Tab-completable search over parameter names."""

    _found: dict[str, Handle]
    _title: str

    def __init__(self, found: dict[str, Handle], title: str) -> None:
        self.__dict__.update(_found=found, _title=title)

    def __getattr__(self, text: str) -> ParameterTree:
        if text.startswith("__"):
            raise AttributeError(text)
        return self[text]

    def __setattr__(self, text: str, value: Any) -> None:
        raise UnknownNameError(
            f"A search for {text!r} finds parameters, it is none that could be set.",
            f"Set one of: {', '.join(handle.name for handle in self[text]) or 'none found'}.",
        )

    def __getitem__(self, text: str) -> ParameterTree:
        return ParameterTree({name: h for name, h in _flat(self._found).items() if text in name}, self._title)

    def __dir__(self) -> list[str]:
        return sorted({part for name in self._found for part in name.split(".")})

    def __repr__(self) -> str:
        return f"Search the parameters of {self._title} by a part of their names, e.g. p._search.tau"


def _flat(found: dict[str, Handle]) -> dict[str, Handle]:
    """Write dots as underscores; where two names would become one, the later keeps its dots."""
    flat: dict[str, Handle] = {}
    for name, handle in found.items():
        joined = name.replace(".", "_")
        flat[name if joined in flat else joined] = handle
    return flat


def _row(handle: Handle) -> tuple[str, str, str, str, str]:
    value = handle.value
    shown = f"{value:g}" if isinstance(value, float) else f"array {tuple(value.shape)}"
    lo, hi = handle.bounds
    limits = "" if lo == -torch.inf and hi == torch.inf else f"{lo:g} to {hi:g}"
    return handle.name, shown, handle.unit, limits, handle.doc
