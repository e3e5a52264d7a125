"""Spike trains in and out: as text, one spike a line, as ``.npz`` and as NWB."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from convis_core.errors import FileFormatError, ParameterError
from convis_core.files import atomic_path, user_path
from convis_core.spikes import Spikes, check_spikes
from convis_core.spikes_nwb import read_nwb, write_nwb

__all__ = ["read_spikes", "spike_lines", "write_spikes"]


def spike_lines(spikes: Spikes) -> str:
    """Write spikes as Virtual Retina does: ``unit time``, a line each, 6 significant digits.

    Examples
    --------
    >>> print(spike_lines(Spikes(np.array([3, 0]), np.array([0.0123456789, 12.0]))), end="")
    3 0.0123457
    0 12
    """
    return "".join(f"{unit} {time:.6g}\n" for unit, time in zip(*spikes, strict=True))


def write_spikes(path: str | os.PathLike[str], unit: ArrayLike, time: ArrayLike, *, duration: float = 0.0) -> None:
    """Write spikes to a file, whose name says the kind; a crash leaves the old file or the new one.

    Parameters
    ----------
    path : str or path
        ``.spk`` or ``.txt``: a line for each spike, with 6 significant digits as Virtual Retina
        writes them. ``.npz``: arrays ``unit`` and ``time``, exact. ``.nwb``: Neurodata Without
        Borders, exact; needs h5py.
    unit : array of int, shape [spike]
        Number of the cell.
    time : array of float, shape [spike]
        When, in s.
    duration : float
        Length of the recording in s, which NWB keeps; at least up to the last spike.

    Raises
    ------
    FileWriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/cells.spk"
    >>> write_spikes(path, [1, 0], [0.25, 0.125])
    >>> read_spikes(path)
    Spikes(unit=array([0, 1]), time=array([0.125, 0.25 ]))
    """
    spikes = check_spikes(unit, time)
    kind = _kind(path)
    with atomic_path(path) as draft:
        if kind == ".npz":
            with draft.open("wb") as file:
                np.savez_compressed(file, unit=spikes.unit, time=spikes.time)
        elif kind == ".nwb":
            write_nwb(draft, spikes, max(duration, float(spikes.time[-1]) if len(spikes.time) else 0.0))
        else:
            draft.write_text(spike_lines(spikes), encoding="ascii")


def read_spikes(path: str | os.PathLike[str]) -> Spikes:
    """Read spikes that `write_spikes` or Virtual Retina wrote.

    Raises
    ------
    FileFormatError
        If the file is missing or broken; of text it names the line.
    """
    found = user_path(path)
    if not found.is_file():
        raise FileFormatError(f"There is no file of spikes {found}.", "Check the name and the folder.")
    return _READERS[_kind(path)](found)


def _read_text(path: Path) -> Spikes:
    units: list[int] = []
    times: list[float] = []
    with path.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                unit, time = line.split()
                units.append(int(unit))
                times.append(float(time))
            except ValueError:
                if line.strip():
                    raise FileFormatError(
                        f"{path}, line {number}: expected 'unit time', got {line.strip()[:60]!r}."
                    ) from None
    return _checked(path, units, times)


def _read_npz(path: Path) -> Spikes:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            unit, time = stored["unit"], stored["time"]
    except _BROKEN_ARCHIVE as error:
        raise FileFormatError(f"{path} holds no arrays unit and time: {error}.") from error
    return _checked(path, unit, time)


def _read_nwb(path: Path) -> Spikes:
    return _checked(path, *read_nwb(path))


def _checked(path: Path, unit: ArrayLike, time: ArrayLike) -> Spikes:
    try:
        return check_spikes(unit, time)
    except (ParameterError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} holds no spikes: {error}") from error


_BROKEN_ARCHIVE: Final = (
    *(KeyError, ValueError, TypeError, AttributeError, OSError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, RuntimeError),  # the last one for a packing that is not known
)

_READERS: Final[dict[str, Callable[[Path], Spikes]]] = {
    ".spk": _read_text,
    ".txt": _read_text,
    ".npz": _read_npz,
    ".nwb": _read_nwb,
}


def _kind(path: Any) -> str:
    kind = Path(path).suffix.lower()
    if kind not in _READERS:
        raise FileFormatError(
            f"Cannot tell what kind of spikes {os.fspath(path)!r} holds.",
            f"Use a name that ends in {', '.join(_READERS)}.",
        )
    return kind
