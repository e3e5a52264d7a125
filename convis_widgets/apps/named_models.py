"""Models that can be explored by their name alone."""

from __future__ import annotations

import inspect

from convis_core import Layer, Resolution, models
from convis_core.errors import ConvisError
from convis_core.layer import registered_layers

__all__ = ["build_model", "check_model", "model_names"]


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

    Examples
    --------
    >>> build_model("LN", Resolution(30.0, 1000.0)).output_names
    ('output',)
    """
    check_model(name)
    model: Layer = getattr(models, name)(resolution=resolution)
    return model


def _stands_alone(model: type[Layer]) -> bool:
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(model).parameters.values()
    needed = [item for item in parameters if item.default is item.empty and item.kind not in optional]
    return not needed and not hasattr(model, "given")
