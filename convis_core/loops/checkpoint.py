"""Files from which an interrupted fit goes on as if it had never been interrupted."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from convis_core.errors import FileFormatError, FitError
from convis_core.files import atomic_path
from convis_core.loops.fit import FitStep
from convis_core.loops.protocol import FittableModel

__all__ = ["resume_checkpoint", "save_checkpoint"]

KIND = "convis fit checkpoint 1"


def save_checkpoint(
    path: str | os.PathLike[str], model: FittableModel, step: FitStep, schedule: LRScheduler | None = None
) -> None:
    """Write everything a fit needs to go on after this step.

    A kill at any moment leaves the former file or the new one, never half of one.

    Parameters
    ----------
    path : str or path
    model : Layer
        In the middle of a fit, between two steps.
    step : FitStep
        The last one made.
    schedule : LRScheduler, optional
        The one given to the fit.
    """
    if model.optimizer is None:
        raise FitError("No optimiser was chosen, so there is nothing to go on with.", "Use model.set_optimizer.")
    whole = {
        "kind": KIND,
        "model": type(model).__name__,
        "parameters": [p.detach() for p in model.parameters()],
        "state": model.get_state(),
        "optimizer": type(model.optimizer).__name__,
        "optimizer_state": model.optimizer.state_dict(),
        "schedule": None if schedule is None else schedule.state_dict(),
        "dice": torch.get_rng_state(),
        "done": step.step + 1,
    }
    with atomic_path(path) as draft:
        torch.save(whole, draft)


def resume_checkpoint(path: str | os.PathLike[str], model: FittableModel, schedule: LRScheduler | None = None) -> int:
    """Put model, optimiser and random numbers back as they were; return how many updates had been made.

    Build the model and choose its optimiser as for the first time, then go on with
    ``fit(model, ..., done=resume_checkpoint(path, model))``. On the same machine,
    with as many threads, the result equals that of an uninterrupted fit to the last bit.

    Raises
    ------
    FileFormatError
        If the file is none, broken, or of another model or optimiser.
    """
    try:
        whole: dict[str, Any] = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise FileFormatError(f"There is no checkpoint {os.fspath(path)}.", "Save one with save_checkpoint.") from None
    except Exception as error:
        raise FileFormatError(f"{os.fspath(path)} is no checkpoint of a fit: {error}", "Save it again.") from error
    if not isinstance(whole, dict) or whole.get("kind") != KIND:
        raise FileFormatError(f"{os.fspath(path)} is no checkpoint of a fit.", "Use load_parameters for a model.")
    ours = [type(model).__name__, type(model.optimizer).__name__, [tuple(p.shape) for p in model.parameters()]]
    theirs = [whole["model"], whole["optimizer"], [tuple(p.shape) for p in whole["parameters"]]]
    if ours != theirs or model.optimizer is None:
        raise FileFormatError(
            f"The checkpoint is of {theirs[0]} fitted with {theirs[1]}, here is {ours[0]} with {ours[1]}, "
            "or the parameters have other shapes.",
            "Build the model and choose the optimiser as for the first part of the fit.",
        )
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), whole["parameters"], strict=True):
            parameter.copy_(value)
    model.set_state(whole["state"])
    model.optimizer.load_state_dict(whole["optimizer_state"])
    if schedule is not None and whole["schedule"] is not None:
        schedule.load_state_dict(whole["schedule"])
    torch.set_rng_state(whole["dice"])
    return int(whole["done"])
