"""What is known of a cell after a fit, and what it predicts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from convis_core.errors import FitError
from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.recording import check_counts, check_movie
from convis_core.estimation.tables import broken_up
from convis_core.ops.lags import lagged

__all__ = ["ReceptiveField", "check_field"]

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True, repr=False)
class ReceptiveField:
    """A receptive field with its nonlinearity, spike history and scores.

    Attributes
    ----------
    time_courses : array, shape [part, lag]
        Of unit norm; lag 0 is the present frame.
    maps : array, shape [part, x, y]
        In drive per unit of the stimulus.
    map_errors : array, shape [part, x, y]
        Posterior standard deviation of the maps, the time courses taken as known.
    history : array, shape [lag]
        Drive added by a spike 1, 2, ... bins ago.
    offset : float
        Drive without stimulus and spikes.
    stimulus_mean : float
        Value of the stimulus that counts as none.
    nonlinearity : str
        From drive to expected count.
    split : (slice, slice, slice)
        Training, validation and test part.
    scores : dict
        Bits per spike and correlation of rate and counts. The validation score is that of the fit to
        the training part alone, from which the number of parts was chosen.
    seconds : float
        Time the fit took.
    method : str
        How it was estimated; see `estimate_filter`.
    settings : dict
        Arguments with which the recipe that made it would make it again.
    """

    time_courses: Array
    maps: Array
    map_errors: Array
    history: Array
    offset: float
    stimulus_mean: float
    nonlinearity: str
    split: tuple[slice, ...]
    scores: dict[str, float]
    seconds: float
    method: str = "separable"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def filter(self) -> Array:
        """The whole filter, ``[lag, x, y]``, in drive per unit of the stimulus."""
        return np.asarray(np.einsum("kl,kxy->lxy", self.time_courses, self.maps))

    @property
    def filter_error(self) -> Array:
        """Standard deviation of the filter from that of the maps, ``[lag, x, y]``."""
        variance = np.einsum("kl,kxy->lxy", self.time_courses**2, self.map_errors**2)
        return np.asarray(np.sqrt(variance))

    @property
    def rank(self) -> int:
        """Number of separable parts."""
        return len(self.maps)

    @property
    def outline(self) -> str:
        """Size, method and nonlinearity as text."""
        n, (x, y) = self.time_courses.shape[1], self.maps.shape[1:]
        how = f"rank {self.rank}" if self.method == "separable" else self.method
        return f"{n} lags x {x}x{y} pixels, {how}, {self.nonlinearity}"

    def predict(self, stimulus: Any, spikes: Any = None) -> Array:
        """Expected count in each bin; parameters and errors are those of `drive`."""
        rate = nonlinearity_named(self.nonlinearity).rate(torch.from_numpy(self.drive(stimulus, spikes)))
        return np.asarray(rate.numpy())

    def drive(self, stimulus: Any, spikes: Any = None) -> Array:
        """What filter, history and offset add up to in each bin, before the nonlinearity.

        Parameters
        ----------
        stimulus : array, shape [time, x, y]
        spikes : array, shape [time], optional
            The cell's own spikes, needed where it has a history. Each bin sees those before it only.

        Returns
        -------
        array, shape [time]
        """
        movie = check_movie(stimulus) - self.stimulus_mean
        if tuple(movie.shape[1:]) != self.maps.shape[1:]:
            raise FitError(
                f"The receptive field has {self.maps.shape[1]}x{self.maps.shape[2]} pixels, the stimulus "
                f"{movie.shape[1]}x{movie.shape[2]}.",
                "Give the part of the stimulus the field was fitted to.",
            )
        drive = torch.full((len(movie),), self.offset, dtype=torch.float64)
        for course, field in zip(self.time_courses, self.maps, strict=True):
            projected = movie.flatten(1) @ torch.from_numpy(field.ravel())
            drive += lagged(projected, len(course)) @ torch.from_numpy(course)
        if len(self.history):
            if spikes is None:
                raise FitError("The cell's past spikes are part of the model.", "Give them, or fit with n_history=0.")
            counts = check_counts(spikes)
            if len(counts) != len(movie):
                raise FitError(f"Got {len(movie)} frames and {len(counts)} bins of spikes.", "Give equally many.")
            drive += lagged(counts, len(self.history), first=1) @ torch.from_numpy(self.history)
        return np.asarray(drive.numpy())

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.3f}" for name, value in self.scores.items())
        return broken_up(f"<ReceptiveField {self.outline}; {scores}>")


def check_field(field: Any) -> None:
    """Refuse what is no receptive field; of a cell without one, say why."""
    if not isinstance(field, ReceptiveField):
        why = getattr(field, "reason", "")
        raise FitError(
            f"Expected a ReceptiveField, got {field!r:.60}." + f" {why}" * bool(why),
            "Give one that fit_receptive_field or estimate_filter has returned; of several cells, one of the list.",
        )
