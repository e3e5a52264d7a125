"""Stimuli strung together, with a name for every epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import ParameterError, ShapeError
from convis_core.resolution import Resolution, used_resolution
from convis_core.samples.checks import check_number, check_shape
from convis_core.streams.base import SequenceStream

__all__ = ["Epoch", "Protocol"]


class Epoch(NamedTuple):
    """One stretch of a protocol.

    Attributes
    ----------
    name : str
        Name of its stimulus.
    start, stop : int
        First frame, and the one after the last.
    repeat : int
        How many times all of the protocol was shown before.
    """

    name: str
    start: int
    stop: int
    repeat: int


class Protocol(SequenceStream):
    """Stimuli one after another, repeated, with grey before each of them.

    A protocol is a stream and can be given to ``run`` as it is.

    Parameters
    ----------
    stimuli : mapping or iterable of (name, array)
        Names and stimuli ``[time, x, y]``, all with the same rows and columns.
    repeats : int
        How many times all of it is shown.
    gap : float
        Grey before each stimulus, in s, and once more at the end.
    grey : float
        Value of the gaps.
    resolution : Resolution, optional
        Steps per second; the current default if None.

    Attributes
    ----------
    array : ndarray, shape [time, x, y], float32
        All of it.
    epochs : tuple of Epoch
        Where every stimulus is shown; gaps are no epochs.

    Raises
    ------
    ParameterError
        If there is no stimulus.
    ShapeError
        If a stimulus does not have three axes or the frames differ in size.

    Examples
    --------
    >>> flash, dark = np.ones((100, 4, 4)), np.zeros((50, 4, 4))
    >>> protocol = Protocol([("flash", flash), ("dark", dark)], repeats=2, gap=0.01, grey=0.5)
    >>> protocol.epochs[1]
    Epoch(name='dark', start=120, stop=170, repeat=0)
    >>> protocol.array.shape, protocol.cut(protocol.array, "dark").shape
    ((350, 4, 4), (2, 50, 4, 4))
    """

    def __init__(
        self,
        stimuli: dict[str, Any] | Iterable[tuple[str, Any]],
        *,
        repeats: int = 1,
        gap: float = 0.0,
        grey: float = 0.0,
        resolution: Resolution | None = None,
    ) -> None:
        try:
            pairs = [(name, clip) for name, clip in (stimuli.items() if isinstance(stimuli, dict) else stimuli)]
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"Expected names and stimuli, got {type(stimuli).__name__}.", 'Give pairs such as ("flash", array).'
            ) from error
        named = [(name, _clip(name, clip)) for name, clip in pairs]
        if not named:
            raise ParameterError("Expected at least one stimulus, got none.", 'Give pairs such as ("flash", array).')
        sampling = used_resolution(resolution)
        size = named[0][1].shape[1:]
        for name, clip in named:
            if clip.shape[1:] != size:
                raise ShapeError(
                    f"Expected frames of {size[0]}x{size[1]} pixels in {name!r} as in {named[0][0]!r}, "
                    f"got {clip.shape[1]}x{clip.shape[2]}.",
                    "Make all stimuli with the same rows and columns.",
                )
        pause = round(sampling.seconds_to_steps(check_number(gap, "gap", "s", 0.0)))
        blank = np.full((pause, *size), check_number(grey, "grey", "of the unit"), np.float32)
        pieces, epochs, at = [], [], 0
        for repeat in range(check_shape(repeats, 1, 1)[0]):
            for name, clip in named:
                pieces += [blank, clip]
                epochs.append(Epoch(name, at + pause, at + pause + len(clip), repeat))
                at += pause + len(clip)
        self.array: NDArray[np.float32] = np.concatenate([*pieces, blank])
        self.epochs = tuple(epochs)
        super().__init__(self.array, steps_per_second=sampling.steps_per_second)

    def cut(self, response: Any, name: str) -> NDArray[Any]:
        """Cut what was recorded during one stimulus out of a response.

        Parameters
        ----------
        response : array, tensor or Output
            ``[time, ...]``, or ``[batch, channel, time, x, y]`` as models give it.
        name : str
            Name of the stimulus.

        Returns
        -------
        ndarray, shape [repeat, ...]
            With the axes of `response` behind.

        Raises
        ------
        ParameterError
            If no stimulus has this name.
        ShapeError
            If the response is not as long as the protocol, or repeats of this name differ in length.
        """
        epochs = [epoch for epoch in self.epochs if epoch.name == name]
        if not epochs:
            listed = ", ".join(dict.fromkeys(repr(epoch.name) for epoch in self.epochs))
            raise ParameterError(f"No stimulus is named {name!r}.", f"There are {listed}.")
        values = np.asarray(response.array() if hasattr(response, "array") and callable(response.array) else response)
        axis = 2 if values.ndim == 5 else 0
        if values.shape[axis] != self.length:
            raise ShapeError(
                f"Expected a response of {self.length} frames, got {values.shape[axis]}.",
                "Give the whole response to this protocol.",
            )
        if len({epoch.stop - epoch.start for epoch in epochs}) > 1:
            raise ShapeError(f"The stimuli named {name!r} differ in length.", "Give each of them a name of its own.")
        return np.stack([values.take(range(epoch.start, epoch.stop), axis=axis) for epoch in epochs])


def _clip(name: str, stimulus: Any) -> NDArray[np.float32]:
    try:
        clip = np.asarray(stimulus, np.float32)
    except (TypeError, ValueError):
        raise ShapeError(
            f"Expected [time, x, y] for {name!r}, got {type(stimulus).__name__}.", "Read it into an array first."
        ) from None
    if clip.ndim != 3 or 0 in clip.shape:
        raise ShapeError(f"Expected [time, x, y] for {name!r}, got an array of shape {clip.shape}.")
    return clip
