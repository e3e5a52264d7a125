"""Files from which an interrupted fit goes on as if it had never been interrupted."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convis_core.errors import FileFormatError, FitError
from convis_core.files import atomic_path, user_path
from convis_core.loops.bookmark import BestEpoch, BestPass, Bookmark
from convis_core.loops.dice import get_dice, set_dice
from convis_core.loops.fit import FitStep
from convis_core.loops.protocol import FittableModel

__all__ = ["resume_checkpoint", "save_checkpoint"]

FAMILY = "convis fit checkpoint"
KIND = f"{FAMILY} 2"
NUMPY: Final[list[Any]] = [np.dtype, np.float64(0).__reduce__()[0], *(type(np.dtype(code)) for code in "?ilqefd")]
"""What numbers of numpy are made of, so that a learning rate may be one; nothing else is loaded but plain values."""


def save_checkpoint(path: str | os.PathLike[str], model: FittableModel, step: FitStep) -> None:
    """Write everything a fit needs to go on after this step.

    That is the parameters of the model, which of them are frozen, its state, the optimiser and the schedule, also
    if they were given to the fit itself, the random numbers, the place in the data, and what `stop_early`
    remembers. A kill at any moment leaves the former file or the new one, never half of one.

    Parameters
    ----------
    path : str or path
    model : Layer
        In the middle of a fit, between two steps.
    step : FitStep
        The last one made.

    Raises
    ------
    FitError
        If there is no optimiser to go on with, it fits what is not part of the model, or `step` is no step of a fit.
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, convis_core as convis
    >>> path = f"{tempfile.mkdtemp()}/fit.pt"
    >>> inp, out = convis.samples.generate_sample_data(size=(60, 6, 6), seed=1)
    >>> m = convis.models.LN(kernel_dim=(4, 3, 3))
    >>> _ = m.set_optimizer.Adam(lr=0.01)
    >>> for step in m.fit(inp, out, dt=20, epochs=2):
    ...     save_checkpoint(path, m, step)
    ...     if step.step == 3:
    ...         break
    >>> again = convis.models.LN(kernel_dim=(4, 3, 3))
    >>> _ = again.set_optimizer.Adam(lr=0.01)
    >>> [step.step for step in again.fit(inp, out, dt=20, epochs=2, resume=resume_checkpoint(path, again))]
    [4, 5]
    """
    if not isinstance(step, FitStep):
        raise FitError(
            f"A checkpoint is made after a step of a fit, got {step!r:.80}.", "Give what model.fit() yields."
        )
    at = step.bookmark
    optimizer = at.optimizer or model.optimizer
    if optimizer is None:
        raise FitError("No optimiser was chosen, so there is nothing to go on with.", "Use model.set_optimizer.")
    if {id(p) for p in _fitted(optimizer)} - {id(p) for p in model.parameters()}:
        raise FitError(
            "The optimiser fits something that is no parameter of the model, so a checkpoint would miss it.",
            "Make it a parameter of the model, or save it yourself.",
        )
    whole = {
        "kind": KIND,
        **_identity(model, optimizer, at.schedule),
        "values": model.state_dict(),
        "frozen": [not p.requires_grad for p in model.parameters()],
        "optimizer_state": optimizer.state_dict(),
        "schedule_state": None if at.schedule is None else at.schedule.state_dict(),
        "dice": get_dice(model.device),
        "place": {"epoch": at.epoch, "trial": at.trial, "start": at.start, "step": at.step, "state": at.state},
        "passes": vars(at.passes),
        "stopping": None if at.stopping is None else vars(at.stopping),
    }
    with atomic_path(path) as draft:
        torch.save(whole, draft)


def resume_checkpoint(
    path: str | os.PathLike[str],
    model: FittableModel,
    *,
    optimizer: Optimizer | None = None,
    schedule: LRScheduler | None = None,
) -> Bookmark:
    """Put parameters, optimiser, schedule and random numbers back as they were; return where the fit goes on.

    Build the model as for the first time and choose the kind of optimiser that the fit had at last, then go on
    with ``fit(model, ..., resume=resume_checkpoint(path, model))`` and all other arguments as before. On the
    same machine, with as many threads, the result equals that of an uninterrupted fit to the last bit.

    Parameters
    ----------
    path : str or path
    model : Layer
    optimizer : torch.optim.Optimizer, optional
        The one given to the fit, if not chosen with ``model.set_optimizer``.
    schedule : LRScheduler, optional
        The one given to the fit.

    Returns
    -------
    Bookmark
        Also for ``stop_early(..., resume=...)``.

    Raises
    ------
    FileFormatError
        If the file is none, broken, or of another model, optimiser or schedule. Nothing is changed then.
    """
    whole = _read(path)
    chosen = optimizer or model.optimizer
    ours, theirs = _identity(model, chosen, schedule), {key: whole[key] for key in ("model", "optimizer", "schedule")}
    sizes = _sizes(model.state_dict(), None if chosen is None else chosen.state_dict())
    if chosen is None or ours != theirs or sizes != _sizes(whole["values"], whole["optimizer_state"]):
        raise FileFormatError(
            f"The checkpoint is of {_said(theirs)}, here is {_said(ours)}, "
            "or the parameters have other names, shapes, types or groups.",
            "Build the model, and choose the optimiser and schedule that the fit had when it was saved.",
        )
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(whole["values"][name])
        for parameter, frozen in zip(model.parameters(), whole["frozen"], strict=True):
            parameter.requires_grad_(not frozen)
    _put_back(chosen, whole["optimizer_state"])
    if schedule is not None:
        schedule.load_state_dict(whole["schedule_state"])
    set_dice(model.device, whole["dice"])
    return Bookmark(
        **whole["place"],
        passes=BestPass(**whole["passes"]),
        stopping=None if whole["stopping"] is None else BestEpoch(**whole["stopping"]),
        optimizer=optimizer,
        schedule=schedule,
    )


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with torch.serialization.safe_globals(NUMPY):
            whole = torch.load(user_path(path), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileFormatError(f"There is no checkpoint {os.fspath(path)}.", "Save one with save_checkpoint.") from None
    except Exception as error:
        raise FileFormatError(f"{os.fspath(path)} is no checkpoint of a fit: {error}", "Save it again.") from error
    kind = whole.get("kind") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not str(kind).startswith(FAMILY):
        raise FileFormatError(f"{os.fspath(path)} is no checkpoint of a fit.", "Use load_parameters for a model.")
    if kind != KIND:
        raise FileFormatError(
            f"{os.fspath(path)} is a {kind!r}, of another version of the package; this one goes on from {KIND!r}.",
            "Finish the fit with the version that began it, or begin it again.",
        )
    return whole


def _identity(model: FittableModel, optimizer: Optimizer | None, schedule: LRScheduler | None) -> dict[str, str]:
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    return {name: "none" if part is None else type(part).__name__ for name, part in parts.items()}


def _said(identity: dict[str, str]) -> str:
    return f"{identity['model']} fitted with {identity['optimizer']} and schedule {identity['schedule']}"


def _fitted(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _sizes(values: dict[str, Tensor], optimizer: dict[str, Any] | None) -> tuple[dict[str, Any], list[int]]:
    groups = [] if optimizer is None else optimizer["param_groups"]
    kinds = {name: (value.shape, value.dtype) for name, value in values.items()}
    return kinds, [len(group["params"]) for group in groups]


def _put_back(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Load the state of an optimiser; torch makes all of it as precise as the parameter, and it may not have been."""
    optimizer.load_state_dict(saved)
    for number, parameter in enumerate(_fitted(optimizer)):
        if number in saved["state"]:
            loaded = optimizer.state[parameter]
            optimizer.state[parameter] = {
                name: _alike(value, loaded[name]) for name, value in saved["state"][number].items()
            }


def _alike(value: Any, loaded: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to(loaded.device)
    if isinstance(value, list):
        return [_alike(*pair) for pair in zip(value, loaded, strict=True)]
    return value
