"""The chunks of all trials in their order, read from any place on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from convis_core.errors import FitError
from convis_core.loops.bookmark import Bookmark
from convis_core.loops.pairs import Pairs, Piece
from convis_core.loops.protocol import FittableModel
from convis_core.tensors import TIME

__all__ = ["Course", "Place"]


class Place(NamedTuple):
    """A chunk, the trial it is from, and the part of an epoch, and of its penalties, that it makes up."""

    trial: int
    piece: Piece
    share: float


class Course:
    """The way through the data that a pass of a fit takes.

    Parameters
    ----------
    recordings : sequence of Pairs
        The trials.
    model : Layer
        Says as what type and on which device it wants its chunks.
    """

    def __init__(self, recordings: Sequence[Pairs], model: FittableModel) -> None:
        self._recordings, self._model = recordings, model
        self._frames = sum(pairs.n_frames for pairs in recordings)

    def check(self, at: Bookmark) -> None:
        """Refuse to go on from where there are no data."""
        lengths = [pairs.n_frames for pairs in self._recordings]
        if not (0 <= at.trial < len(lengths) and 0 <= at.start < lengths[at.trial]):
            raise FitError(
                f"The fit is to go on from frame {at.start} of trial {at.trial}, counted from 0, "
                f"and trials have {', '.join(map(str, lengths))} frames.",
                "Give the data that the fit began with.",
            )

    def chunk(self, trial: int, start: int) -> Place | None:
        """Return the chunk of a trial that starts with a frame; None at its end."""
        piece = next(self._recordings[trial].read(self._model.dtype, self._model.device, start), None)
        return None if piece is None else Place(trial, piece, piece.frames.shape[TIME] / self._frames)

    def rest(self, first: Place) -> Iterator[Place]:
        """Yield a chunk and all that follow it in the pass."""
        yield first
        for trial in range(first.trial, len(self._recordings)):
            start = first.piece.stop if trial == first.trial else 0
            while (place := self.chunk(trial, start)) is not None:
                yield place
                start = place.piece.stop

    def after(self, at: Bookmark, trial: int = -1, stop: int | None = None) -> Bookmark:
        """Move a bookmark on to the chunk of a trial that starts with frame `stop`, or to what follows the trial."""
        trial %= len(self._recordings)
        if stop is not None and stop < self._recordings[trial].n_frames:
            return replace(at, trial=trial, start=stop)
        if trial + 1 < len(self._recordings):
            return replace(at, trial=trial + 1, start=0, state=None)
        return replace(at, epoch=at.epoch + 1, trial=0, start=0, state=None, passes=at.passes.end())
