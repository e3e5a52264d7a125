"""A parameter is declared once: default, unit, bounds, scale, doc, citation, Virtual Retina key.

The range check, the error text, the slider, the file formats and the documentation all
come from that one `Declaration`. On a layer the value is a `torch.nn.Parameter`, set in
place and never replaced::

    class LowPass(Layer):
        tau = parameter(0.01, unit="s", bounds=(0.0, 10.0), doc="time constant")
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import Tensor, nn
from typing_extensions import Self

from convis_core.errors import ParameterError, ShapeError
from convis_core.tensors import describe_shape, to_tensor

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Declaration", "parameter", "set_in_place"]

Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-math.inf, math.inf)


@dataclass(frozen=True)
class Declaration:
    """What is known about a parameter before it has a value.

    Attributes
    ----------
    default : float or None
        Value of a fresh layer; None for an array whose shape the constructor decides.
    unit : str
        Unit of the value: ``"s"``, ``"deg"``, ``"Hz"``, ``""`` for a pure number.
    bounds : tuple of float
        Smallest and largest value allowed, both included; outside it setting raises.
    slider : tuple of float or None
        Range that a slider should cover, where it is narrower than `bounds`.
    scale : {"linear", "log"}
        How a slider runs through the range.
    doc : str
        What it means, in one sentence.
    citation : str
        DOI of the source, where there is one.
    key : str
        Path of the corresponding attribute in a Virtual Retina configuration.
    """

    default: float | None = None
    unit: str = ""
    bounds: Bounds = UNBOUNDED
    slider: Bounds | None = None
    scale: Literal["linear", "log"] = "linear"
    doc: str = ""
    citation: str = ""
    key: str = ""
    name: str = field(default="", compare=False)

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", name)

    @overload
    def __get__(self, layer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, layer: Module, owner: type) -> nn.Parameter: ...
    def __get__(self, layer: Module | None, owner: type) -> Self | nn.Parameter:
        if layer is None:
            return self
        value = layer._parameters.get(self.name)
        if value is None:
            raise AttributeError(f"{owner.__name__}.{self.name} has no value yet; call Layer.__init__ first.")
        return value

    def __set__(self, layer: Module, value: Any) -> None:
        current = layer._parameters.get(self.name)
        if current is None:
            tensor = self.check(value, where=type(layer).__name__)
            layer.register_parameter(self.name, nn.Parameter(tensor.to(torch.get_default_dtype(), copy=True)))
        else:
            set_in_place(current, self, value, where=type(layer).__name__)

    @property
    def is_scalar(self) -> bool:
        """Whether the parameter is one number, as opposed to an array."""
        return self.default is not None

    @property
    def range(self) -> Bounds | None:
        """Finite range a slider can cover, or None where none is declared."""
        lo, hi = self.slider or self.bounds
        return (lo, hi) if math.isfinite(lo) and math.isfinite(hi) else None

    def check(self, value: Any, *, where: str = "", shape: torch.Size | None = None) -> Tensor:
        """Return `value` as a tensor, or raise saying what is wrong with it."""
        label = f"{where}.{self.name}" if where else self.name
        unit = f" {self.unit}" if self.unit else ""
        if isinstance(value, str):
            value = _number_in(value)  # typed into a field or read from a file
        if value is None or isinstance(value, str):
            raise ParameterError(f"{label} expects a number{unit and ' in' + unit}, got {value!r}.")
        if hasattr(value, "tensor") and isinstance(value.tensor, Tensor):
            value = value.tensor
        try:
            tensor = to_tensor(value).detach()
        except ShapeError as error:
            what = f"a number{unit and ' in' + unit}" if self.is_scalar else "an array of real numbers"
            raise ParameterError(f"{label} expects {what}, got {value!r:.80}.") from error
        if tensor.numel() == 1 and (self.is_scalar or shape not in (None, tensor.shape)):
            tensor = tensor.reshape(())
        if self.is_scalar and tensor.ndim:
            raise ParameterError(f"{label} is one number, got an array of shape {describe_shape(tensor.shape)}.")
        if shape is not None and tensor.shape != shape and tensor.numel() != 1:
            raise ParameterError(
                f"{label} has shape {describe_shape(shape)}, got {describe_shape(tensor.shape)}.",
                "Use set_weight to give a kernel another size.",
            )
        if not bool(torch.isfinite(tensor).all()):
            raise ParameterError(f"{label} must be finite, got {_shown(tensor)}{unit}.")
        lo, hi = self.bounds
        rounded = tensor.float()  # what single precision made of a bound is within it
        if bool((rounded < lo).any()) or bool((rounded > hi).any()):
            raise ParameterError(
                f"{label} = {_shown(tensor)}{unit} is out of bounds: it must lie between {lo:g} and {hi:g}{unit}."
            )
        return tensor

    def describe(self) -> str:
        """One line for tables and tooltips: doc, unit and range."""
        lo, hi = self.bounds
        limits = "" if self.bounds == UNBOUNDED else f"{lo:g} to {hi:g}"
        facts = ", ".join(part for part in (self.unit, limits) if part)
        return f"{self.doc} ({facts})" if facts else self.doc


def _number_in(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _shown(tensor: Tensor) -> str:
    if tensor.numel() == 1:
        return f"{float(tensor):g}"
    return f"values from {float(tensor.min()):g} to {float(tensor.max()):g}"


def parameter(
    default: float | None = None,
    *,
    unit: str = "",
    bounds: Bounds = UNBOUNDED,
    slider: Bounds | None = None,
    scale: Literal["linear", "log"] = "linear",
    doc: str,
    citation: str = "",
    key: str = "",
) -> Declaration:
    """Declare a parameter in the body of a `Layer` class. See `Declaration`."""
    return Declaration(default, unit, bounds, slider, scale, doc, citation, key)


def set_in_place(current: nn.Parameter, declaration: Declaration, value: Any, where: str = "") -> None:
    """Write a checked value into an existing parameter, keeping it the same object."""
    tensor = declaration.check(value, where=where, shape=current.shape)
    with torch.no_grad():
        current.copy_(tensor.expand_as(current))
