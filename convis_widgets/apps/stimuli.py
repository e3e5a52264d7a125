"""What a model can be shown in an explorer: films, and stimuli made to measure."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convis_core import Layer, Resolution, samples, use_resolution
from convis_core.streams import RepeatingStream, SequenceStream, Stream, VideoReader, as_stream

__all__ = ["BUILT_IN", "name_of", "open_stimulus"]

LONGEST_SIDE = 60
"""Pixels to which a film is shrunk: enough to see what is going on, and fast on a laptop."""
SECONDS = 10
NATURAL = "natural scene"


def open_stimulus(stimulus: Any, model: Layer) -> Stream:
    """Make a stream at the model's rate of a name, a film, an array or a stream.

    Parameters
    ----------
    stimulus : str, path, array, tensor, Stream or None
        A name from `BUILT_IN`, the path of a film, frames ``[time, x, y]``, or a stream. None is
        the built-in natural scene.
    model : Layer
        The model that is going to see it.

    Raises
    ------
    ConvisError
        If the film is missing or broken, or the array has the wrong shape.
    """
    if stimulus is None:
        stimulus = NATURAL
    if isinstance(stimulus, str) and stimulus in BUILT_IN:
        with use_resolution(model.resolution):
            return BUILT_IN[stimulus](model.resolution)
    if isinstance(stimulus, (str, os.PathLike)):
        return film(Path(stimulus), model.resolution)
    return as_stream(stimulus)


def name_of(stimulus: Any) -> str:
    """Short name to show for a stimulus."""
    if stimulus is None:
        return NATURAL
    if isinstance(stimulus, (str, os.PathLike)):
        return stimulus if isinstance(stimulus, str) and stimulus in BUILT_IN else Path(stimulus).name
    return type(stimulus).__name__ if isinstance(stimulus, Stream) else "array"


def film(path: Path, resolution: Resolution) -> Stream:
    """Open a film, shrunk to at most `LONGEST_SIDE` pixels with its proportions kept."""
    with VideoReader(path) as original:
        size = original.size
    scale = min(1.0, LONGEST_SIDE / max(size))
    small = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return VideoReader(path, size=small, mode="resize", steps_per_second=resolution.steps_per_second)


def _made(make: Callable[[int, int, int], Any]) -> Callable[[Resolution], Stream]:
    """Make a stimulus of one second that repeats for as long as the others last."""

    def build(resolution: Resolution) -> Stream:
        rate = resolution.steps_per_second
        frames = np.asarray(make(round(rate), 50, 50), dtype=np.float32)
        low, high = float(frames.min()), float(frames.max())
        frames = (frames - low) / (high - low or 1.0)
        return RepeatingStream(SequenceStream(frames, steps_per_second=rate), repeat=SECONDS)

    return build


BUILT_IN: dict[str, Callable[[Resolution], Stream]] = {
    NATURAL: lambda resolution: film(samples.natural_movie_file(), resolution),
    "moving bar": _made(lambda t, x, y: samples.moving_bar(t, x, y)),
    "moving grating": _made(lambda t, x, y: samples.moving_grating(t, x, y)),
    "random checker": _made(lambda t, x, y: np.repeat(samples.random_checker_stimulus(t // 40, x, y, seed=1), 40, 0)),
}
"""Stimuli to choose from without having a file."""
