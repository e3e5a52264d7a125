"""The way of a fit can be walked back, branched from and scored."""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.errors import ConvisError
from convis_core.loops.trajectory import Trajectory

STIMULUS, RESPONSE = convis.samples.generate_sample_data(size=(80, 8, 8), seed=1)


def make_model(optimizer: str = "Adam") -> convis.models.LN:
    torch.manual_seed(0)
    model = convis.models.LN(kernel_dim=(6, 5, 5))
    getattr(model.set_optimizer, optimizer)(lr=1e-5 if optimizer == "SGD" else 0.01)
    return model


def values(model: convis.models.LN) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [p.detach().numpy().copy() for p in model.parameters()]


def same(a: list[object], b: list[object]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("every", [1, 3, 100])
def test_every_step_comes_back_exactly(every: int) -> None:
    model = make_model()
    way, seen = Trajectory(model, keyframe_every=every), [values(model)]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=2)):
        seen.append(values(model))
    assert way.steps == list(range(9)) and len(way.losses) == 8
    assert all(same(way.at(step), seen[step]) for step in range(9))


def test_a_branch_goes_on_from_where_it_left() -> None:
    model = make_model("SGD")
    way, seen = Trajectory(model), []
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=80, epochs=4)):
        seen.append(values(model))
    losses = list(way.losses)
    way.branch(2)
    assert same(values(model), seen[1]) and way.losses == losses[:2]
    list(way.follow(model.fit(STIMULUS, RESPONSE, dt=80, epochs=2)))
    assert way.losses == losses and same(values(model), seen[3])


def test_a_branch_between_records_goes_on_from_the_record_before() -> None:
    """What is counted, and what is recorded from then on, belongs to the parameters that were set."""
    model = make_model()
    way = Trajectory(model, keyframe_every=4, max_bytes=10_000)
    list(way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=10)))
    between = way.steps[3] - 1
    assert between not in way.steps
    before = way.at(between)
    way.branch(between)
    assert len(way.losses) == way.steps[-1] == way.steps[2]
    assert all(torch.equal(p, value) for p, value in zip(model.parameters(), before, strict=True))
    loss = model.compute_loss(STIMULUS[:20], RESPONSE[:20]).sum()
    model.set_optimizer.LBFGS(max_iter=2)
    next(iter(way.follow(model.fit(STIMULUS[:20], RESPONSE[:20]))))
    assert way.losses[way.steps[2]] == loss


@pytest.mark.parametrize("optimizer", ["Adam", "LBFGS"])
def test_a_branch_may_go_on_with_another_optimiser(optimizer: str) -> None:
    """And does so as a model would that had never been anywhere else."""
    model, other = make_model("SGD"), make_model("SGD")
    way = Trajectory(model)
    list(way.follow(model.fit(STIMULUS, RESPONSE, dt=40, epochs=3)))
    list(other.fit(STIMULUS, RESPONSE, dt=40, epochs=1))
    way.branch(2)
    for fitted in (model, other):
        getattr(fitted.set_optimizer, optimizer)(lr=0.01)
    steps = list(way.follow(model.fit(STIMULUS, RESPONSE, dt=40, epochs=2)))
    assert way.losses[2:] == [step.loss for step in other.fit(STIMULUS, RESPONSE, dt=40, epochs=2)]
    assert same(values(model), values(other)) and same(way.at(2 + len(steps)), values(model))


def test_memory_is_bounded_and_what_is_kept_stays_exact() -> None:
    model = make_model()
    way, seen = Trajectory(model, keyframe_every=4, max_bytes=10_000), [values(model)]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=10)):
        seen.append(values(model))
        assert way.n_bytes <= 10_000
    assert 3 <= len(way.steps) < 41 and len(way.losses) == 40
    assert all(same(way.at(step), seen[step]) for step in way.steps)
    assert same(way.at(39), seen[[s for s in way.steps if s <= 39][-1]])
    with pytest.raises(ConvisError, match="has made 40 updates"):
        way.at(41)


def test_a_way_is_scored_afterwards_as_it_was_scored_on_it() -> None:
    model = make_model("Adam")
    way = Trajectory(model)

    def score() -> float:
        return float(model.compute_loss(STIMULUS[:40], RESPONSE[:40]).sum())

    seen = [score()]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=2)):
        seen.append(score())
    own = [parameter.detach().clone() for parameter in model.parameters()]
    assert way.evaluate(score) == dict(zip(way.steps, seen, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(own, model.parameters(), strict=True))
    with pytest.raises(ZeroDivisionError):
        way.evaluate(lambda: 1 / 0)
    with pytest.raises(ConvisError, match=r"one number.*sum\(\)"):
        way.evaluate(lambda: model.compute_loss(STIMULUS, RESPONSE, dt=20))
    assert list(way.evaluate(lambda: model.compute_loss(STIMULUS, RESPONSE))) == way.steps
    assert all(torch.equal(a, b) for a, b in zip(own, model.parameters(), strict=True))


class Update(NamedTuple):
    """All that a trajectory asks of a step."""

    loss: float = 1.0


def record(n_steps: int, **options: int) -> tuple[Trajectory, float]:
    """Way of a model of few numbers through so many steps, and the processor time that recording it took."""
    neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron()
    way, began = Trajectory(neuron, **options), time.process_time()
    for _ in way.follow(Update() for _ in range(n_steps)):
        neuron.g_L.data += 1e-3
    return way, time.process_time() - began


def test_a_step_late_in_a_long_fit_takes_no_longer_than_an_early_one() -> None:
    short = min(record(500)[1] for _ in range(3))
    long = min(record(8000)[1] for _ in range(2))
    assert long < 3 * 16 * short  # 16 times the steps


def test_memory_is_bounded_for_a_model_of_few_numbers() -> None:
    """Of which the numbers are the least part of what is kept."""
    way, _ = record(3000, max_bytes=100_000)
    held = sum(sys.getsizeof(part) for pair in way._records.values() for part in (pair, *pair))
    assert held < 100_000 and way.n_bytes <= 100_000 and len(way.steps) > 100
