"""Spike distances, intervals and folds against worked values and what they mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convis_core.errors import ConvisError
from convis_core.estimation import (
    block_bootstrap,
    correlation,
    folds,
    split_in_blocks,
    van_rossum_distance,
    victor_purpura_distance,
)

TRAINS = st.lists(st.floats(0, 1), max_size=8)


def test_worked_distances() -> None:
    assert victor_purpura_distance([0.1, 0.5], [0.2], cost=5.0) == pytest.approx(1.5)
    assert victor_purpura_distance([0.1], [0.9], cost=5.0) == pytest.approx(2.0)  # delete and add is cheaper
    assert victor_purpura_distance([0.1, 0.2, 0.3], [], cost=5.0) == 3.0
    assert van_rossum_distance([0.3], [], tau=0.01) == pytest.approx(0.5**0.5)
    assert van_rossum_distance([0.3], [0.9], tau=0.001) == pytest.approx(1.0)


def test_van_rossum_is_the_integral_it_says() -> None:
    a, b, tau, step = np.array([0.1, 0.15, 0.4]), np.array([0.12, 0.3]), 0.03, 1e-5
    t = np.arange(0, 1, step)
    f, g = (np.where(t >= x[:, None], np.exp(-(t - x[:, None]) / tau), 0.0).sum(axis=0) for x in (a, b))
    assert van_rossum_distance(a, b, tau) == pytest.approx(np.sqrt(((f - g) ** 2).sum() * step / tau), rel=1e-3)


@given(TRAINS, TRAINS, TRAINS)
def test_both_are_metrics(a: list[float], b: list[float], c: list[float]) -> None:
    for distance in (
        lambda x, y: victor_purpura_distance(x, y, cost=7.0),
        lambda x, y: van_rossum_distance(x, y, tau=0.1),
    ):
        assert distance(a, a) == pytest.approx(0.0, abs=1e-6)
        assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-6)
        assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-6


@given(TRAINS, TRAINS)
def test_without_a_cost_only_counts_differ(a: list[float], b: list[float]) -> None:
    assert victor_purpura_distance(a, b, cost=0.0) == abs(len(a) - len(b))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(600)
        y = 0.6 * x + 0.8 * rng.standard_normal(600)
        low, high = block_bootstrap(correlation, x, y, block=10, repeats=100, level=0.9, seed=seed)
        covered += low < 0.6 < high
    assert 45 <= covered <= 60


def test_an_interval_is_wider_where_neighbours_are_alike() -> None:
    rng = np.random.default_rng(0)
    slow = np.convolve(rng.standard_normal(2000), np.ones(50) / 50**0.5, mode="same")

    def mean(a: object, b: object) -> float:
        return float(np.mean(a))  # type: ignore[arg-type]

    def width(block: int) -> float:
        low, high = block_bootstrap(mean, slow, slow, block=block)
        return high - low

    assert width(200) > 3 * width(1)


@given(st.integers(20, 500), st.integers(2, 6), st.integers(0, 3))
def test_every_frame_is_tested_once_and_never_close_to_what_was_trained_on(length: int, count: int, gap: int) -> None:
    assume(length // count > gap)
    tested = np.zeros(length)
    for train, test in folds(length, count, gap):
        tested[test] += 1
        for part in train:
            assert part.stop + gap <= test.start or part.start >= test.stop + gap
    assert (tested == 1).all()


def test_a_gap_stands_before_every_part_but_the_first() -> None:
    assert split_in_blocks(100, (0.5, 0.5), gap=10) == [slice(0, 50), slice(60, 100)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: victor_purpura_distance([[1.0]], [], 1.0), "finite times"),
        (lambda: victor_purpura_distance([np.nan], [], 1.0), "finite times"),
        (lambda: victor_purpura_distance([1.0], [], -1.0), "at least 0"),
        (lambda: victor_purpura_distance([1.0], [], np.inf), "finite"),
        (lambda: victor_purpura_distance("a", [], 1.0), "finite times in s, got 'a'"),
        (lambda: van_rossum_distance([1.0], [], 0.0), "more than 0"),
        (lambda: block_bootstrap(correlation, np.ones(50), np.ones(50)), "at least 100 frames"),
        (lambda: block_bootstrap(correlation, np.ones(500), np.ones(500), level=2.0), "between 0 and 1"),
        (lambda: folds(10, 5, gap=3), "cannot be cut"),
        (lambda: split_in_blocks(10, (0.5, 0.5), gap=6), "too short"),
    ],
)
def test_bad_input_is_refused(call: object, says: str) -> None:
    with pytest.raises(ConvisError, match=says):
        call()  # type: ignore[operator]
