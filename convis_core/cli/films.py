"""A film of any kind, opened by the ending of its name."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from convis_core.errors import FileFormatError, StreamError, VideoError
from convis_core.files import atomic_path
from convis_core.streams import (
    HDF5Reader,
    HDF5Writer,
    InrImageStreamer,
    InrImageStreamWriter,
    NumpyReader,
    NumpyWriter,
    OutputStream,
    Stream,
    VideoReader,
    VideoWriter,
)

__all__ = ["FILMS", "STORED", "VIDEOS", "kind_of", "open_stored", "open_video", "write_film"]

VIDEOS: Final = (".mp4", ".mkv", ".mov", ".m4v", ".avi", ".webm", ".gif", ".mpg", ".wmv")
"""Films with values from 0 to 1 and a rate of their own."""
STORED: Final = (".inr", ".npy", ".npz", ".h5")
"""Films of numbers as they are."""
FILMS: Final = (*VIDEOS, *STORED)


def kind_of(path: str | os.PathLike[str], known: tuple[str, ...], what: str) -> str:
    """Return the ending of a name, or refuse one that is not known."""
    kind = Path(path).suffix.lower()
    if kind not in known:
        raise FileFormatError(f"{os.fspath(path)} is no {what}.", f"Its name must end in one of {', '.join(known)}.")
    return kind


def open_video(path: str, steps_per_second: float | None = None, size: tuple[int, int] | None = None) -> VideoReader:
    """Open a video at a rate of steps, or at its own."""
    if not Path(path).is_file():
        raise VideoError(f"There is no film {path}.", "Check the name and the folder.")
    rate = steps_per_second if steps_per_second is not None else VideoReader(path).film_rate
    return VideoReader(path, size=size, mode="resize", steps_per_second=rate)


def open_stored(path: str, steps_per_second: float | None = None, dataset: str | None = None) -> Stream:
    """Open a film of numbers, of which only what is asked for is read."""
    readers: dict[str, Callable[..., Stream]] = {
        ".inr": InrImageStreamer,
        ".npy": NumpyReader,
        ".npz": ArchiveReader,
    }
    kind = kind_of(path, STORED, "film of numbers")
    if kind == ".h5":
        return HDF5Reader(path, dataset, steps_per_second)
    if dataset is not None:
        raise StreamError(f"{path} holds a single film, without a name.", "Leave --dataset out.")
    return readers[kind](path, steps_per_second=steps_per_second)


class ArchiveReader(NumpyReader):
    """The one film of an archive of arrays, unpacked to the disk and not to memory."""

    def __init__(self, path: str | os.PathLike[str], steps_per_second: float | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="convis-")
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.namelist()
                if len(members) != 1:
                    listed = ", ".join(name.removesuffix(".npy") for name in members)
                    raise FileFormatError(f"{path} holds {len(members)} arrays: {listed}.", "Save one film in a file.")
                unpacked = archive.extract(members[0], self._folder.name)
            super().__init__(unpacked, steps_per_second)
        except (OSError, zipfile.BadZipFile) as error:
            self._folder.cleanup()
            raise FileFormatError(f"{path} cannot be read as an archive of arrays: {error}.") from error
        except BaseException:
            self._folder.cleanup()
            raise

    def close(self) -> None:
        super().close()
        self._folder.cleanup()


def write_film(
    path: Path, rate: float, value_range: tuple[float, float], put_all: Callable[[OutputStream], None]
) -> None:
    """Write a film of the kind its name says, piece by piece; a crash leaves the old file or the new one."""
    kind = kind_of(path, FILMS, "film that can be written")
    if kind in VIDEOS:
        with VideoWriter(path, steps_per_second=rate, value_range=value_range) as video:
            put_all(video)
        return
    with atomic_path(path) as draft:
        if kind == ".npz":
            with tempfile.TemporaryDirectory(prefix="convis-") as folder:
                with NumpyWriter(Path(folder) / "frames.npy") as array:
                    put_all(array)
                with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.write(array.path, "frames.npy")
            return
        if kind == ".h5":
            draft.unlink()  # an empty file is no HDF5
            writer: OutputStream = HDF5Writer(draft, steps_per_second=rate, compress=True)
        else:
            writer = InrImageStreamWriter(draft) if kind == ".inr" else NumpyWriter(draft)
        with writer:
            put_all(writer)
