"""Rates in bins of time, kept for every cell, so that any cell can be looked at afterwards."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from convis_core import Chunk
from convis_core.tensors import to_numpy

__all__ = ["BinnedRates"]

MOST_BYTES = 128_000_000
"""Memory for the past; beyond it the oldest bins are dropped."""


EVERY = slice(None)


class BinnedRates:
    """Mean response of every cell in consecutive bins, filled chunk by chunk.

    Bins are aligned to the start of the stimulus, so they do not depend on the chunks.

    Parameters
    ----------
    bin_steps : int
        Frames per bin.
    scale : float
        Factor from the mean per frame to the unit shown, e.g. steps per second for spike counts.
    smoothing : float
        Time constant, in bins, of a causal exponential window; 0 for none.
    """

    def __init__(self, bin_steps: int, scale: float, smoothing: float = 0.0) -> None:
        self.bin_steps, self.scale = bin_steps, scale
        self._keep = math.exp(-1.0 / smoothing) if smoothing > 0 else 0.0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.bins: list[NDArray[np.float16]] = []
        self.summary: list[NDArray[np.float64]] = []
        self.first = 0
        self._sum: NDArray[np.float32] | None = None
        self._smooth: NDArray[np.float32] | None = None
        self._filled = 0

    def add(self, chunk: Chunk) -> None:
        """Add a chunk; one that does not follow the last starts anew."""
        expected = self.first + len(self.bins) * self.bin_steps + self._filled
        if chunk.start != expected:
            self.clear()
            self.first = chunk.start
        responses = np.stack([to_numpy(response[0, 0]) for response in chunk.output])
        start, n = 0, responses.shape[1]
        while start < n:
            taken = min(self.bin_steps - self._filled, n - start)
            part = responses[:, start : start + taken].sum(axis=1, dtype=np.float32)
            self._sum = part if self._sum is None else self._sum + part
            self._filled += taken
            start += taken
            if self._filled == self.bin_steps:
                self._close_bin()

    def _close_bin(self) -> None:
        assert self._sum is not None
        rates = self._sum * (self.scale / self.bin_steps)
        if self._smooth is not None:
            rates += self._keep * (self._smooth - rates)
        self._smooth = rates
        self.bins.append(rates.astype(np.float16))
        flat = rates.reshape(len(rates), -1)
        low, high = np.percentile(flat, [10, 90], axis=1)
        self.summary.append(np.stack([flat.mean(axis=1), low, high]).astype(np.float64))
        self._sum, self._filled = None, 0
        most = max(2, MOST_BYTES // self.bins[0].nbytes)
        if len(self.bins) > most:
            drop = len(self.bins) - most
            del self.bins[:drop], self.summary[:drop]
            self.first += drop * self.bin_steps

    def between(self, t0: float, t1: float, step: float) -> slice:
        """Bins that overlap a range of time in s."""
        edges = (np.array([t0, t1]) / step - self.first) / self.bin_steps
        low, high = np.clip([np.floor(edges[0]), np.ceil(edges[1])], 0, len(self.bins)).astype(int)
        return slice(int(low), int(high))

    def time(self, step: float, bins: slice = EVERY) -> NDArray[np.float64]:
        """Middle of every bin, in s."""
        index = np.arange(len(self.bins))[bins]
        return np.asarray((self.first + (index + 0.5) * self.bin_steps) * step, dtype=np.float64)

    def cell(self, population: int, pixel: tuple[int, int], bins: slice = EVERY) -> NDArray[np.float64] | None:
        """Rate of one cell in every bin; None where there is no such cell."""
        chosen = self.bins[bins]
        if not chosen or not (pixel[0] < chosen[0].shape[1] and pixel[1] < chosen[0].shape[2]):
            return None
        return np.array([rates[(population, *pixel)] for rates in chosen], dtype=np.float64)

    def population(self, population: int, bins: slice = EVERY) -> NDArray[np.float64]:
        """Mean over all cells, 10th and 90th percentile, in every bin: ``[3, bin]``."""
        chosen = self.summary[bins]
        return np.stack([summary[:, population] for summary in chosen], axis=-1) if chosen else np.zeros((3, 0))
