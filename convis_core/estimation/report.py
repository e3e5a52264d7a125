"""What a fit found and how much to believe it, beside what simpler models reach on the same test part."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from convis_core import figures
from convis_core.errors import FitError
from convis_core.estimation.baselines import baselines
from convis_core.estimation.estimate import ReceptiveField, check_field
from convis_core.estimation.learning_curve import LEARNING_SHARES, LearningCurve, learning_curve
from convis_core.estimation.model_portrait import portrait_of_model, recording_of
from convis_core.estimation.nonlinearity_estimate import NonlinearityEstimate, estimate_nonlinearity
from convis_core.estimation.one_task import FittedModel
from convis_core.estimation.portrait import Portrait, portrait_of_field
from convis_core.estimation.recording import Recording, check_same_recording, check_shares
from convis_core.estimation.response_means import ResponseMeans, response_means
from convis_core.estimation.scoring import BITS, Score, measure_for, score
from convis_core.estimation.tables import broken_up, html_table, rounded
from convis_core.layer import Layer
from convis_core.loops.run import check_steps
from convis_core.tensors import to_tensor

__all__ = ["FitReport"]

LAGS_UNKNOWN: Final = 10
"""Lags of the average that a model without a filter of its own is compared with."""

FEWEST_FRAMES: Final = 20
"""Frames of a test part that can be grouped, and resampled in blocks."""

FEWEST_BINS: Final = 16
"""Bins with spikes that simpler models learn from, one in 16 of them for gain and offset."""


@dataclass(frozen=True, repr=False)
class FitReport:
    """Scores with intervals and baselines, and the nonlinearity with the data it stands on.

    Attributes
    ----------
    fitted : ReceptiveField or Layer
    portrait : Portrait
        Its filters, what follows a spike, and what it predicts.
    test : slice
        Frames that it is scored on.
    measure : str
        What the scores are: ``"bits/spike"``, or ``"R²"`` where the target is no count, or the response no rate:
        where it is negative, or 0 in a frame with a spike.
    scores : dict
        Of each model on the test part: the measure, its 95 % interval from a block bootstrap, and the
        correlation of prediction and data.
    observed : NonlinearityEstimate, ResponseMeans or None
        Nonlinearity of the test part by a smooth curve that knows nothing of the fit's, and the data under it;
        mean responses where they are no counts; none where the drive is constant.
    learning : LearningCurve or None
        Scores of fits to less of the recording.
    losses : tuple of float
        Loss before each update of the fit.
    """

    fitted: ReceptiveField | Layer
    portrait: Portrait
    test: slice
    measure: str
    scores: dict[str, Score]
    observed: NonlinearityEstimate | ResponseMeans | None
    learning: LearningCurve | None = None
    losses: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        field: ReceptiveField,
        stimulus: Any,
        spikes: Any,
        *,
        groups: int = 12,
        shares: Sequence[float] = LEARNING_SHARES,
    ) -> FitReport:
        """Score a fit on its own test part.

        Parameters
        ----------
        field : ReceptiveField
        stimulus, spikes : array
            The recording it was fitted to.
        groups : int
            Groups of equally many frames that show the nonlinearity.
        shares : sequence of float
            Shares of the recording for the learning curve, for which the fit is repeated; by default they take
            together about twice as long as the fit did. An empty one for no curve, which is left out too where
            the field does not say how it was made.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> movie = rng.standard_normal((1500, 5, 5))
        >>> spikes = rng.poisson(np.exp(movie[:, 2, 2] - 1))
        >>> from convis_core.estimation import fit_receptive_field
        >>> report = FitReport.of(fit_receptive_field(movie, spikes, n_lags=2), movie, spikes)
        >>> list(report.scores)
        ['receptive field', 'spike-triggered average', 'constant rate']
        """
        check_field(field)
        shares = check_shares(shares)
        recording = Recording.of(stimulus, spikes, field.time_courses.shape[1])
        check_same_recording(field.split, recording.counts)
        train, rest, test = field.split
        portrait = portrait_of_field(field, stimulus, spikes)
        simpler = baselines(
            recording.stimulus, recording.counts, (train, rest), field.time_courses.shape[1], counted=True
        )
        learning = learning_curve(field, stimulus, spikes, shares) if shares and field.settings else None
        return cls(field, portrait, test, *_judged(portrait, recording.counts, simpler, test, groups, True), learning)

    @classmethod
    def of_model(
        cls,
        model: Layer | FittedModel,
        stimulus: Any,
        target: Any,
        *,
        test: slice,
        cell: int | tuple[int, ...] | None = None,
        output: int | str | None = None,
        losses: Any = None,
        groups: int = 12,
    ) -> FitReport:
        """Score a model that was fitted by gradient on a part of the recording that it was not fitted to.

        The baselines learn from the longer stretch of frames beside the test part.

        Parameters
        ----------
        model : Layer or FittedModel
            It is left as it is. A `GLM` is given the recorded spikes of the target, as during its fit.
        stimulus, target : array
            The whole recording, the test part and what the model was fitted to. ``[time]`` or ``[time, cell]`` for a
            model of cells, ``[time, x, y]`` for one with ``population=True``. A target of whole numbers of at
            least 0 is taken for spike counts.
        test : slice
            Frames that the model was not fitted to, e.g. ``slice(3200, None)``.
        cell : int or (int, int), optional
            Which cell the report is about, or which pixel, where the model answers for several.
        output : int or str, optional
            Which response, where the model has several.
        losses : Trajectory or sequence of float, optional
            Loss before each update, as ``optimize`` returns it.
        groups : int
            Groups of equally many frames that show the nonlinearity.

        Raises
        ------
        FitError, ShapeError
            For a test part that is too short, silent or constant, or leaves nothing to learn from; for stimulus,
            target and model that do not fit together.

        Examples
        --------
        >>> import convis_core as convis
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> movie = rng.standard_normal((1500, 5, 5))
        >>> spikes = rng.poisson(np.exp(movie[:, 2, 2] - 1))
        >>> model = convis.models.LNP(kernel_dim=(2, 5, 5))
        >>> _ = model.set_optimizer.LBFGS()
        >>> losses = model.optimize(movie[:1200], spikes[:1200], loss_fn=model.likelihood)
        >>> report = FitReport.of_model(model, movie, spikes, test=slice(1200, None), losses=losses)
        >>> list(report.scores), report.scores["LNP"][0] > report.scores["constant rate"][0]
        (['LNP', 'spike-triggered average', 'constant rate'], True)
        """
        if isinstance(model, FittedModel):
            model, losses = model.model, model.losses if losses is None else losses
        frames, whole = recording_of(model, stimulus, target)
        part, beside = _parts(test, frames.shape[2])
        portrait, wanted = portrait_of_model(model, frames, whole, cell, output)
        counted = bool((whole >= 0).all()) and bool((whole == whole.round()).all())
        known = _learnt_from(beside, wanted, counted=counted)
        if float(wanted[part].min()) == float(wanted[part].max()):
            raise FitError(
                f"The target is {float(wanted[part][0]):g} in every frame of the test part, {part.start} to "
                f"{part.stop - 1}, so no prediction can be told from another.",
                "Choose another test part, or record longer.",
            )
        n_lags = len(portrait.filters[0].values) if portrait.filters else LAGS_UNKNOWN
        simpler = baselines(frames[0].double().movedim(1, 0).flatten(1), wanted, known, n_lags, counted=counted)
        judged = _judged(portrait, wanted, simpler, part, groups, counted)
        return cls(model, portrait, part, *judged, losses=_numbers(losses))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table of scores as text."""
        return [
            (name, rounded(value), f"{rounded(low)} to {rounded(high)}", "" if math.isnan(r) else rounded(r))
            for name, (value, (low, high), r) in self.scores.items()
        ]

    def __str__(self) -> str:
        head = ("", self.measure, "95 % interval", "correlation")
        lines = [f"{a:26}{b:>12}{c:>22}{d:>14}" for a, b, c, d in [head, *self.rows()]]
        learning = [] if self.learning is None else [str(self.learning)]
        return "\n".join([*map(broken_up, self._lines()), *lines, *learning])

    __repr__ = __str__

    def confidence(self) -> str:
        """The strongest weight of each filter with its error, and how many weights are surely not 0, as text."""
        return self.portrait.confidence()

    def plot(self) -> Any:
        """Draw filters, nonlinearity with data, history, learning and scores; needs matplotlib."""
        return figures.figure("plot_fit_report")(self)

    def _repr_html_(self) -> str:
        caption = "<br>".join(html.escape(line) for text in self._lines() for line in text.splitlines())
        scores = html_table(caption, ("model", self.measure, "95&nbsp;% interval", "correlation"), self.rows())
        return scores + ("" if self.learning is None else self.learning._repr_html_())

    def _lines(self) -> list[str]:
        """What was fitted and scored, how sure its weights are, and how the fit went."""
        what = f"{self.portrait.title}; scores on frames {self.test.start} to {self.test.stop - 1}"
        lines = [what, self.confidence()]
        if self.losses:
            first, last = self.losses[0], self.losses[-1]
            lines.append(f"loss {first:.4g} at first, {last:.4g} at last, {len(self.losses)} updates")
        if self.measure != BITS and isinstance(self.observed, NonlinearityEstimate):
            lines.append("scored by R²: as a rate the response would rule out some of the spikes")
        return [line for line in lines if line]


def _judged(
    portrait: Portrait, wanted: Tensor, simpler: dict[str, Tensor], test: slice, groups: int, counted: bool
) -> tuple[str, dict[str, Score], NonlinearityEstimate | ResponseMeans | None]:
    """Measure, scores and observed nonlinearity on the test part."""
    seen, drive = wanted[test], portrait.drive[test]
    groups = check_steps(groups, "groups", "groups")
    measure = measure_for(portrait.response[test], seen, counted=counted)
    scores = {
        name: score(predicted[test], seen, measure)
        for name, predicted in {portrait.name: portrait.response, **simpler}.items()
    }
    if float(drive.min()) == float(drive.max()):
        return measure, scores, None
    if counted:
        return measure, scores, estimate_nonlinearity(drive, seen, "spline", groups=groups)
    return measure, scores, response_means(drive, seen, min(groups, len(seen) // 2))


def _parts(test: Any, length: int) -> tuple[slice, slice]:
    """The test part, and the longer stretch beside it."""
    if not isinstance(test, slice) or test.step not in (None, 1):
        raise FitError(
            f"The test part is a slice of frames that the model was not fitted to, got {test!r:.60}.",
            f"Give e.g. test=slice({length * 4 // 5}, None).",
        )
    start, stop, _ = test.indices(length)
    if stop - start < FEWEST_FRAMES:
        raise FitError(
            f"A test part has at least {FEWEST_FRAMES} frames, got {max(0, stop - start)}.",
            "Fit the model to fewer frames, and leave more of them out.",
        )
    first, last = (0, start) if start >= length - stop else (stop, length)
    if last - first < FEWEST_FRAMES:
        raise FitError(
            f"Beside the test part there are {last - first} frames, from which no simpler model can learn.",
            "Give the whole recording, what the model was fitted to as well, and name the part that was held out.",
        )
    return slice(start, stop), slice(first, last)


def _learnt_from(beside: slice, wanted: Tensor, *, counted: bool) -> tuple[slice, slice]:
    """Training and validation part for simpler models; with spikes in both."""
    middle = beside.stop - (beside.stop - beside.start) // 8
    if counted:
        fired = torch.nonzero(wanted[beside])[:, 0]
        if len(fired) < FEWEST_BINS:
            raise FitError(
                f"Beside the test part, in frames {beside.start} to {beside.stop - 1}, {len(fired)} bins have spikes, "
                "from which no simpler model can learn.",
                "Choose another test part, or record longer.",
            )
        middle = min(middle, beside.start + int(fired[-(len(fired) // FEWEST_BINS)]))
    return slice(beside.start, middle), slice(middle, beside.stop)


def _numbers(losses: Any) -> tuple[float, ...]:
    if losses is None:
        return ()
    found = to_tensor(getattr(losses, "losses", losses)).detach().double()
    if found.ndim != 1:
        raise FitError(
            f"Losses are a sequence of numbers, got an array of shape {tuple(found.shape)}.",
            "Give what optimize returned, or the Trajectory.",
        )
    return tuple(found.tolist())
