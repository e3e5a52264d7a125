"""Where the built front end lies."""

from __future__ import annotations

from pathlib import Path

from convis_core.errors import MissingDependencyError

__all__ = ["front_end"]

STATIC = Path(__file__).parent.parent / "static"


def front_end(name: str) -> Path:
    """Return the path of one built file of the front end.

    Raises
    ------
    MissingDependencyError
        The front end has not been built; an installed wheel always carries it.

    Examples
    --------
    >>> front_end("hub.js").name
    'hub.js'
    """
    path = STATIC / name
    if not path.is_file():
        raise MissingDependencyError(
            f"The front end file {name} is missing from {STATIC.parent.name}/{STATIC.name}.",
            "In a source checkout run `make run`, or `npm ci && npm run build` in js/.",
        )
    return path
