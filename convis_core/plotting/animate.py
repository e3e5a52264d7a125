"""A response or a stimulus as a moving picture with its axes: mp4, gif or a page that needs nothing else."""

from __future__ import annotations

import base64
import html
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from convis_core.errors import ParameterError, ShapeError
from convis_core.files import atomic_path, user_path
from convis_core.plotting.canvas import colour_bar, colours, limits
from convis_core.plotting.signal import Signal, as_signal
from convis_core.resolution import Resolution
from convis_core.tensors import describe_shape

__all__ = ["animate"]

SUFFIXES: Final = (".mp4", ".gif", ".html")


def animate(
    x: Any,
    path: str | os.PathLike[str],
    *,
    every: int = 1,
    fps: float = 25.0,
    resolution: Resolution | None = None,
) -> Path:
    """Write a film of the frames, with axes in pixels and the time above.

    Parameters
    ----------
    x : array, tensor or Output
        ``[time, x, y]``, or five axes with one batch and one channel.
    path : str or path
        File to write; .mp4, .gif, or .html, a page that carries its film inside.
    every : int
        Show every so many frames.
    fps : float
        Frames of the film per second, in Hz.
    resolution : Resolution, optional
        Gives time in s; an Output brings its own.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ParameterError
        If the kind of file is unknown or a number out of range.
    ShapeError
        If there is more than one batch or channel.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> animate(np.eye(3)[:, None], folder / "film.gif").name
    'film.gif'
    """
    target = user_path(path)
    kind = target.suffix.lower()
    if kind not in SUFFIXES:
        raise ParameterError(f"Cannot animate to {target.name!r}.", f"Let the name end in {', '.join(SUFFIXES)}.")
    if not isinstance(every, (int, np.integer)) or every < 1 or not 0.0 < fps <= 100.0:
        raise ParameterError(f"Expected a whole every of 1 or more and fps up to 100 Hz, got {every!r} and {fps!r}.")
    signal = as_signal(x, resolution)
    if signal.values.shape[:2] != (1, 1):
        raise ShapeError(
            f"A film needs one batch and one channel, got {describe_shape(signal.values.shape)}.",
            "Choose one, e.g. x[:1, :1].",
        )
    title = html.escape(target.stem)
    with atomic_path(target) as draft, tempfile.TemporaryDirectory() as folder:
        if kind == ".gif":
            _write_gif(draft, _pictures(signal, every), fps)
        elif kind == ".mp4":
            _write_mp4(draft, _pictures(signal, every), fps)
        else:
            film = Path(folder) / "film.mp4"
            _write_mp4(film, _pictures(signal, every), fps)
            data = base64.b64encode(film.read_bytes()).decode()
            draft.write_text(_PAGE.format(title=title, data=data), encoding="utf-8")
    return target


_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<video controls autoplay loop muted aria-label="{title}" src="data:video/mp4;base64,{data}"></video></html>
"""


def _pictures(signal: Signal, every: int) -> Iterator[NDArray[np.uint8]]:
    """Draw the axes once, then the frames ``[height, width, colour]`` on one scale for all of them."""
    figure = Figure(figsize=(4.8, 4.0), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    ax = figure.subplots()
    frames = signal.values[0, 0]
    signed = bool(frames.min() < 0)
    low, high = limits(frames, signed)
    image = ax.imshow(frames[0], cmap=colours(signed), vmin=low, vmax=high, interpolation="nearest")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("y, column (px)")
    ax.set_ylabel("x, row (px)")
    colour_bar(image, ax)
    title = ax.set_title("time")
    for k in range(0, signal.n_frames, every):
        image.set_data(frames[k])
        title.set_text(f"frame {k}" if signal.resolution is None else f"{signal.time[k]:.3f} s")
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        yield np.ascontiguousarray(drawn[..., :3])


def _write_gif(path: Path, pictures: Iterator[NDArray[np.uint8]], fps: float) -> None:
    first, *others = (Image.fromarray(picture) for picture in pictures)
    first.save(path, format="GIF", save_all=True, append_images=others, duration=round(1000.0 / fps), loop=0)


def _write_mp4(path: Path, pictures: Iterator[NDArray[np.uint8]], fps: float) -> None:
    first = next(pictures)
    film = imageio_ffmpeg.write_frames(str(path), (first.shape[1], first.shape[0]), fps=fps, macro_block_size=2)
    film.send(None)
    for picture in (first, *pictures):
        film.send(picture)
    film.close()
