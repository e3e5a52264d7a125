"""Models made of other models: in lists, in a row, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.layer import Layer
from convis_core.resolution import Resolution
from convis_core.state import state_names
from convis_core.tensors import CHANNEL

__all__ = [
    "Dict",
    "List",
    "Parallel",
    "Sequential",
    "make_parallel_sequential_model",
    "make_sequential_parallel_model",
]

Combine = Literal["sum", "channels"]


class Dict(Layer, register=False):
    """Layers under names of their own, to be parts of a model together.

    Parameters
    ----------
    layers : mapping of str to Layer, optional
        The layers, in their order.
    **more
        Further layers by name.

    Examples
    --------
    >>> from convis_core import filters
    >>> parts = Dict(on=filters.NLRectify(), off=filters.NLSquare())
    >>> list(parts), type(parts["off"]).__name__, len(parts)
    (['on', 'off'], 'NLSquare', 2)
    """

    def __init__(
        self, layers: Mapping[str, Layer] | None = None, *, resolution: Resolution | None = None, **more: Layer
    ) -> None:
        named = {**(layers or {}), **more}
        first = next(iter(named.values()), None)
        super().__init__(resolution=resolution or (first.resolution if isinstance(first, Layer) else None))
        for name, layer in named.items():
            self[name] = layer

    def __setitem__(self, name: str, layer: Layer) -> None:
        _check_part(self, name, layer)
        self.add_module(name, layer)

    def __getitem__(self, name: str) -> Layer:
        if name not in self._modules:
            raise UnknownNameError(f"There is no part {name!r}.", f"There are: {', '.join(self) or 'none'}.")
        return self._modules[name]  # type: ignore[return-value]

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class List(Layer, register=False):
    """Layers in an order, to be parts of a model together; the parts are called ``layer_0`` and so on.

    Parameters
    ----------
    *layers : Layer, or mapping of names to layers
        The layers.

    Raises
    ------
    ParameterError
        If a name is taken, or a layer with a memory is in two places.

    Examples
    --------
    >>> from convis_core import filters
    >>> parts = List(filters.NLRectify(), filters.NLSquare())
    >>> parts[-1] is parts.layer_1, len(parts)
    (True, 2)
    """

    def __init__(self, *layers: Layer | Mapping[str, Layer], resolution: Resolution | None = None) -> None:
        every = [part for layer in layers for part in (layer.values() if isinstance(layer, Mapping) else [layer])]
        first = next(iter(every), None)
        super().__init__(resolution=resolution or (first.resolution if isinstance(first, Layer) else None))
        for layer in layers:
            if isinstance(layer, Mapping):
                for name, part in layer.items():
                    self._add(name, part)
            else:
                self.append(layer)

    def _add(self, name: str, layer: Any) -> None:
        if name in self._modules:
            raise ParameterError(f"There is a part {name!r} already.", "Give each part a name of its own.")
        _check_part(self, name, layer)
        shared = [m for m in set(layer.modules()) & set(self.modules()) if state_names(type(m))]
        if shared:
            raise ParameterError(
                f"A {type(shared[0]).__name__} remembers what it has seen, and cannot do so in two places.",
                "Make another one, e.g. with copy.deepcopy(layer).",
            )
        self.add_module(name, layer)

    def append(self, layer: Layer) -> None:
        """Add a layer at the end."""
        number = len(self)
        while f"layer_{number}" in self._modules:  # a name that was given, or is left after a removal
            number += 1
        self._add(f"layer_{number}", layer)

    def __getitem__(self, index: int) -> Layer:
        try:
            return list(self)[index]
        except IndexError:
            raise UnknownNameError(f"There is no part {index}; there are {len(self)}.") from None

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._modules)


class Sequential(List, register=False):
    """Layers in a row, each working on what the one before it answered.

    Parameters
    ----------
    *layers : Layer, or mapping of names to layers
        All but the last with a single response.

    Raises
    ------
    ParameterError
        As for `List`, or if a layer follows one with several responses.

    Examples
    --------
    >>> from convis_core import filters
    >>> Sequential(filters.Diff(), filters.NLRectify()).run([0.0, 2.0, 1.0]).array().ravel()
    array([0., 2., 0.], dtype=float32)
    """

    def _add(self, name: str, layer: Any) -> None:
        if len(self):
            _check_one_response(list(self._modules)[-1], self[-1])
        super()._add(name, layer)
        self.in_channels, self.output_names = self[0].in_channels, self[-1].output_names

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        response: Any = x
        for layer in self:
            response = layer(response)
        return response  # type: ignore[no-any-return]


class Parallel(List, register=False):
    """Layers side by side, all working on the same input.

    Parameters
    ----------
    *layers : Layer, or mapping of names to layers
        Each with a single response.
    combine : {"sum", "channels"}, optional
        Add the responses up, or put them side by side as channels; otherwise the model has one
        output for each, named as the part.

    Raises
    ------
    ParameterError
        As for `List`, or if a layer has several responses.

    Examples
    --------
    >>> from convis_core import filters
    >>> o = Parallel({"on": filters.NLRectify(), "all": filters.NLSquare()}).run([-2.0, 1.0])
    >>> o.on.flatten(), o["all"].flatten()
    (tensor([0., 1.]), tensor([4., 1.]))
    """

    def __init__(
        self,
        *layers: Layer | Mapping[str, Layer],
        combine: Combine | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        if combine not in (None, "sum", "channels"):
            raise ParameterError(f"combine must be 'sum', 'channels' or None, got {combine!r}.")
        self.combine = combine
        super().__init__(*layers, resolution=resolution)

    def _add(self, name: str, layer: Any) -> None:
        super()._add(name, layer)
        _check_one_response(name, layer)
        if self.combine is None:
            self.output_names = tuple(self._modules)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        responses = [layer(x) for layer in self]
        if not responses:
            raise ParameterError(f"This {type(self).__name__} has no parts to answer.", "Append some.")
        if self.combine == "sum":
            return torch.stack(responses).sum(dim=0)
        return torch.cat(responses, dim=CHANNEL) if self.combine == "channels" else tuple(responses)


def _check_part(model: Layer, name: Any, layer: Any) -> None:
    if not isinstance(layer, Layer):
        raise ParameterError(f"The part {name} must be a Layer, got {type(layer).__name__}.")
    if not str(name).isidentifier() or (hasattr(model, name) and name not in model._modules):
        raise ParameterError(f"A part cannot be called {name!r}.", "Choose a name that could be a variable.")


def _check_one_response(name: str, layer: Layer) -> None:
    if len(layer.output_names) > 1:
        raise ParameterError(
            f"The part {name} has {len(layer.output_names)} responses, {', '.join(layer.output_names)}, "
            "and only one can be handed on.",
            "Combine them, e.g. with Parallel(..., combine='channels').",
        )


def make_sequential_parallel_model(stages: Sequence[Sequence[Layer]]) -> Sequential:
    """Make a row of stages, each of layers side by side whose responses are added up.

    Examples
    --------
    >>> from convis_core import filters
    >>> stages = [[filters.NLRectify(), filters.NLSquare()], [filters.NLSquare()]]
    >>> make_sequential_parallel_model(stages).run([-1.0, 2.0]).array().ravel()
    array([ 1., 36.], dtype=float32)
    """
    return Sequential(*(Parallel(*layers, combine="sum") for layers in stages))


def make_parallel_sequential_model(paths: Sequence[Sequence[Layer]]) -> Parallel:
    """Make paths side by side, each of layers in a row; their responses are added up.

    Examples
    --------
    >>> from convis_core import filters
    >>> paths = [[filters.NLRectify(), filters.NLSquare()], [filters.NLSquare()]]
    >>> make_parallel_sequential_model(paths).run([-1.0, 2.0]).array().ravel()
    array([1., 8.], dtype=float32)
    """
    return Parallel(*(Sequential(*layers) for layers in paths), combine="sum")
