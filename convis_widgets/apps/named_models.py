"""Models that can be explored by their name alone."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from convis_core import Layer, Resolution, models
from convis_core.errors import ConvisError
from convis_core.filters import CentreSurroundFilter
from convis_core.filters.convolving import Convolving
from convis_core.layer import registered_layers

__all__ = ["build_model", "check_model", "model_names"]

GAIN = 10.0
"""Factor by which a centre-surround filter is strong enough to be bent by what follows it in a model."""


def model_names() -> list[str]:
    """Names of the models that are built without being told anything, and answer a stimulus alone.

    Left out are the containers, which are empty until something is put in, and what has to be given spikes first.

    Examples
    --------
    >>> names = model_names()
    >>> "Retina" in names, "Sequential" in names, "GLM" in names
    (True, False, False)
    """
    layers = registered_layers()
    return [name for name in models.__all__ if getattr(models, name) in layers and _stands_alone(getattr(models, name))]


def check_model(name: str) -> None:
    """Refuse a name that is not one of `model_names`.

    Raises
    ------
    ConvisError
        Lists those there are.
    """
    if name not in model_names():
        what = (
            f"The model {name} needs more than its name." if name in models.__all__ else f"There is no model {name!r}."
        )
        raise ConvisError(what, f"By name there are: {', '.join(model_names())}.")


def build_model(name: str, resolution: Resolution) -> Layer:
    """Make a model of `model_names` at a resolution.

    Where the size of its kernel is to be chosen, its first filter is that of an ON cell, a small
    `CentreSurroundFilter`: left alone it would be a single random number.

    Examples
    --------
    >>> build_model("LN", Resolution(30.0, 1000.0)).kernel().shape
    torch.Size([1, 1, 60, 19, 19])
    """
    check_model(name)
    kind: type[Layer] = getattr(models, name)
    if "kernel_dim" not in inspect.signature(kind).parameters:
        return kind(resolution=resolution)
    kernel = CentreSurroundFilter(duration=0.06, extent=0.3, resolution=resolution).kernel().detach()[0, 0]
    options: dict[str, Any] = {"kernel_dim": kernel.shape} if kind is models.SeparableLN else {}
    model = kind(resolution=resolution, **options)
    _set_kernel(model, GAIN * kernel)
    return model


def _set_kernel(model: Layer, kernel: torch.Tensor) -> None:
    if isinstance(model, models.SeparableLN):
        courses, strengths, maps = torch.linalg.svd(kernel.flatten(1), full_matrices=False)
        model.time_courses = (strengths[0] * courses[:, 0]).reshape(model.time_courses.shape)
        model.maps = maps[0].reshape(model.maps.shape)
    else:
        first = next(part for part in model.modules() if isinstance(part, Convolving))
        first.set_weight(kernel)


def _stands_alone(model: type[Layer]) -> bool:
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(model).parameters.values()
    needed = [item for item in parameters if item.default is item.empty and item.kind not in optional]
    return not needed and not hasattr(model, "given")
