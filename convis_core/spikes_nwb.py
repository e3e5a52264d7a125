"""Spike trains as Neurodata Without Borders 2: the table of units and no more, written with h5py."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import FileFormatError
from convis_core.spikes import Spikes
from convis_core.streams.hdf5 import load_h5py

__all__ = ["read_nwb", "write_nwb"]

_VERSION: Final = "2.7.0"
_GROUPS: Final = ("acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates")


def write_nwb(path: Path, spikes: Spikes, duration: float) -> None:
    """Write one row a unit, with its number, its times and the interval it was observed in."""
    h5py = load_h5py()
    units, counts = np.unique(spikes.unit, return_counts=True)
    now = datetime.now(timezone.utc).isoformat()
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        _mark(file, "NWBFile", "core", nwb_version=_VERSION)
        for name in _GROUPS:
            file.create_group(name)
        for name, value in (
            ("identifier", str(uuid.uuid4())),
            ("session_description", "Spikes of model cells, simulated by convis."),
            ("session_start_time", now),
            ("timestamps_reference_time", now),
        ):
            file.create_dataset(name, data=value, dtype=text)
        file.create_dataset("file_create_date", data=[now], dtype=text, maxshape=(None,))
        table = file.create_group("units")
        columns = ["obs_intervals", "spike_times"]
        _mark(table, "Units", "core", colnames=np.array(columns, dtype=text), description="Model cells.")
        _mark(table.create_dataset("id", data=units), "ElementIdentifiers", "hdmf-common")
        order = np.argsort(spikes.unit, kind="stable")  # times stay in order within a unit
        whole = np.tile([[0.0, duration]], (len(units), 1))
        _ragged(h5py, table, "spike_times", spikes.time[order], counts, "Times of spikes, in s.")
        _ragged(h5py, table, "obs_intervals", whole, np.ones(len(units), int), "Beginning and end, in s.")


def read_nwb(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return unit and time of every spike in the table of units of a file."""
    h5py = load_h5py()
    try:
        with h5py.File(path, "r") as file:
            table = file["units"]
            ends = table["spike_times_index"][:].astype(np.int64)
            return np.repeat(table["id"][:], np.diff(ends, prepend=0)), table["spike_times"][:]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path} is no NWB file with a table of units: {error}.") from error


def _ragged(h5py: Any, table: Any, name: str, values: Any, counts: Any, doc: str) -> None:
    """Add a column with any number of values a row: all of them, and where each row ends."""
    data = table.create_dataset(name, data=values)
    _mark(data, "VectorData", "hdmf-common", description=doc)
    index = table.create_dataset(f"{name}_index", data=np.cumsum(counts).astype(np.uint64))
    _mark(index, "VectorIndex", "hdmf-common", description=f"Where the {name} of each unit end.")
    index.attrs["target"] = data.ref


def _mark(item: Any, kind: str, namespace: str, **more: Any) -> None:
    facts = {"neurodata_type": kind, "namespace": namespace, "object_id": str(uuid.uuid4()), **more}
    for name, value in facts.items():
        item.attrs[name] = value
