"""Pictures of digits, one after another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import FileFormatError, StreamError
from convis_core.streams.base import Stream
from convis_core.streams.checks import check_count, check_frame, check_rate
from convis_core.streams.idx import read_idx

__all__ = ["MNISTStream"]


class MNISTStream(Stream):
    """Pictures from IDX files such as those of MNIST, each shown for a while, values from 0 to 1.

    Nothing is fetched: the files, gzipped or not, are the user's own.

    Parameters
    ----------
    images : str or path
        File of the pictures, e.g. ``train-images-idx3-ubyte.gz``.
    labels : str or path, optional
        File of what they show.
    digits : sequence of int, optional
        Show only pictures with these labels.
    repeat : int
        For how many steps each picture stays on.
    blank : int
        For how many black steps it is off afterwards.
    seed : int, optional
        Shuffle the pictures, the same seed always in the same way.
    steps_per_second : float, optional
        Rate of the steps in Hz.

    Attributes
    ----------
    labels : array of int or None
        What each picture shows, in the order shown.

    Raises
    ------
    FileFormatError
        If a file is missing or broken, or the two do not belong together.
    StreamError
        If digits are chosen without labels, or none of them is there.
    """

    def __init__(
        self,
        images: str | os.PathLike[str],
        labels: str | os.PathLike[str] | None = None,
        digits: Sequence[int] | None = None,
        repeat: int = 1,
        blank: int = 0,
        seed: int | None = None,
        steps_per_second: float | None = None,
    ) -> None:
        pictures = read_idx(images)
        if pictures.ndim != 3 or pictures.dtype != np.uint8:
            raise FileFormatError(f"{images} holds {pictures.dtype} {pictures.shape}, not pictures [n, x, y] of bytes.")
        named = None if labels is None else read_idx(labels)
        if named is not None and named.shape != pictures.shape[:1]:
            raise FileFormatError(f"{len(pictures)} pictures and labels of shape {named.shape} do not belong together.")
        order = _order(len(pictures), named, digits, seed)
        self._pictures = pictures[order]
        self.labels = None if named is None else named[order].astype(np.int64)
        self.repeat = check_count(repeat, "repeat", least=1)
        self.blank = check_count(blank, "blank")
        self.size = (pictures.shape[1], pictures.shape[2])
        self.length = len(order) * (self.repeat + self.blank)
        self.steps_per_second = None if steps_per_second is None else check_rate(steps_per_second)

    def get(self, n: int) -> Tensor:
        assert self.length is not None
        steps = np.arange(self.position, max(self.position, min(self.position + check_count(n), self.length)))
        self.position += len(steps)
        number, phase = np.divmod(steps, self.repeat + self.blank)
        frames = self._pictures[number].astype(np.float32) / 255.0
        frames[phase >= self.repeat] = 0.0
        return torch.from_numpy(frames)[None, None]

    def seek(self, frame: int) -> None:
        self.position = check_frame(frame, self.length)

    def label_at(self, frame: int) -> int | None:
        """Return what the picture of a frame shows; None where labels were not given."""
        number = check_frame(frame, (self.length or 1) - 1) // (self.repeat + self.blank)
        return None if self.labels is None else int(self.labels[number])


def _order(n: int, labels: NDArray[Any] | None, digits: Sequence[int] | None, seed: int | None) -> NDArray[np.int64]:
    """Numbers of the pictures to show, in the order wanted."""
    order = np.arange(n)
    if digits is not None:
        if labels is None:
            raise StreamError("To choose digits the stream needs to know what the pictures show.", "Give labels=...")
        order = order[np.isin(labels, list(digits))]
    if not len(order):
        raise StreamError(f"No picture is left to show of {n}.", "Choose digits that are there.")
    return order if seed is None else np.random.default_rng(seed).permutation(order)
