"""What a fit found and how much to believe it, beside what simpler models reach on the same test part."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from convis_core import figures
from convis_core.estimation.estimate import ReceptiveField, check_field
from convis_core.estimation.learning_curve import LEARNING_SHARES, LearningCurve, learning_curve
from convis_core.estimation.nonlinearity import NONLINEARITIES, nonlinearity_named
from convis_core.estimation.nonlinearity_estimate import NonlinearityEstimate, estimate_nonlinearity
from convis_core.estimation.recording import Recording, check_same_recording
from convis_core.estimation.scoring import Score, score
from convis_core.estimation.tables import html_table
from convis_core.ops.lags import filtered, triggered_sum

__all__ = ["FitReport"]


@dataclass(frozen=True)
class FitReport:
    """Scores with intervals and baselines, and the nonlinearity with the data it stands on.

    Attributes
    ----------
    field : ReceptiveField
    scores : dict
        Of each model on the test part: bits per spike, its 95 % interval from a block bootstrap,
        and the correlation of rate and counts.
    observed : NonlinearityEstimate
        Nonlinearity of the test part by a smooth curve that knows nothing of the fit's, and the data under it.
    learning : LearningCurve or None
        Scores of fits to less of the recording.
    """

    field: ReceptiveField
    scores: dict[str, Score]
    observed: NonlinearityEstimate
    learning: LearningCurve | None = None

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
        >>> rng = np.random.default_rng(0)
        >>> movie = rng.standard_normal((1500, 5, 5))
        >>> spikes = rng.poisson(np.exp(movie[:, 2, 2] - 1))
        >>> from convis_core.estimation import fit_receptive_field
        >>> report = FitReport.of(fit_receptive_field(movie, spikes, n_lags=2), movie, spikes)
        >>> list(report.scores)
        ['receptive field', 'spike-triggered average', 'constant rate']
        """
        check_field(field)
        recording = Recording.of(stimulus, spikes, field.time_courses.shape[1])
        check_same_recording(field.split, recording.counts)
        test, known = field.split[-1], slice(0, field.split[-1].start)
        drive = torch.from_numpy(field.drive(stimulus, spikes))
        rate = nonlinearity_named(field.nonlinearity).rate(drive)
        seen = recording.counts[test]
        rates = {
            "receptive field": rate[test],
            "spike-triggered average": _average_model(recording, field)[test],
            "constant rate": torch.full_like(seen, float(recording.counts[known].mean())),
        }
        return cls(
            field,
            {name: score(predicted, seen) for name, predicted in rates.items()},
            estimate_nonlinearity(drive[test], seen, "spline", groups=groups),
            learning_curve(field, stimulus, spikes, shares) if shares and field.settings else None,
        )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table of scores as text."""
        return [
            (name, f"{bits:.3f}", f"{low:.3f} to {high:.3f}", "" if math.isnan(r) else f"{r:.3f}")
            for name, (bits, (low, high), r) in self.scores.items()
        ]

    def __str__(self) -> str:
        head = ("", "bits/spike", "95 % interval", "correlation")
        lines = [f"{a:24}{b:>12}{c:>20}{d:>14}" for a, b, c, d in [head, *self.rows()]]
        learning = [] if self.learning is None else [str(self.learning)]
        return "\n".join([self._what(), self.confidence(), *lines, *learning])

    def confidence(self) -> str:
        """The strongest weight of the filter with its error, and how many weights are surely not 0, as text."""
        filter, error = self.field.filter, self.field.filter_error
        lag, x, y = np.unravel_index(np.abs(filter).argmax(), filter.shape)
        strongest = f"strongest weight {filter[lag, x, y]:.3g}"
        where = f"at lag {lag}, pixel ({x}, {y})"
        if not np.isfinite(error).all():
            return f"{strongest} {where}; the errors of the weights are not known"
        sure = int((np.abs(filter) > 2.0 * error).sum())
        return f"{strongest} ± {error[lag, x, y]:.2g} {where}; {sure} of {filter.size} weights are 2 errors away from 0"

    def plot(self) -> Any:
        """Draw filter, nonlinearity with data, history and scores; needs matplotlib."""
        return figures.figure("plot_fit_report")(self)

    def _repr_html_(self) -> str:
        caption = f"{html.escape(self._what())}<br>{html.escape(self.confidence())}"
        scores = html_table(caption, ("model", "bits/spike", "95&nbsp;% interval", "correlation"), self.rows())
        return scores + ("" if self.learning is None else self.learning._repr_html_())

    def _what(self) -> str:
        field, test = self.field, self.field.split[-1]
        lags, (x, y) = field.time_courses.shape[1], field.maps.shape[1:]
        history = f", spike history of {len(field.history)} bins" if len(field.history) else ""
        how = f"rank {field.rank}" if field.method == "separable" else field.method
        return (
            f"Receptive field of {lags} lags x {x}x{y} pixels, {how}, {field.nonlinearity}{history}; "
            f"scores on frames {test.start} to {test.stop - 1}"
        )


def _average_model(recording: Recording, field: ReceptiveField) -> torch.Tensor:
    """Rate by the spike-triggered average of the training part.

    Gain and offset come from the validation part: on the frames that made the average it fits too well.
    """
    (train, rest, _), n_lags = field.split, field.time_courses.shape[1]
    stimulus = recording.stimulus - recording.stimulus[train].mean()
    known, counts = recording.counts[train], recording.counts[rest]
    drive = filtered(stimulus, triggered_sum(known - known.mean(), stimulus[train], n_lags))
    shape = NONLINEARITIES["softplus"]
    gain, offset = shape.gain_and_offset(drive[rest], counts)
    return shape.rate(gain * drive + offset)
