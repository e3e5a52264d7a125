"""Fit one space-time separable filter, space and time by turns, each by Newton steps under its prior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.evidence import (
    PseudoData,
    log_evidence,
    maximise_evidence,
    posterior_covariance,
    pseudo_data,
    times,
)
from convis_core.estimation.nonlinearity import Nonlinearity
from convis_core.estimation.priors import LocalStripes, Prior, SmoothInTime
from convis_core.ops.lags import delayed_sum, lagged, triggered_sum

__all__ = ["LEAN", "THOROUGH", "Component", "Effort", "Problem", "fit_component", "start_component"]

SETTLED: Final = 5e-3
"""Change of the filter, as a share of its norm, below which it counts as settled."""


@dataclass(frozen=True)
class Effort:
    """How long a fit goes on.

    Attributes
    ----------
    rounds, later_rounds : int
        Turns of space and time after which it ends, settled or not, at first and on from a former fit;
        two or three are the rule.
    promises : int
        Starts for which the evidence of a map's prior is computed: those that look best at first sight.
    climbs : int
        Starts, the most promising of these, from which it is climbed.
    first_steps, later_steps : int
        Steps of such a climb at most, from a start and later.
    newton_steps : int
        Newton steps a turn, with one more for a map of which nothing is known yet.
    tries_every_rank : bool
        Whether a further part is fitted even where nothing seems to be left for it.
    """

    rounds: int = 6
    later_rounds: int = 6
    promises: int = 19
    climbs: int = 2
    first_steps: int = 25
    later_steps: int = 8
    newton_steps: int = 2
    tries_every_rank: bool = True


THOROUGH: Final = Effort()
LEAN: Final = Effort(
    rounds=1,
    later_rounds=1,
    promises=4,
    climbs=1,
    first_steps=6,
    later_steps=2,
    newton_steps=1,
    tries_every_rank=False,
)


@dataclass(frozen=True)
class Problem:
    """Everything a fit of one component stands on.

    Attributes
    ----------
    stimulus : Tensor, shape [time, pixel]
    counts, fixed : Tensor, shape [time]
        Spike counts; drive that comes from other components.
    history : Tensor, shape [time, basis]
        Past spikes in their basis; no columns where there is no history.
    size : (int, int)
    n_lags : int
    shape : Nonlinearity
    effort : Effort
    """

    stimulus: Tensor
    counts: Tensor
    fixed: Tensor
    history: Tensor
    size: tuple[int, int]
    n_lags: int
    shape: Nonlinearity
    effort: Effort = THOROUGH


@dataclass
class Component:
    """One separable filter in the course of being fitted; the time course has unit norm."""

    time: Tensor
    space: Tensor
    history: Tensor
    offset: float
    hyper_space: Tensor | None = None
    hyper_time: Tensor | None = None
    seen_by: tuple[LocalStripes, PseudoData] | None = None

    @property
    def space_error(self) -> Tensor:
        """Standard deviation of the map, from the curvature of the last step."""
        assert self.seen_by is not None and self.hyper_space is not None
        prior, data = self.seen_by
        covariance = posterior_covariance(data, prior.at(self.hyper_space)[0])
        return covariance.diagonal().clamp_min(0.0).sqrt()

    def filter(self) -> Tensor:
        """The filter, ``[lag, pixel]``."""
        return self.time[:, None] * self.space

    def drive(self, stimulus: Tensor) -> Tensor:
        """What the filter adds to the drive, ``[time]``."""
        return delayed_sum(times(stimulus, self.space)[:, None], self.time)[:, 0]


def fit_component(problem: Problem, start: Component) -> Component:
    """Fit one component, from `start_component`, a first look, or on from a former fit."""
    found, effort = replace(start), problem.effort
    space, time = _SpaceStep(problem), _TimeStep(problem)
    blank, known = not bool(found.space.any()), found.hyper_space is not None
    if not blank and not known:
        time.apply(found, effort.newton_steps)
    for round_number in range(effort.later_rounds if known else effort.rounds):
        before = found.filter()
        space.apply(found, effort.newton_steps + (blank and round_number == 0))
        time.apply(found, effort.newton_steps)
        if float((found.filter() - before).norm()) <= SETTLED * float(before.norm()):
            break
    return found


def start_component(problem: Problem, history: Tensor | None = None, offset: float | None = None) -> Component:
    """Time course of the smoothed spike-triggered average of what is unexplained; the map comes with the fit."""
    nx, ny = problem.size
    empty = problem.counts.new_zeros
    history = empty(problem.history.shape[1]) if history is None else history
    offset = float(problem.shape.inverse(problem.counts.mean())) if offset is None else offset
    excess = problem.counts - problem.shape.rate(problem.fixed + problem.history @ history + offset)
    average = triggered_sum(excess.to(problem.stimulus.dtype), problem.stimulus, problem.n_lags).to(excess.dtype)
    blurred = torch.nn.functional.conv2d(average.reshape(-1, 1, nx, ny), _BLUR, padding="same")
    time, _, _ = torch.linalg.svd(blurred.reshape(problem.n_lags, -1), full_matrices=False)
    return Component(time[:, 0], empty(nx * ny), history, offset)


_PROFILE = torch.exp(-0.5 * (torch.arange(-3, 4).double() / 1.2).square())
_BLUR = (_PROFILE[:, None] * _PROFILE / _PROFILE.sum() ** 2)[None, None]


class _SpaceStep:
    """Newton steps for the map in space, its prior found by the evidence."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.prior: LocalStripes | None = None

    def apply(self, found: Component, newton_steps: int) -> None:
        problem, effort = self.problem, self.problem.effort
        design = delayed_sum(problem.stimulus, found.time)
        if self.prior is None:
            power = float(torch.linalg.vector_norm(design)) ** 2 / len(design)
            self.prior = LocalStripes(problem.size, 4.0 / max(power, torch.finfo(torch.float64).tiny))
        rest = problem.fixed + problem.history @ found.history
        for _ in range(newton_steps):
            drive = times(design, found.space) + rest + found.offset
            data = pseudo_data(design, found.space, drive, problem.counts, problem.shape)
            if found.hyper_space is None:
                found.hyper_space, weights = self._search(self.prior, data)
            else:
                found.hyper_space, weights, _ = maximise_evidence(
                    self.prior, data, found.hyper_space, max_steps=effort.later_steps
                )
            found.space, found.offset = _moved(problem, design, rest, data, weights, found.space, found.offset)
            found.seen_by = self.prior, data

    def _search(self, prior: LocalStripes, data: PseudoData) -> tuple[Tensor, Tensor]:
        """Climb from the most promising of many starts."""
        effort = self.problem.effort
        score = data.pull.square().reshape(1, 1, *self.problem.size)
        near = torch.nn.functional.conv2d(score, torch.ones(1, 1, 5, 5, dtype=score.dtype), padding="same")
        starts = prior.starts(prior.pixels[int(near.argmax())])
        sight = prior.first_sight(torch.stack(starts), data.pull, data.information)
        seen = _largest(sight.tolist(), effort.promises)
        promise = [log_evidence(data, prior.at(starts[k])[0]) - _penalty(prior, starts[k]) for k in seen]
        best = [seen[k] for k in _largest(promise, effort.climbs)]
        climbed = [maximise_evidence(prior, data, starts[k], max_steps=effort.first_steps) for k in best]
        hyper, weights, _ = max(climbed, key=lambda result: result[2])
        return hyper, weights


class _TimeStep:
    """Newton steps for the time course and the spike history together."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.prior = SmoothInTime(problem.n_lags, problem.history.shape[1])

    def apply(self, found: Component, newton_steps: int) -> None:
        problem, n = self.problem, self.problem.n_lags
        norm = float(found.space.norm())
        if norm == 0.0:  # the prior has shrunk the map away: there is nothing to find a time course for
            return
        design = torch.cat([lagged(times(problem.stimulus, found.space / norm), n), problem.history], dim=1)
        weights = torch.cat([found.time * norm, found.history])
        hyper = self.prior.expected if found.hyper_time is None else found.hyper_time
        for _ in range(newton_steps):
            drive = design @ weights + problem.fixed + found.offset
            data = pseudo_data(design, weights, drive, problem.counts, problem.shape)
            hyper, new, _ = maximise_evidence(self.prior, data, hyper, max_steps=problem.effort.later_steps)
            weights, found.offset = _moved(problem, design, problem.fixed, data, new, weights, found.offset)
        found.hyper_time, found.history = hyper, weights[n:]
        size = float(weights[:n].norm())
        found.time, found.space = weights[:n] / size, found.space * (size / norm)


def _largest(values: list[float], count: int) -> list[int]:
    return sorted(range(len(values)), key=lambda k: -values[k])[:count]


def _penalty(prior: Prior, hyper: Tensor) -> float:
    return 0.5 * float(((hyper - prior.expected) / prior.spread).square().sum())


def _moved(
    problem: Problem, design: Tensor, rest: Tensor, data: PseudoData, new: Tensor, old: Tensor, offset: float
) -> tuple[Tensor, float]:
    """Weights and offset after a Newton step, halved while it explains the spikes worse than a constant rate."""

    def explained(weights: Tensor, offset: float) -> float:
        return problem.shape.log_likelihood(times(design, weights) + rest + offset, problem.counts)

    mean = problem.counts.mean()
    constant, share = float(len(problem.counts) * (mean * mean.log() - mean)), 1.0
    while share > 1e-3:
        weights = old + share * (new - old)
        moved = offset + share * data.offset_change(new)
        now = explained(weights, moved)
        if now >= constant or now >= explained(old, offset):
            return weights, moved
        share /= 2
    return old, offset
