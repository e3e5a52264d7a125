"""The natural film as a file in the user's cache: what is shown when no video is given."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from convis_core.errors import FileWriteError, VideoError, VideoWarning
from convis_core.resolution import Resolution
from convis_core.samples.checks import check_number, check_shape
from convis_core.samples.natural import natural_movie
from convis_core.streams.video import VideoReader
from convis_core.streams.writer import VideoWriter

__all__ = ["cache_folder", "natural_movie_file"]

VERSION = 1  # part of the name: count up when the film changes, so that older files are not taken for it


def natural_movie_file(
    duration: float = 10.0,
    x: int = 64,
    y: int = 64,
    fps: float = 60.0,
    seed: int = 1,
    *,
    pixel_per_degree: float = 10.0,
    folder: str | os.PathLike[str] | None = None,
) -> Path:
    """Return the path of `natural_movie` as an mp4 file, written at the first call.

    A file that is damaged is written again.

    Parameters
    ----------
    duration : float
        Length of the film, in s.
    x, y : int
        Rows and columns.
    fps : float
        Frames per second of the film, in Hz.
    seed : int
        The same seed gives the same film.
    pixel_per_degree : float
        Pixels per degree of visual angle.
    folder : str or path, optional
        Where to keep it; `cache_folder` by default.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> path = natural_movie_file(0.2, 16, 16, folder=tempfile.mkdtemp())
    >>> path.name
    'natural_movie_v1_0.2s_16x16_60fps_10ppd_seed1.mp4'
    """
    n_frames = max(1, round(check_number(duration, "duration", "s", 0.0) * check_number(fps, "fps", "Hz", 0.1)))
    check_shape(n_frames, x, y)
    name = f"natural_movie_v{VERSION}_{duration:g}s_{x}x{y}_{fps:g}fps_{pixel_per_degree:g}ppd_seed{seed}.mp4"
    path = (cache_folder() if folder is None else Path(folder)) / name
    if not _is_whole(path, n_frames):
        film = natural_movie(n_frames, x, y, seed, resolution=Resolution(pixel_per_degree, float(fps)))
        try:
            with VideoWriter(path, steps_per_second=float(fps)) as writer:
                writer.put(film)
        except FileWriteError as error:
            raise FileWriteError(error.message, "Name another folder, or set XDG_CACHE_HOME to one.") from error
    return path


def cache_folder() -> Path:
    """Folder for files that can be made again, as the operating system wants it.

    ``$XDG_CACHE_HOME/convis`` where that is set, else ``~/.cache/convis``,
    ``~/Library/Caches/convis`` on macOS and ``%LOCALAPPDATA%/convis/Cache`` on Windows.
    """
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(chosen):  # the standard says to ignore a relative one
        return Path(chosen) / "convis"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "convis"
    local = os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "win32" and local:
        return Path(local) / "convis" / "Cache"
    return Path.home() / ".cache" / "convis"


def _is_whole(path: Path, n_frames: int) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", VideoWarning)
            with VideoReader(path, steps_per_second=1.0) as film:
                return film.n_frames == n_frames
    except (VideoError, VideoWarning):
        return False
