"""The recipe for a receptive field: stimulus and spikes in, filter, history and an honest score out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import FitError
from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.nonlinearity import Nonlinearity, nonlinearity_named
from convis_core.estimation.recording import Recording, check_parts, split_in_blocks
from convis_core.estimation.separable import Component, Problem, fit_component, start_component
from convis_core.loops.metrics import bits_per_spike, correlation
from convis_core.loops.run import check_steps
from convis_core.ops.lags import lagged, raised_cosines

__all__ = ["fit_receptive_field"]

BUMPS: Final = 8
"""Raised cosines that describe the spike history."""

WORTH: Final = 0.005
"""Bits per spike that a further component must add on the validation part."""


def fit_receptive_field(
    stimulus: Any,
    spikes: Any,
    *,
    n_lags: int = 10,
    n_history: int = 20,
    max_rank: int = 3,
    nonlinearity: str = "softplus",
    split: Sequence[float] = (0.7, 0.1, 0.2),
) -> ReceptiveField:
    r"""Estimate the receptive field of a cell from a stimulus and its spike counts.

    The model is a generalised linear model whose filter is a sum of few space-time separable parts,

    .. math::

        y_t \sim \mathrm{Poisson}(g(b + \sum_k \sum_{l, x} T_{kl} S_{kx} s_{t - l, x}
        + \sum_{j \ge 1} h_j y_{t - j})).

    Maps and time courses are posterior means under Gaussian priors (a map is local in space and in
    spatial frequency, a time course smooth), found by turns with Newton's method. The priors'
    widths, place, smoothness and frequency maximise the evidence, so nothing needs to be set.
    The number of parts is chosen on the validation part; then training and validation part
    together give the final fit. The test part is used for nothing but the scores.

    Parameters
    ----------
    stimulus : array or tensor, shape [time, x, y]
    spikes : array or tensor, shape [time]
        Spike counts, one bin a frame.
    n_lags : int
        Frames the filter sees, the present one included.
    n_history : int
        Bins of past spikes that count; 0 for none.
    max_rank : int
        Separable parts at most.
    nonlinearity : str
        :math:`g`: ``"softplus"`` or ``"exponential"``.
    split : (float, float, float)
        Shares of training, validation and test part, contiguous and in this order.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    FitError
        For a stimulus and spikes of different lengths, counts that are negative or no whole numbers,
        a part without a spike, a constant stimulus, a filter too long for the data, or too many pixels.
    ShapeError
        For other shapes, or values that are not finite.

    References
    ----------
    Park & Pillow (2011) doi:10.1371/journal.pcbi.1002219; Pillow et al. (2008) doi:10.1038/nature07140

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> stimulus = rng.standard_normal((2000, 6, 6))
    >>> spikes = rng.poisson(np.exp(stimulus[:, 2, 3] - 1))
    >>> found = fit_receptive_field(stimulus, spikes, n_lags=3, n_history=0)
    >>> [int(i) for i in np.unravel_index(np.argmax(found.filter), found.filter.shape)]
    [0, 2, 3]
    """
    began = time.perf_counter()
    n_lags, max_rank = check_steps(n_lags, "n_lags"), check_steps(max_rank, "max_rank", "parts")
    n_history = n_history and check_steps(n_history, "n_history", "bins")
    shape = nonlinearity_named(nonlinearity)
    if len(split) != 3:
        raise FitError(f"A split has three shares, got {tuple(split)}.", "Give e.g. (0.7, 0.1, 0.2).")
    recording = Recording.of(stimulus, spikes, n_lags)
    parts = split_in_blocks(len(recording.counts), split)
    check_parts(recording.counts, parts)
    with torch.no_grad():
        return _fit(recording, parts, n_lags, n_history, max_rank, shape, began)


def _fit(
    recording: Recording,
    parts: list[slice],
    n_lags: int,
    n_history: int,
    max_rank: int,
    shape: Nonlinearity,
    began: float,
) -> ReceptiveField:
    train, validation, test = parts
    mean, scale = recording.stimulus[train].mean(), recording.stimulus[train].std()
    if float(scale) == 0.0:
        raise FitError("The stimulus is constant in the training part.", "Give one that changes from the start.")
    counts, basis = recording.counts, raised_cosines(max(n_history, 2), BUMPS)[:n_history]
    history = lagged(counts, n_history, first=1) @ basis if n_history else counts.new_zeros(len(counts), 0)
    whole = Problem(
        (recording.stimulus - mean) / scale, counts, torch.zeros_like(counts), history, recording.size, n_lags, shape
    )
    fitted = _Sum([]).with_component(_part(whole, slice(0, train.stop)))
    gained = fitted.bits(whole, validation)
    while len(fitted.components) < max_rank:
        larger = fitted.with_component(_part(whole, slice(0, train.stop)))
        if larger.bits(whole, validation) < gained:
            break
        larger = larger.refitted(_part(whole, slice(0, train.stop)))  # the others make room for it
        bits = larger.bits(whole, validation)
        if bits < gained + WORTH:
            break
        fitted, gained = larger, bits
    fitted = fitted.refitted(_part(whole, slice(0, validation.stop)))
    rate = fitted.rate(whole)
    return ReceptiveField(
        time_courses=torch.stack([c.time for c in fitted.components]).numpy(),
        maps=(torch.stack([c.space for c in fitted.components]) / scale).reshape(-1, *recording.size).numpy(),
        map_errors=(torch.stack([c.space_error for c in fitted.components]) / scale)
        .reshape(-1, *recording.size)
        .numpy(),
        history=(basis @ fitted.components[-1].history).numpy() if n_history else basis.new_zeros(0).numpy(),
        offset=fitted.components[-1].offset,
        stimulus_mean=float(mean),
        nonlinearity=shape.name,
        split=tuple(parts),
        scores={
            "validation bits/spike": gained,
            "test bits/spike": bits_per_spike(rate[test], counts[test]),
            "test correlation": correlation(rate[test], counts[test]),
        },
        seconds=time.perf_counter() - began,
    )


def _part(whole: Problem, part: slice) -> Problem:
    return replace(
        whole,
        stimulus=whole.stimulus[part],
        counts=whole.counts[part],
        fixed=whole.fixed[part],
        history=whole.history[part],
    )


class _Sum:
    """Several components that add up; the last one fitted holds the history and the offset of all."""

    def __init__(self, components: list[Component]) -> None:
        self.components = components

    def with_component(self, problem: Problem) -> _Sum:
        """One component more, fitted to what the others leave."""
        if not self.components:
            return _Sum([fit_component(problem, start_component(problem))])
        last = self.components[-1]
        rest = replace(problem, fixed=self._drive(problem))
        new = fit_component(rest, start_component(rest, last.history, last.offset))
        return _Sum([*self.components, new])

    def refitted(self, problem: Problem) -> _Sum:
        """Every component once more, given the others."""
        components = list(self.components)
        for k, component in enumerate(components):
            last = components[k - 1]
            others = _Sum([*components[:k], *components[k + 1 :]])
            start = replace(component, history=last.history, offset=last.offset)
            components[k] = fit_component(replace(problem, fixed=others._drive(problem)), start)
        return _Sum(components)

    def rate(self, problem: Problem) -> Tensor:
        last = self.components[-1]
        return problem.shape.rate(self._drive(problem) + problem.history @ last.history + last.offset)

    def bits(self, problem: Problem, part: slice) -> float:
        return bits_per_spike(self.rate(problem)[part], problem.counts[part])

    def _drive(self, problem: Problem) -> Tensor:
        total = problem.fixed
        for component in self.components:
            total = total + component.drive(problem.stimulus)
        return total
