"""The recipe for a receptive field: stimulus and spikes in, filter, history and an honest score out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import FitError
from convis_core.estimation.cells import Cells, UnfittedCell, cells_of, tell_unfitted
from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.first_look import FirstLook, first_looks
from convis_core.estimation.nonlinearity import Nonlinearity, nonlinearity_named
from convis_core.estimation.recording import check_stimulus, three_parts
from convis_core.estimation.separable import LEAN, THOROUGH, Component, Problem, fit_component, start_component
from convis_core.estimation.unexplained import drift_of, explains_too_little
from convis_core.estimation.windows import Window
from convis_core.loops.metrics import bits_per_spike, correlation
from convis_core.loops.run import check_steps
from convis_core.ops.compiled import share_work
from convis_core.ops.lags import lagged, raised_cosines
from convis_core.warn import warn

__all__ = ["fit_receptive_field"]

BUMPS: Final = 8
"""Raised cosines that describe the spike history."""

MOST_AT_ONCE: Final = 400
"""Pixels beyond which also a single cell is fitted only where it sees anything; effort grows as their cube."""

ROOM: Final = 3
"""Pixels around such a window for a faint surround, which takes its effort to be found."""

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
) -> Any:
    r"""Estimate the receptive field of a cell from a stimulus and its spike counts.

    The model is a generalised linear model whose filter is a sum of few space-time separable parts,

    .. math::

        y_t \sim \mathrm{Poisson}(g(b + \sum_k \sum_{l, x} T_{kl} S_{kx} s_{t - l, x}
        + \sum_{j \ge 1} h_j y_{t - j})).

    Maps and time courses are posterior means under Gaussian priors (a map is local in space and in
    spatial frequency, a time course smooth), found by turns with Newton's method. The priors'
    widths, place, smoothness and frequency maximise the evidence, so nothing needs to be set.
    The number of parts is chosen on the validation part; then training and validation part
    together give the final fit. In an image of more than 400 pixels the fit is confined to a window
    where the cell sees anything, and the map is 0 outside. The test part is used for nothing but the scores.

    Parameters
    ----------
    stimulus : array or tensor, shape [time, x, y]
    spikes : array or tensor, shape [time] or [time, cell]
        Spike counts, one bin a frame. For what differs with several cells, see the notes.
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
    ReceptiveField, or a list of one for every cell
        In the list an `UnfittedCell`, which counts as false, stands for a cell that is silent in one of the parts
        or fires the same in every bin. One warning names them all.

    Notes
    -----
    Several cells are fitted with the stimulus they share in one call, by the same model and priors but with
    less effort each. A first look at all of them together, the most probable map under a smooth prior, says where a
    cell sees anything: it is fitted in that window of the image, and its map is 0 outside. It is also where the
    fit starts. The evidence is climbed from one start alone and with fewer steps, and sums over time are taken in
    single precision. What a cell gets does not depend on the others in the call. For the full effort on a cell of
    interest give its spikes alone.

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
    n_history = check_steps(n_history, "n_history", "bins", least=0)
    shape = nonlinearity_named(nonlinearity)
    seen, size = check_stimulus(stimulus, n_lags)
    parts = three_parts(len(seen), split)
    cells = cells_of(spikes, parts)
    with torch.no_grad():
        fitted = _fit(seen, size, cells, parts, n_lags, n_history, max_rank, shape, began)
    settings = {"n_lags": n_lags, "n_history": n_history, "max_rank": max_rank, "nonlinearity": nonlinearity}
    found = [replace(field, settings=settings) if isinstance(field, ReceptiveField) else field for field in fitted]
    return cells.in_place(found) if cells.several else found[0]


def _fit(
    recorded: Tensor,
    size: tuple[int, int],
    cells: Cells,
    parts: list[slice],
    n_lags: int,
    n_history: int,
    max_rank: int,
    shape: Nonlinearity,
    began: float,
) -> list[ReceptiveField | UnfittedCell]:
    train = parts[0]
    mean, scale = recorded[train].mean(), recorded[train].std()
    if float(scale) == 0.0:
        raise FitError("The stimulus is constant in the training part.", "Give one that changes from the start.")
    stimulus = ((recorded - mean) / scale).T.contiguous().T  # the course of a pixel in one piece is quicker
    columns, many, whole = cells.counts.unbind(dim=1), cells.several, Window(0, size[0], 0, size[1])
    cropped = many or size[0] * size[1] > MOST_AT_ONCE
    looks = first_looks(stimulus[train], cells.counts[train], size, n_lags) if cropped else []
    stimulus = stimulus.float() if many else stimulus  # in half the time, and no filter is known to seven digits
    basis = raised_cosines(max(n_history, 2), BUMPS)[:n_history]
    found: list[ReceptiveField | UnfittedCell | None] = [None] * len(columns)
    drifts: dict[int, str] = {}

    def fit_cell(number: int) -> None:
        started = time.perf_counter()
        counts, window = columns[number], looks[number].window if cropped else whole
        window = window if many else window.grown(ROOM, size)
        history = lagged(counts, n_history, first=1) @ basis if n_history else counts.new_zeros(len(counts), 0)
        seen = window.cut(stimulus, size)
        problem = Problem(seen, counts, 0 * counts, history, window.size, n_lags, shape, LEAN if many else THOROUGH)
        with torch.inference_mode():  # which holds for one thread
            start = _start(problem, looks[number]) if many else None
            fitted, gained = _sum_of_parts(problem, parts, max_rank, start)
            rate = fitted.rate(problem)
        maps, errors = (
            window.put_back(torch.stack([getattr(c, name) for c in fitted.components]) / scale, size).numpy()
            for name in ("space", "space_error")
        )
        test, last = parts[2], fitted.components[-1]
        if said := drift_of(rate[test], counts[test]):
            drifts[number] = f"Cell {cells.numbers[number]}: {said}" if many else said
        found[number] = ReceptiveField(
            time_courses=torch.stack([c.time for c in fitted.components]).numpy(),
            maps=maps,
            map_errors=errors,
            history=(basis @ last.history).numpy() if n_history else basis.new_zeros(0).numpy(),
            offset=last.offset,
            stimulus_mean=float(mean),
            nonlinearity=shape.name,
            split=tuple(parts),
            scores={
                "validation bits/spike": gained,
                "test bits/spike": bits_per_spike(rate[test], counts[test]),
                "test correlation": correlation(rate[test], counts[test]),
            },
            seconds=time.perf_counter() - (started if many else began),
        )

    def try_cell(number: int) -> None:
        try:
            fit_cell(number)
        except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
            reason = f"The numbers of its fit got out of hand: {error}"
            if not many:
                raise FitError(reason, "Scale the stimulus to order 1, or take fewer lags.") from error
            found[number] = UnfittedCell(cells.numbers[number], reason)  # the others are not lost

    share_work(try_cell, [(number,) for number in range(len(columns))])
    if drifts:
        warn("\n".join(said for _, said in sorted(drifts.items())))
    tell_unfitted([field for field in found if isinstance(field, UnfittedCell)], len(columns))
    return [field for field in found if field is not None]


def _sum_of_parts(whole: Problem, parts: list[slice], max_rank: int, start: Component | None) -> tuple[_Sum, float]:
    """As many parts as the validation part is worth, fitted in the end to it too, and its score before."""
    train, validation, _ = parts
    training, known = (_part(whole, slice(0, part.stop)) for part in (train, validation))
    fitted = _Sum([fit_component(training, start or start_component(training))])
    rate = fitted.rate(known)
    gained = bits_per_spike(rate[validation], known.counts[validation])
    while len(fitted.components) < max_rank:
        if not whole.effort.tries_every_rank and not explains_too_little(training, rate[train]):
            break
        larger = fitted.with_component(training)
        if larger.bits(known, validation) < gained:
            break
        larger = larger.refitted(training)  # the others make room for it
        bits = larger.bits(known, validation)
        if bits < gained + WORTH:
            break
        fitted, gained, rate = larger, bits, larger.rate(known)
    return fitted.refitted(known), gained


def _start(problem: Problem, look: FirstLook) -> Component:
    offset = float(problem.shape.inverse(problem.counts.mean()))
    return Component(look.time, look.map, problem.history.new_zeros(problem.history.shape[1]), offset)


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
