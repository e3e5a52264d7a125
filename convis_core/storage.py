"""Parameters in and out: as a dict of arrays, and as an ``.npz`` file without code in it."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from convis_core.errors import FileFormatError, ParameterError, ShapeError, UnknownNameError
from convis_core.files import atomic_path, user_path
from convis_core.parameter_tree import Handle, handles
from convis_core.tensors import describe_shape
from convis_core.warn import warn

__all__ = ["get_parameters", "load_parameters", "save_parameters", "set_parameters"]

HEADER = "__convis__"
LARGEST = 2**30
"""Bytes beyond which a file is taken for a zip bomb: no model here has as many parameters."""


def get_parameters(layer: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """Copy all parameters by dotted name."""
    return {name: np.array(handle) for name, handle in handles(layer).items()}


def set_parameters(layer: nn.Module, values: Mapping[str, Any], *, strict: bool = True) -> None:
    """Set parameters by dotted name; either all of them are set or, on an error, none.

    Parameters
    ----------
    strict : bool
        Whether an unknown or a missing name is an error; otherwise it is a warning.
    """
    if not isinstance(values, Mapping):
        raise ParameterError(
            f"Expected parameters by name, got {values!r:.80}.", "Give a dict, such as get_parameters() returns."
        )
    known = handles(layer)
    _check_names(layer, known, values, strict)
    checked = []
    for name in known.keys() & values.keys():
        handle = known[name]
        value = handle.declaration.check(values[name], where=type(handle.owner).__name__)
        if value.shape != handle.tensor.shape and not value.numel() == 1 == handle.tensor.numel():
            raise ShapeError(
                f"{name} has shape {describe_shape(handle.tensor.shape)} in this {type(layer).__name__} "
                f"and {describe_shape(value.shape)} in what is to be loaded.",
                "Build the model with the same kernel size first.",
            )
        checked.append((handle, value))
    for handle, tensor in checked:
        handle.set(tensor)


def _check_names(layer: nn.Module, known: dict[str, Handle], values: Mapping[str, Any], strict: bool) -> None:
    unknown, missing = sorted(set(values) - set(known)), sorted(set(known) - set(values))
    if not unknown and not missing:
        return
    message = (
        f"These parameters do not belong to this {type(layer).__name__}: "
        f"unknown {', '.join(unknown) or 'none'}; missing {', '.join(missing) or 'none'}."
    )
    if strict:
        raise UnknownNameError(message, "Pass strict=False to set only those that both have.")
    warn(message + " The others are set.")


def save_parameters(layer: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write all parameters to a compressed ``.npz`` file, atomically.

    Raises
    ------
    FileWriteError
        If the file cannot be written.
    """
    header = {"format": 1, "model": type(layer).__name__}
    arrays: dict[str, Any] = {HEADER: np.array(json.dumps(header)), **get_parameters(layer)}
    with atomic_path(_with_suffix(path)) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_parameters(layer: nn.Module, path: str | os.PathLike[str], *, strict: bool = True) -> None:
    """Set all parameters from a file written by `save_parameters`. Never executes code."""
    try:
        found = user_path(path)
        values = _read(found if found.exists() else user_path(_with_suffix(path)))
    except FileNotFoundError:
        raise FileFormatError(f"There is no parameter file {os.fspath(path)!r}.") from None
    except Exception as error:  # zip, zlib and numpy raise some ten kinds over a broken file
        raise FileFormatError(
            f"{os.fspath(path)!r} is not a readable parameter file: {error}.",
            "It should be an .npz file written by save_parameters.",
        ) from error
    set_parameters(layer, values, strict=strict)


def _read(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > LARGEST:
        raise ValueError(f"it would unpack to {unpacked / 2**30:.3g} GiB")
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if name != HEADER}


def _with_suffix(path: str | os.PathLike[str]) -> str:
    text = os.fsdecode(path)
    return text if text.endswith(".npz") else f"{text}.npz"
