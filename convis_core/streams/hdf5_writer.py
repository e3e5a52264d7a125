"""A model's answer as a dataset of an HDF5 file that grows."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import StreamError
from convis_core.streams.checks import check_rate
from convis_core.streams.hdf5 import RATE, load_h5py
from convis_core.streams.stored import StoredWriter

__all__ = ["HDF5Writer"]

_CHUNK: Final = 2**14
"""Values packed together: larger pieces, each of another packed size, scatter the memory that is free."""


class HDF5Writer(StoredWriter):
    """Write frames to a dataset ``[batch, channel, time, x, y]`` of an HDF5 file.

    Other datasets of a file that is there stay, so that one writer for each response can fill
    one file. All that was put is on its way to the disk when `put` returns.

    Parameters
    ----------
    path : str or path
        The file; made if it is not there.
    dataset : str
        Name of the dataset; must not be there yet.
    steps_per_second : float, optional
        Rate of the frames in Hz, kept with the dataset.
    compress : bool
        Whether to compress (gzip, lossless), which suits spikes.

    Raises
    ------
    StreamError
        If the dataset is there already.
    FileWriteError
        If the file cannot be written.
    MissingDependencyError
        If h5py is not installed.

    Examples
    --------
    >>> import tempfile, torch, convis_core as convis
    >>> path = tempfile.mkdtemp() + "/retina.h5"
    >>> with HDF5Writer(path, "on") as on, HDF5Writer(path, "off") as off:
    ...     on.put(torch.rand(1, 2, 7, 4, 6))
    ...     off.put(torch.rand(7, 4, 6))
    >>> tuple(convis.streams.HDF5Reader(path, "on").get(5).shape)
    (1, 2, 5, 4, 6)
    """

    one_signal = is_grey = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        dataset: str = "frames",
        steps_per_second: float | None = None,
        compress: bool = False,
    ) -> None:
        super().__init__(path)
        self._h5py = load_h5py()
        self.dataset = dataset
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)
        self.compress = compress
        self._file: Any = None
        self._data: Any = None

    def begin(self, shape: tuple[int, int, int, int]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._h5py.File(self.path, "a")
        if self.dataset in self._file:
            raise StreamError(f"{self.path} has a dataset {self.dataset!r} already.", "Take another name or file.")

    def append(self, frames: NDArray[Any]) -> None:
        if self._data is None:
            self._data = self._made(frames)
        self._data.resize(self.n_written, axis=2)
        self._data[:, :, self.n_written - frames.shape[2] :] = frames
        self._file.flush()

    def finish(self) -> None:
        if self._file is None:
            return
        if self._data is None and self.shape is not None:  # only empty chunks came: a film without frames
            batch, channel, x, y = self.shape
            self._made(np.empty((batch, channel, 0, x, y), np.float32))
        self._file.close()

    def _made(self, frames: NDArray[Any]) -> Any:
        """Make a dataset without frames for frames like these."""
        batch, channel, n, x, y = frames.shape
        data = self._file.create_dataset(
            self.dataset,
            shape=(batch, channel, 0, x, y),
            maxshape=(batch, channel, None, x, y),
            chunks=(1, 1, max(1, min(n, _CHUNK // max(1, x * y))), x, y),
            dtype=frames.dtype,
            compression="gzip" if self.compress else None,
        )
        if self.steps_per_second is not None:
            data.attrs[RATE] = self.steps_per_second
        return data
