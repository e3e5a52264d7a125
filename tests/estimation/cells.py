"""Simulated cells whose receptive field is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Cell:
    stimulus: Array
    spikes: Array
    filter: Array
    rate: Array

    def similarity(self, found: Array) -> float:
        return float(np.corrcoef(found.ravel(), self.filter.ravel())[0, 1])

    def drive_filter(self, gain: float) -> Array:
        """The filter in units of the drive, whose standard deviation is the gain."""
        return np.asarray(self.filter * gain / filtered(self.stimulus, self.filter).std())


def filtered(stimulus: Array, receptive_field: Array) -> Array:
    """Causal convolution in time, inner product in space."""
    drive = np.zeros(len(stimulus))
    for lag, field in enumerate(receptive_field):
        drive[lag:] += np.tensordot(stimulus[: len(stimulus) - lag], field, axes=2)
    return drive


def gabor(rng: np.random.Generator, size: int) -> Array:
    """A striped patch of random place, width, direction, period and phase."""
    x, y = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    x, y = x - rng.uniform(3, size - 4), y - rng.uniform(3, size - 4)
    angle, frequency, phase = rng.uniform(0, np.pi), rng.uniform(0.08, 0.25), rng.uniform(0, 2 * np.pi)
    wave = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    return np.exp(-(x**2 + y**2) / (2 * rng.uniform(1.2, 3.0) ** 2)) * wave


def centre_surround(rng: np.random.Generator, size: int) -> Array:
    """A blob of random place and width with a weak ring around it."""
    x, y = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    square = (x - rng.uniform(3, size - 4)) ** 2 + (y - rng.uniform(3, size - 4)) ** 2
    sigma = rng.uniform(1.2, 2.5)
    return np.exp(-square / (2 * sigma**2)) - 0.3 * np.exp(-square / (2 * (1.7 * sigma) ** 2))


def time_course(rng: np.random.Generator, n_lags: int, delay: int = 0) -> Array:
    """A biphasic response of random speed."""
    t, tau = np.clip(np.arange(n_lags) - delay, 0, None), rng.uniform(1.0, 1.8)
    course = t**2 * np.exp(-t / tau) / tau**3 - rng.uniform(0.2, 0.8) * t**4 * np.exp(-t / tau) / (12 * tau**5)
    return np.asarray(course / np.linalg.norm(course))


def recorded(stimulus: Array, receptive_field: Array, gain: float, offset: float, rng: np.random.Generator) -> Cell:
    """Poisson spikes of the rate softplus(gain * drive / std(drive) + offset)."""
    drive = filtered(stimulus, receptive_field)
    rate = np.logaddexp(0.0, gain * drive / drive.std() + offset)
    return Cell(stimulus, rng.poisson(rate).astype(float), receptive_field, rate)
