"""Frames in an HDF5 file."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from convis_core.errors import FileFormatError, MissingDependencyError, ShapeError, UnknownNameError
from convis_core.streams.checks import check_rate
from convis_core.streams.stored import StoredStream, existing_file
from convis_core.tensors import describe_shape

__all__ = ["RATE", "HDF5Reader", "film_names", "load_h5py"]

RATE = "steps_per_second"
"""Attribute of a dataset that says its rate."""


def load_h5py() -> ModuleType:
    """Return the module, or raise how to install it."""
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError(
            "HDF5 files need h5py, which is not installed.", 'Install it with: pip install "convis-widgets[hdf5]"'
        ) from error
    module: ModuleType = h5py
    return module


class HDF5Reader(StoredStream):
    """Frames from a dataset of an HDF5 file, of which only what is asked for is read.

    Parameters
    ----------
    path : str or path
        The file.
    dataset : str, optional
        Name of the dataset, ``[time, x, y]`` or ``[batch, channel, time, x, y]``; may be left out
        where the file has only one.
    steps_per_second : float, optional
        Rate of the frames in Hz; what the file says by default.

    Raises
    ------
    FileFormatError
        If the file is missing or no HDF5.
    UnknownNameError
        If there is no such dataset, or a choice to make; the message lists them.
    MissingDependencyError
        If h5py is not installed.

    Examples
    --------
    >>> import tempfile, torch
    >>> from convis_core.streams import HDF5Writer
    >>> with HDF5Writer(tempfile.mkdtemp() + "/film.h5", steps_per_second=200.0) as writer:
    ...     writer.put(torch.rand(7, 4, 6))
    >>> HDF5Reader(writer.path)
    HDF5Reader(7 frames of 4x6 at 200 Hz)
    """

    def __init__(
        self, path: str | os.PathLike[str], dataset: str | None = None, steps_per_second: float | None = None
    ) -> None:
        h5py = load_h5py()
        self.path = existing_file(path)
        try:
            self._file: Any = h5py.File(self.path, "r")
        except OSError as error:
            raise FileFormatError(f"{self.path} is no readable HDF5 file: {error}.") from error
        try:
            self._data = self._choose(h5py, dataset)
        except BaseException:
            self._file.close()
            raise
        self.dataset = str(self._data.name)
        shape = self._data.shape
        self.size, self.length = (int(shape[-2]), int(shape[-1])), int(shape[-3])
        rate = self._data.attrs.get(RATE) if steps_per_second is None else steps_per_second
        self.steps_per_second = None if rate is None else check_rate(float(rate))

    def read(self, start: int, stop: int) -> NDArray[Any]:
        if self._data.ndim == 3:
            frames: NDArray[Any] = self._data[start:stop][None, None]
            return frames
        frames = self._data[:, :, start:stop]
        return frames

    def close(self) -> None:
        super().close()
        self._file.close()

    def _choose(self, h5py: ModuleType, name: str | None) -> Any:
        found = _datasets(self._file, h5py)
        key = name.strip("/") if name is not None else next(iter(found), "")
        if key not in found or (name is None and len(found) > 1):
            problem = f"has no dataset {name!r}" if name is not None else f"has {len(found)} datasets"
            listed = ", ".join(f"{key} {describe_shape(item.shape)}" for key, item in found.items()) or "none"
            raise UnknownNameError(
                f"{self.path} {problem}.",
                f"Name one (dataset=..., on the command line --dataset); there are: {listed}.",
            )
        if not _is_film(found[key]):
            raise ShapeError(
                f"{key} in {self.path} is {found[key].dtype} {describe_shape(found[key].shape)}.",
                "Expected numbers [time, x, y] or [batch, channel, time, x, y].",
            )
        return found[key]


def film_names(path: str | os.PathLike[str]) -> list[str | None]:
    """Name the datasets of a file that can be read as films; None stands for whatever is wrong with it.

    Examples
    --------
    >>> import tempfile, torch
    >>> from convis_core.streams import HDF5Writer
    >>> path = tempfile.mkdtemp() + "/retina.h5"
    >>> with HDF5Writer(path, "on") as on, HDF5Writer(path, "off") as off:
    ...     on.put(torch.rand(7, 4, 6))
    ...     off.put(torch.rand(7, 4, 6))
    >>> film_names(path)
    ['off', 'on']
    """
    h5py = load_h5py()
    try:
        with h5py.File(path, "r") as file:
            names = [name for name, data in _datasets(file, h5py).items() if _is_film(data)]
    except OSError:
        names = []
    return [*names] or [None]


def _datasets(file: Any, h5py: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    file.visititems(lambda key, item: found.update({key: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def _is_film(data: Any) -> bool:
    return data.ndim in (3, 5) and data.dtype.kind in "fiub"
