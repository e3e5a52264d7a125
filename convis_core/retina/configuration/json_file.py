"""A configuration as JSON: the tree as it is."""

from __future__ import annotations

import json
import os

from convis_core.errors import FileFormatError
from convis_core.files import atomic_path, user_path
from convis_core.retina.configuration.checking import Tree, complete
from convis_core.retina.configuration.schema import RETINA
from convis_core.warn import warn

__all__ = ["read_json", "write_json"]


def read_json(path: str | os.PathLike[str]) -> Tree:
    """Read and complete what a file says. Unknown names give a warning.

    Raises
    ------
    FileFormatError
        If the file is missing or no JSON.
    ParameterError
        If a value is no number, missing or out of range; the message names file and path.
    """
    try:
        tree = json.loads(user_path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"The configuration {os.fspath(path)!r} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{os.fspath(path)} is no readable JSON: {error}.") from error
    return complete(tree, RETINA, f"{os.fspath(path)}: retina", _report)


def write_json(tree: Tree, path: str | os.PathLike[str]) -> None:
    """Write a configuration with all its values, atomically."""
    with atomic_path(path) as draft:
        draft.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")


def _report(where: str, name: str, known: tuple[str, ...]) -> None:
    warn(f"{where} has {name!r}, which is unknown and left out. It can have: {', '.join(known)}.")
