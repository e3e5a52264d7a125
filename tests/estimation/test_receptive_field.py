"""The recipe for receptive fields: the field's numbers, cells it has never met, and an honest split."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import convis_core as convis
from tests.estimation.cells import centre_surround, gabor, recorded, time_course

LIMITS = {"ln_poisson_white": (0.97, 0.66), "ln_poisson_natural": (0.96, 0.51), "glm_history": (0.98, 0.70)}


@pytest.mark.parametrize("name", LIMITS)
def test_the_recipe_finds_the_cells_of_the_reference(shared: Path, name: str) -> None:
    """The issue asks for 0.94, 0.75, 0.95 and 0.62, 0.40, 0.62 bits; reached are 0.98, 0.98, 0.99 and more bits."""
    cell = np.load(shared / "reference" / "fitting" / f"{name}.npz")
    found = convis.fit_receptive_field(cell["stimulus"], cell["spikes"])
    similarity, bits = LIMITS[name]
    assert np.corrcoef(found.filter.ravel(), cell["true_filter"].ravel())[0, 1] > similarity
    assert found.scores["test bits/spike"] > bits
    assert found.split == (slice(0, 4200), slice(4200, 4800), slice(4800, 6000))
    assert found.rank == 1
    if cell["true_history"].any():
        assert np.corrcoef(found.history, cell["true_history"])[0, 1] > 0.97
    else:
        assert np.abs(found.history).max() < 0.15  # no history is seen where there is none


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [gabor, centre_surround])
def test_it_finds_cells_of_other_places_sizes_and_gains(kind: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = time_course(rng, 8)[:, None, None] * kind(rng, 11)  # type: ignore[operator]
    cell = recorded(rng.standard_normal((4000, 11, 11)), field, rng.uniform(1.0, 1.8), rng.uniform(-2.0, -0.5), rng)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=8, n_history=0, max_rank=1)
    assert cell.similarity(found.filter) > 0.95
    test = slice(3200, 4000)
    best = convis.estimation.bits_per_spike(cell.rate[test], cell.spikes[test])
    assert found.scores["test bits/spike"] > 0.9 * best


def test_a_field_that_is_not_separable_gets_a_second_part() -> None:
    rng = np.random.default_rng(5)
    parts = [time_course(rng, 8, delay)[:, None, None] * gabor(rng, 9) for delay in (0, 3)]
    cell = recorded(rng.standard_normal((5000, 9, 9)), sum(p / np.linalg.norm(p) for p in parts), 1.8, -1.0, rng)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=8, n_history=0)
    assert found.rank == 2
    assert cell.similarity(found.filter) > 0.95


def test_the_test_part_changes_nothing_but_its_score() -> None:
    rng = np.random.default_rng(1)
    cell = recorded(rng.standard_normal((2000, 7, 7)), time_course(rng, 5)[:, None, None] * gabor(rng, 7), 1.5, -1, rng)
    other = cell.spikes.copy()
    other[1600:] = rng.permutation(other[1600:])
    first, second = (convis.fit_receptive_field(cell.stimulus, y, n_lags=5, n_history=3) for y in (cell.spikes, other))
    assert np.array_equal(first.filter, second.filter)
    assert first.scores["test bits/spike"] > second.scores["test bits/spike"]


def test_units_and_grey_level_of_the_stimulus_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    cell = recorded(rng.standard_normal((2000, 7, 7)), time_course(rng, 5)[:, None, None] * gabor(rng, 7), 1.5, -1, rng)
    plain = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5)
    grey = convis.fit_receptive_field(cell.stimulus * 40 + 128, cell.spikes, n_lags=5)
    np.testing.assert_allclose(grey.filter * 40, plain.filter, atol=1e-6)
    np.testing.assert_allclose(
        grey.predict(cell.stimulus * 40 + 128, cell.spikes), plain.predict(cell.stimulus, cell.spikes), atol=1e-5
    )


def test_the_prediction_is_the_one_that_was_scored() -> None:
    rng = np.random.default_rng(3)
    cell = recorded(rng.standard_normal((1500, 8, 8)), time_course(rng, 5)[:, None, None] * gabor(rng, 8), 1.5, -1, rng)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5, nonlinearity="exponential")
    rate = found.predict(cell.stimulus, cell.spikes)
    scored = convis.estimation.bits_per_spike(rate[1200:], cell.spikes[1200:])
    assert scored == pytest.approx(found.scores["test bits/spike"], abs=1e-9)
    assert "rank 1" in repr(found)


def test_the_error_of_the_filter_says_how_far_off_it_is() -> None:
    """About two thirds of the truth lie within one standard deviation, and nearly all within three."""
    off = []
    for seed in (41, 42, 43):
        rng = np.random.default_rng(seed)
        field = time_course(rng, 6)[:, None, None] * gabor(rng, 9)
        cell = recorded(rng.standard_normal((4000, 9, 9)), field, 1.5, -1.0, rng)
        found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=6, n_history=0, max_rank=1)
        course = int(np.abs(found.time_courses[0]).argmax())
        off.append(np.abs(found.filter - cell.drive_filter(1.5))[course] / found.filter_error[course])
    assert 0.5 < np.mean(np.array(off) < 1.0) < 0.85
    assert np.mean(np.array(off) < 3.0) > 0.95


STIMULUS = np.random.default_rng(0).standard_normal((400, 4, 4))
SPIKES = np.random.default_rng(1).poisson(0.5, 400)


@pytest.mark.parametrize(
    ("stimulus", "spikes", "options", "says"),
    [
        (STIMULUS, SPIKES[:-3], {}, "equally long, got 400 frames and 397 bins"),
        (STIMULUS, SPIKES - 1, {}, "whole numbers of at least 0, got -1"),
        (STIMULUS, SPIKES + 0.5, {}, "whole numbers"),
        (STIMULUS, SPIKES * 0, {}, "no spikes"),
        (STIMULUS, SPIKES * np.nan, {}, "NaN"),
        (np.where(STIMULUS > 3, np.inf, STIMULUS), SPIKES, {}, "infinite"),
        (STIMULUS * 0 + 2, SPIKES, {}, "constant"),
        (STIMULUS, SPIKES, {"n_lags": 150}, "150 lags is too long"),
        (STIMULUS, SPIKES, {"n_lags": 2.5}, "n_lags"),
        (STIMULUS, SPIKES, {"split": (0.5, 0.2)}, "three shares"),
        (STIMULUS, SPIKES, {"split": (0.5, 0.2, 0.1)}, "add up to 1"),
        (STIMULUS, SPIKES, {"nonlinearity": "cubic"}, "softplus, exponential"),
        (STIMULUS, np.where(np.arange(400) < 320, SPIKES, 0), {}, "no spike in the test part"),
        (STIMULUS[:, None, None], SPIKES, {}, "one channel"),
        (STIMULUS, np.stack([SPIKES, SPIKES]), {}, r"got \[2, 400\] for 400 frames"),
        (STIMULUS, np.stack([SPIKES, -SPIKES], 1), {}, "Cell 1: Spike counts must be whole"),
        (STIMULUS, SPIKES * 0 + 1, {}, "count is 1 in every bin"),
        (STIMULUS, np.zeros((400, 0)), {}, r"\[time, cell\], got \[400, 0\]"),
        (STIMULUS, np.ones((2, 2, 400)), {}, "one cell are"),
        (np.ones((400, 50, 50)) * np.arange(400)[:, None, None], SPIKES, {}, "at most 1600"),
    ],
)
def test_bad_input_is_refused_with_its_reason(stimulus: object, spikes: object, options: dict, says: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(convis.ConvisError, match=says):
        convis.fit_receptive_field(stimulus, spikes, **options)


def test_few_spikes_are_told() -> None:
    spikes = np.zeros(400)
    spikes[::20] = 1
    with pytest.warns(UserWarning, match="only 20 spikes"):
        found = convis.fit_receptive_field(STIMULUS, spikes, n_lags=3)
    assert np.isfinite(found.filter).all()


@pytest.mark.parametrize("rare", [0, 1])
def test_few_spikes_of_one_of_several_cells_are_told_once_with_its_number(rare: int) -> None:
    cells = np.stack([SPIKES, SPIKES], 1)
    cells[:, rare] = np.arange(400) % 20 == 0
    with pytest.warns(UserWarning) as told:
        convis.fit_receptive_field(STIMULUS, cells, n_lags=3)
    assert [str(one.message).split(" spikes")[0] for one in told] == [f"Cell {rare}: There are only 20"]


def test_a_cell_in_a_large_image_is_fitted_only_where_it_sees() -> None:
    """For 30 x 30 pixels it took a minute of processor time to fit all of them."""
    rng = np.random.default_rng(5)
    field = np.zeros((3, 30, 30))
    field[:, 9:16, 19:26] = time_course(rng, 3)[:, None, None] * centre_surround(rng, 7)
    cell = recorded(rng.standard_normal((3000, 30, 30)), field, 1.5, -1.0, rng)
    began = time.process_time()
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=3, n_history=0)
    assert time.process_time() - began < 10
    assert np.corrcoef(found.filter.ravel(), field.ravel())[0, 1] > 0.95
    unseen = (found.maps == 0).all(axis=0)
    assert found.filter.shape == field.shape and unseen.mean() > 0.5 and not field[:, unseen].any()


def test_many_cells_in_one_call_are_those_of_a_call_each() -> None:
    rng = np.random.default_rng(8)
    movie = rng.standard_normal((4000, 11, 11))
    fields = [time_course(rng, 6)[:, None, None] * kind(rng, 11) for kind in (gabor, centre_surround, gabor)]
    cells = [recorded(movie, field, 1.5, -1.0, rng) for field in fields]
    together = convis.fit_receptive_field(movie, np.stack([c.spikes for c in cells], axis=1), n_lags=6, max_rank=1)
    assert len(together) == 3
    for cell, found in zip(cells, together, strict=True):
        alone = convis.fit_receptive_field(movie, cell.spikes, n_lags=6, max_rank=1)
        assert np.corrcoef(found.filter.ravel(), alone.filter.ravel())[0, 1] > 0.97
        assert found.scores["test bits/spike"] > 0.9 * alone.scores["test bits/spike"]
        assert found.filter.shape == alone.filter.shape
        scored = convis.estimation.bits_per_spike(found.predict(movie, cell.spikes)[3200:], cell.spikes[3200:])
        assert scored == pytest.approx(found.scores["test bits/spike"], abs=1e-6)  # fitted in single precision


def test_many_cells_are_fitted_where_a_stimulus_says_nothing_of_most_directions() -> None:
    """A blurred film with a bright pixel and one that is a copy: also in single precision all is found."""
    rng = np.random.default_rng(10)
    waves = np.exp(-0.5 * np.square((np.arange(12)[:, None] - np.arange(12)) / 2.5))
    film = np.einsum("txy,xa,yb->tab", rng.standard_normal((2500, 12, 12)), waves, waves)
    cells = [recorded(film, time_course(rng, 4)[:, None, None] * centre_surround(rng, 12), 1.5, -1, rng) for _ in "ab"]
    film = film / film.std() + 3.0
    film[:, 0, 0] *= 100
    film[:, 0, 1] = film[:, 1, 1]
    found = convis.fit_receptive_field(film, np.stack([c.spikes for c in cells], 1), n_lags=4, n_history=3, max_rank=2)
    for field, cell in zip(found, cells, strict=True):
        assert np.isfinite(field.filter).all() and np.isfinite(field.map_errors).all()
        best = convis.estimation.bits_per_spike(cell.rate[2000:], cell.spikes[2000:])
        assert field.scores["test bits/spike"] > 0.85 * best


def test_the_others_in_a_call_change_nothing_of_a_cell() -> None:
    rng = np.random.default_rng(9)
    movie = rng.standard_normal((2000, 9, 9))
    fields = [time_course(rng, 5)[:, None, None] * kind(rng, 9) for kind in (gabor, centre_surround, gabor)]
    spikes = np.stack([recorded(movie, field, 1.5, -1.0, rng).spikes for field in fields], axis=1)
    pair = convis.fit_receptive_field(movie, spikes[:, :2], n_lags=5, n_history=4)
    turned = convis.fit_receptive_field(movie, spikes[:, ::-1], n_lags=5, n_history=4)
    for one, other in zip(pair, turned[:0:-1], strict=True):
        np.testing.assert_allclose(one.filter, other.filter, atol=1e-8)
        np.testing.assert_allclose(one.history, other.history, atol=1e-8)
        assert one.scores["test bits/spike"] == pytest.approx(other.scores["test bits/spike"], abs=1e-8)


def test_a_second_part_is_found_among_many_cells() -> None:
    rng = np.random.default_rng(5)
    parts = [time_course(rng, 8, delay)[:, None, None] * gabor(rng, 9) for delay in (0, 3)]
    movie = rng.standard_normal((5000, 9, 9))
    mixed = recorded(movie, sum(p / np.linalg.norm(p) for p in parts), 1.8, -1.0, rng)
    plain = recorded(movie, parts[0], 1.8, -1.0, rng)
    found = convis.fit_receptive_field(movie, np.stack([mixed.spikes, plain.spikes], 1), n_lags=8, n_history=0)
    assert [field.rank for field in found] == [2, 1]
    assert mixed.similarity(found[0].filter) > 0.93
