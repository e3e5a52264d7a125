"""Where a fit goes on, and what it knows of its way there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from convis_core.errors import FitError
from convis_core.loops.values import Values

__all__ = ["BestEpoch", "BestPass", "Bookmark", "check_bookmark"]


@dataclass(frozen=True)
class BestPass:
    """The parameters that the pass over the data with the smallest loss began with.

    Losses of single chunks cannot be compared with one another, those of passes can.

    Attributes
    ----------
    loss : float
        Smallest loss of a whole pass.
    values : tuple of Tensor
        Parameters that it began with.
    began : tuple of Tensor
        Parameters that the present pass began with.
    total : float
        Loss of the present pass up to now.
    least : float
        Smallest loss of an update.
    """

    loss: float
    values: Values
    began: Values
    total: float = 0.0
    least: float = math.inf

    @classmethod
    def at_first(cls, values: Values) -> BestPass:
        """Nothing has been passed."""
        return cls(math.inf, values, values)

    def begin(self, values: Values) -> BestPass:
        """A pass begins with these parameters."""
        return replace(self, began=values, total=0.0)

    def add(self, loss: float) -> BestPass:
        """A part of the pass had this loss."""
        return replace(self, total=self.total + loss, least=min(self.least, loss))

    def end(self) -> BestPass:
        """The pass is over."""
        return replace(self, loss=self.total, values=self.began) if self.total < self.loss else self


@dataclass(frozen=True)
class BestEpoch:
    """What `stop_early` remembers: the best score, the parameters that had it, and epochs waited for a better one."""

    score: float
    values: Values
    waited: int = 0


@dataclass(frozen=True)
class Bookmark:
    """Where a fit goes on: ``fit(..., resume=step.bookmark)``, with the arguments it had before.

    It is a place in the data and not a count of updates, since optimisers differ in how far
    one update takes them.

    Attributes
    ----------
    epoch, trial, start : int
        Place of the next chunk: passes made before, number of the trial, first frame.
    step : int
        Updates made before.
    passes : BestPass
        What the fit falls back on if it diverges.
    state : dict, optional
        What the model remembers there; None where a trial starts.
    stopping : BestEpoch, optional
        What `stop_early` remembers, in the steps that it passes on.
    optimizer, schedule : optional
        Those given to the fit itself; held, not copied.
    """

    epoch: int
    trial: int
    start: int
    step: int
    passes: BestPass = field(repr=False)
    state: dict[str, Any] | None = field(default=None, repr=False)
    stopping: BestEpoch | None = field(default=None, repr=False)
    optimizer: Optimizer | None = field(default=None, repr=False)
    schedule: LRScheduler | None = field(default=None, repr=False)


def check_bookmark(given: Any) -> None:
    """Refuse to go on from what says no place."""
    if given is not None and not isinstance(given, Bookmark):
        raise FitError(
            f"A fit goes on from a Bookmark, got {given!r:.80}.",
            "Give resume=step.bookmark, or resume=resume_checkpoint(path, model).",
        )
