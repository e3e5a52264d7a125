"""Tuning of a model: how its response depends on the direction or the frequency of a drifting grating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.samples.gratings import drifting_grating

__all__ = ["Tuning", "direction_tuning", "temporal_frequency_tuning"]

_Array = NDArray[np.float64]
Measure = Literal["mean", "modulation"]


@dataclass(frozen=True)
class Tuning:
    """Responses to a range of stimuli.

    Attributes
    ----------
    values : ndarray
        Directions in rad or frequencies in Hz.
    responses : ndarray
        One for each.
    quantity : {"direction", "temporal frequency"}
        What was varied.
    measure : {"mean", "modulation", ""}
        What of the response was taken, where it is known.
    """

    values: _Array
    responses: _Array
    quantity: Literal["direction", "temporal frequency"] = "direction"
    measure: Measure | Literal[""] = ""

    @property
    def preferred(self) -> float:
        """Value with the largest response."""
        return float(self.values[int(self.responses.argmax())])

    def direction_index(self) -> tuple[float, float]:
        r"""Preferred direction in rad, and how much it is preferred: 0 for not at all, 1 for alone.

        .. math:: \frac{\sum_k r_k e^{i \phi_k}}{\sum_k |r_k|}

        for responses at evenly spaced directions `phi` (Mazurek et al. 2014).
        """
        return self._vector(1)

    def orientation_index(self) -> tuple[float, float]:
        """As `direction_index` for the axis of motion, between 0 and pi: opposite directions count as one."""
        return self._vector(2)

    def _vector(self, fold: int) -> tuple[float, float]:
        total = np.abs(self.responses).sum()
        mean = (self.responses * np.exp(1j * fold * self.values)).sum() / total if total > 0 else 0.0
        return float(np.angle(mean) % (2 * math.pi) / fold), float(abs(mean))


def direction_tuning(
    model: Layer,
    directions: Sequence[float] | int = 8,
    *,
    temporal_frequency: float = 4.0,
    **options: Any,
) -> Tuning:
    """Measure the response to gratings that drift in different directions.

    Parameters
    ----------
    model : Layer
        Every grating finds it without a past; its state is left as it is.
    directions : sequence of float or int
        In rad, or how many to spread evenly over the circle; 0 towards higher columns, pi/2 up.
    temporal_frequency : float
        In Hz.
    **options
        As of `temporal_frequency_tuning`.

    Returns
    -------
    Tuning

    Examples
    --------
    >>> from convis_core import filters
    >>> conv = filters.Conv3d(kernel_dim=(1, 1, 9), bias=False)  # sums along the columns
    >>> conv.set_weight(np.ones((1, 1, 9)))
    >>> tuning = direction_tuning(conv, size=(15, 15), cycles=1, spatial_frequency=1.0)
    >>> angle, strength = tuning.orientation_index()
    >>> round(angle / math.pi, 2)  # it answers gratings that move along the rows
    0.5

    References
    ----------
    Mazurek M., Kager M., Van Hooser S. D. (2014), Robust quantification of orientation selectivity and
    direction selectivity, Front. Neural Circuits 8, 92, doi:10.3389/fncir.2014.00092.
    """
    angles = np.arange(directions) * 2 * math.pi / directions if isinstance(directions, int) else np.array(directions)
    if len(angles) < 2:
        raise ParameterError(f"Tuning takes at least two directions, got {len(angles)}.")
    responses = [_response(model, temporal_frequency, float(angle), **options) for angle in angles]
    measure = options.get("measure", "modulation")
    return Tuning(np.asarray(angles, dtype=np.float64), np.array(responses), "direction", measure)


def temporal_frequency_tuning(
    model: Layer, frequencies: Sequence[float], *, direction: float = 0.0, **options: Any
) -> Tuning:
    """Measure the response to gratings that drift at different rates.

    Parameters
    ----------
    model : Layer
        Every grating finds it without a past; its state is left as it is.
    frequencies : sequence of float
        In Hz.
    direction : float
        In rad, as of `direction_tuning`.
    **options
        ``spatial_frequency`` in cycles/deg (1), 0 for a full field; ``contrast`` (1) and
        ``background`` (0), so that the input is ``background + contrast * grating``; ``size`` in
        pixels ((21, 21)); ``cycles`` to average over (4) and ``settle``, the seconds before (0.2);
        ``output`` (0), ``channel`` (0) and ``position`` (the middle) of the response;
        ``measure``, "modulation" (its amplitude at the frequency, the default) or "mean".

    Returns
    -------
    Tuning

    Raises
    ------
    ParameterError
        If a frequency is not above 0 or beyond half the frame rate.

    Examples
    --------
    >>> from convis_core.filters import NLRectify
    >>> tuning = temporal_frequency_tuning(NLRectify(), [2.0, 8.0], size=(5, 5))
    >>> tuning.responses.round(2)  # half of a sine has half its amplitude
    array([0.5, 0.5])
    """
    return Tuning(
        np.array(frequencies, dtype=np.float64),
        np.array([_response(model, float(f), direction, **options) for f in frequencies]),
        "temporal frequency",
        options.get("measure", "modulation"),
    )


def _response(
    model: Layer,
    frequency: float,
    direction: float,
    *,
    spatial_frequency: float = 1.0,
    contrast: float = 1.0,
    background: float = 0.0,
    size: tuple[int, int] = (21, 21),
    cycles: int = 4,
    settle: float = 0.2,
    output: int | str = 0,
    channel: int = 0,
    position: tuple[int, int] | None = None,
    measure: Measure = "modulation",
) -> float:
    rate = model.resolution.steps_per_second
    if not 0 < frequency <= rate / 2 or cycles < 1 or measure not in ("mean", "modulation"):
        raise ParameterError(
            f"Expected a frequency between 0 and {rate / 2:g} Hz, a cycle or more and a measure 'mean' or "
            f"'modulation', got {frequency:g} Hz, {cycles} and {measure!r}."
        )
    before, frames = round(settle * rate), round(cycles * rate / frequency)
    film = background + contrast * drifting_grating(
        before + frames,
        *size,
        temporal_frequency=frequency,
        spatial_frequency=spatial_frequency,
        direction=direction,
        resolution=model.resolution,
    )
    kept = model.get_state()
    try:
        model.clear_state()
        responses = model.run(film).array(output)[0, channel, before:]
    finally:
        model.set_state(kept)
    x, y = position if position is not None else ((responses.shape[1] - 1) // 2, (responses.shape[2] - 1) // 2)
    course = responses[:, x, y].astype(np.float64)
    if measure == "mean":
        return float(course.mean())
    turns = np.exp(-2j * math.pi * frequency / rate * np.arange(frames))
    return float(2 * abs((course * turns).mean()))
