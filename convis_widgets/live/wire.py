"""What travels to the browser: parts for widgets, packed into one binary message a tick."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convis_core.errors import ShapeError

__all__ = ["Part", "make_part", "pack"]

Kind = Literal["live", "set"]
Chunks = tuple[NDArray[Any], ...]

CHUNKS = 256
"""Chunks of events kept apart before they are joined: one more costs the same after a minute and after a day."""

# JavaScript has no typed array for these, or none that views draw from
_NARROWED = {"int64": "int32", "uint64": "uint32", "bool": "uint8", "float16": "float32"}


@dataclass(frozen=True)
class Part:
    """News for one widget.

    Parameters
    ----------
    to : str
        Model id of the widget.
    kind : {"live", "set"}
        ``live``: handed to one of our own views as an event; ``set``: attributes set on a foreign widget in the page.
    fields : mapping
        Small JSON values. ``reset: True`` tells a view to forget what was appended before, ``dropped`` how many events
        had to be left out of this part.
    arrays : mapping of str to ndarray
        The newest replaces an older one that was not sent yet.
    appended : mapping of str to tuple of ndarray
        Parallel event lists (equal lengths); unsent ones are concatenated, never replaced.
    """

    to: str
    kind: Kind = "live"
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    appended: Mapping[str, Chunks] = field(default_factory=dict)

    @property
    def n_events(self) -> int:
        """Number of appended events."""
        first = next(iter(self.appended.values()), ())
        return sum(len(chunk) for chunk in first)

    def merged(self, newer: Part) -> Part:
        """Return this part brought up to date by a newer one for the same widget."""
        earlier = {} if newer.fields.get("reset") else self.appended
        names = dict.fromkeys([*earlier, *newer.appended])
        return replace(
            newer,
            fields={**self.fields, **newer.fields},
            arrays={**self.arrays, **newer.arrays},
            appended={name: _joined((*earlier.get(name, ()), *newer.appended.get(name, ()))) for name in names},
        )

    def newest(self, limit: int) -> Part:
        """Return this part with the newest ``limit`` appended events; ``fields["dropped"]`` counts the rest."""
        if (excess := self.n_events - limit) <= 0:
            return self
        return replace(
            self,
            fields={**self.fields, "dropped": self.fields.get("dropped", 0) + excess},
            appended={name: _without(chunks, excess) for name, chunks in self.appended.items()},
        )


def _joined(chunks: Chunks) -> Chunks:
    return chunks if len(chunks) <= CHUNKS else (np.concatenate(chunks),)


def _without(chunks: Chunks, n_events: int) -> Chunks:
    """Leave out the oldest events, as views: what they leave behind is freed when the chunks are next joined."""
    for first, chunk in enumerate(chunks):
        if n_events < len(chunk):
            return (chunk[n_events:], *chunks[first + 1 :])
        n_events -= len(chunk)
    return ()


def make_part(
    to: str,
    fields: Mapping[str, Any] | None = None,
    arrays: Mapping[str, ArrayLike] | None = None,
    *,
    append: Sequence[str] = (),
    kind: Kind = "live",
) -> Part:
    """Build a part from whatever NumPy can read; arrays are copied, so the caller may reuse its buffers.

    Parameters
    ----------
    to : str
        Model id of the widget.
    fields, arrays : mapping, optional
        See :class:`Part`.
    append : sequence of str
        Names of the arrays that are event lists.

    Raises
    ------
    ShapeError
        Event lists are not one-dimensional or differ in length.

    Examples
    --------
    >>> part = make_part("view", {"now": 0.5}, {"time": [0.1, 0.4], "cell": [3, 7]}, append=("time", "cell"))
    >>> part.n_events
    2
    """
    converted = {name: _array(value) for name, value in (arrays or {}).items()}
    events = {name: converted.pop(name) for name in append if name in converted}
    shapes = {name: value.shape for name, value in events.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise ShapeError(
            f"Event lists must be one-dimensional and of one length, got {shapes}.",
            "Give one time, one cell and one population for each event.",
        )
    return Part(to, kind, dict(fields or {}), converted, {name: (value,) for name, value in events.items()})


def _array(value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    return np.array(array, dtype=_NARROWED.get(array.dtype.name, array.dtype), order="C")


def pack(parts: Sequence[Part]) -> tuple[list[dict[str, Any]], list[memoryview]]:
    """Turn parts into JSON headers and binary buffers.

    Returns
    -------
    headers : list of dict
        ``{to, kind, fields, arrays: [{name, dtype, shape, append, buffer}]}``; ``buffer`` indexes the buffers.
    buffers : list of memoryview
    """
    headers: list[dict[str, Any]] = []
    buffers: list[memoryview] = []
    for part in parts:
        events = {name: np.concatenate(chunks) for name, chunks in part.appended.items()}
        arrays = []
        for name, array in {**part.arrays, **events}.items():
            arrays.append(
                {
                    "name": name,
                    "dtype": array.dtype.name,
                    "shape": list(array.shape),
                    "append": name in events,
                    "buffer": len(buffers),
                }
            )
            buffers.append(array.data.cast("B") if array.size else memoryview(b""))
        headers.append({"to": part.to, "kind": part.kind, "fields": _json(part.fields), "arrays": arrays})
    return headers, buffers


def _json(value: Any) -> Any:
    """Make a value fit for JSON, which knows neither NumPy scalars nor NaN."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
