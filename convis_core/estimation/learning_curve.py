"""How the score of a fit grows with the recording, on what it learnt from and on what it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

from convis_core import figures
from convis_core.errors import FitError
from convis_core.estimation.estimate import ReceptiveField, check_field
from convis_core.estimation.estimators import estimate_filter
from convis_core.estimation.receptive_field import fit_receptive_field
from convis_core.estimation.recording import FEW_SPIKES, check_counts, check_movie, check_same_recording, check_shares
from convis_core.estimation.scoring import score
from convis_core.estimation.tables import html_table, rounded
from convis_core.loops.metrics import bits_per_spike

__all__ = ["LEARNING_SHARES", "LearningCurve", "learning_curve"]

LEARNING_SHARES: Final = (0.125, 0.25, 0.5)
"""Shares of what a fit learnt from that are tried by default, besides all of it."""


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """Scores of fits to more and more of a recording, the last one to all that is not the test part.

    Attributes
    ----------
    frames, spikes : tuple of int
        Frames that each fit learnt from, training and validation part together, and spikes in them.
    learnt, test : tuple of float
        Bits per spike on these frames, and on the test part, which is the same for all.
    intervals : tuple of (float, float)
        95 % interval of each score on the test part.
    """

    frames: tuple[int, ...]
    spikes: tuple[int, ...]
    learnt: tuple[float, ...]
    test: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]

    def rows(self) -> list[tuple[str, ...]]:
        """The table as text: frames, spikes, bits per spike on them and on the test part, its interval."""
        columns = zip(self.frames, self.spikes, self.learnt, self.test, self.intervals, strict=True)
        return [
            (f"{n}", f"{k}", rounded(a), rounded(b), f"{rounded(low)} to {rounded(high)}")
            for n, k, a, b, (low, high) in columns
        ]

    def __str__(self) -> str:
        return "\n".join(f"{a:>8}{b:>8}{c:>13}{d:>11}{e:>20}" for a, b, c, d, e in (HEAD, *self.rows()))

    def _repr_html_(self) -> str:
        return html_table("Learning curve, bits/spike", HEAD, self.rows())

    __repr__ = __str__

    def plot(self, ax: Any = None) -> Any:
        """Draw both scores over the frames learnt from; needs matplotlib."""
        return figures.figure("plot_learning_curve")(self, ax)


HEAD: Final = ("frames", "spikes", "learnt from", "test part", "95 % interval")


def learning_curve(
    field: ReceptiveField, stimulus: Any, spikes: Any, shares: Sequence[float] = LEARNING_SHARES
) -> LearningCurve:
    """Repeat a fit with less of the recording, and score every one on the same test part.

    The frames next to the test part are those that are kept. Where the scores on both parts still
    come closer to one another, more data would help; where they have met, another model might.

    Parameters
    ----------
    field : ReceptiveField
        As `fit_receptive_field` or `estimate_filter` returned it; it is repeated with its own settings and
        is the last point.
    stimulus, spikes : array
        The recording it was fitted to.
    shares : sequence of float
        Shares of the training and validation part to be tried, between 0 and 1. Those that hold too few
        spikes to fit anything are left out.

    Returns
    -------
    LearningCurve

    Raises
    ------
    FitError
        For other shares, or a field that does not say how it was made.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> movie = rng.standard_normal((2000, 5, 5))
    >>> spikes = rng.poisson(np.exp(movie[:, 2, 2] - 1))
    >>> field = estimate_filter(movie, spikes, "spline", n_lags=2)
    >>> curve = learning_curve(field, movie, spikes, shares=[0.25])
    >>> curve.frames, curve.test[0] < curve.test[1]
    ((400, 1600), True)
    """
    shares = check_shares(shares)
    check_field(field)
    if not field.settings:
        raise FitError("The field does not say how it was made.", "Use one that a recipe has returned.")
    movie, counts = check_movie(stimulus), check_counts(spikes)
    check_same_recording(field.split, counts)
    train, _, test = field.split
    points = []
    for share in sorted(share for share in shares if share < 1.0):  # all of it is the field itself
        kept = round(share * test.start)
        start, validation = test.start - kept, max(1, round(kept * (1.0 - train.stop / test.start)))
        parts = (kept - validation, validation, test.stop - test.start)
        if not _suffices(counts[start : test.start], parts, field):
            continue
        split = [part / sum(parts) for part in parts]
        again = _repeat(field, movie[start : test.stop], counts[start : test.stop], split)
        points.append(_point(again, movie[start : test.stop], counts[start : test.stop]))
    points.append(_point(field, movie, counts))
    return LearningCurve(*(tuple(column) for column in zip(*points, strict=True)))


def _suffices(counts: torch.Tensor, parts: Sequence[int], field: ReceptiveField) -> bool:
    known = counts[: parts[0]]
    enough = len(known) >= 4 * field.time_courses.shape[1] and float(known.sum()) >= FEW_SPIKES
    return enough and bool(counts[parts[0] : parts[0] + parts[1]].any())


def _repeat(field: ReceptiveField, movie: torch.Tensor, counts: torch.Tensor, split: Sequence[float]) -> ReceptiveField:
    recipe: Any = estimate_filter if "method" in field.settings else fit_receptive_field
    found: ReceptiveField = recipe(movie, counts, split=split, **field.settings)
    return found


def _point(
    field: ReceptiveField, movie: torch.Tensor, counts: torch.Tensor
) -> tuple[int, int, float, float, tuple[float, float]]:
    """Frames learnt from, spikes in them, score on them, score on the test part and its interval."""
    test = field.split[-1]
    rate, known = torch.from_numpy(field.predict(movie, counts)), slice(0, test.start)
    bits, interval, _ = score(rate[test], counts[test])
    return test.start, int(counts[known].sum()), bits_per_spike(rate[known], counts[known]), bits, interval
