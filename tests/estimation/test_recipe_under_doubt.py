"""The recipe as a sceptic sees it: what it may look at, other cells, symmetries, extremes, and predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import convis_core as convis
from convis_core.estimation import ReceptiveField, bits_per_spike
from convis_core.estimation.nonlinearity import NONLINEARITIES
from convis_core.ops.lags import delayed_sum, lagged
from tests.estimation.cells import Cell, centre_surround, filtered, gabor, recorded, time_course


def cell_of(seed: int, size: int = 7, frames: int = 2000, lags: int = 5, gain: float = 1.5, offset: float = -1) -> Cell:
    rng = np.random.default_rng(seed)
    field = time_course(rng, lags)[:, None, None] * gabor(rng, size)
    return recorded(rng.standard_normal((frames, size, size)), field, gain, offset, rng)


def known(history: Any = (), nonlinearity: str = "softplus") -> ReceptiveField:
    """A field that was not fitted, so that what it predicts can be worked out by hand."""
    rng = np.random.default_rng(9)
    return ReceptiveField(
        time_courses=rng.standard_normal((2, 3)),
        maps=rng.standard_normal((2, 4, 5)),
        map_errors=np.ones((2, 4, 5)),
        history=np.asarray(history, dtype=float),
        offset=-0.5,
        stimulus_mean=2.0,
        nonlinearity=nonlinearity,
        split=(slice(0, 7), slice(7, 8), slice(8, 10)),
        scores={},
        seconds=0.0,
    )


# What the fit may look at -----------------------------------------------------------------------


def test_the_stimulus_of_the_test_part_changes_no_choice() -> None:
    """Neither its values nor its scale enter the fit: not through the mean, the scale or the prior."""
    cell = cell_of(101)
    other = cell.stimulus.copy()
    other[1600:] = 50 + 30 * np.random.default_rng(0).standard_normal(other[1600:].shape)
    first = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5, n_history=3)
    with pytest.warns(UserWarning, match="in the test part, where .* were expected"):
        second = convis.fit_receptive_field(other, cell.spikes, n_lags=5, n_history=3)
    assert np.array_equal(first.filter, second.filter)
    assert np.array_equal(first.history, second.history)
    assert (first.offset, first.rank, first.stimulus_mean) == (second.offset, second.rank, second.stimulus_mean)
    assert first.scores["validation bits/spike"] == second.scores["validation bits/spike"]


def test_spikes_without_a_cause_score_nothing() -> None:
    """A cell that does not see the stimulus gives no bits; a recipe that had seen the test part would find some."""
    rng = np.random.default_rng(102)
    found = convis.fit_receptive_field(rng.standard_normal((2000, 6, 6)), rng.poisson(0.5, 2000), n_lags=4)
    assert found.scores["test bits/spike"] < 0.02
    assert abs(found.scores["test correlation"]) < 0.12


def test_no_fit_beats_the_true_rate_by_more_than_chance() -> None:
    cell = cell_of(103)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5, n_history=0)
    best = bits_per_spike(cell.rate[1600:], cell.spikes[1600:])
    assert 0.85 * best < found.scores["test bits/spike"] < best + 0.03


@pytest.mark.parametrize(
    ("seed", "kind", "size", "lags", "gain", "offset"),
    [
        (201, gabor, (9, 13), 6, 1.0, -0.5),
        (202, centre_surround, (13, 9), 12, 2.0, -2.0),
        (203, gabor, (8, 8), 3, 2.5, 0.5),
        (204, centre_surround, (10, 10), 9, 1.2, 1.0),
    ],
)
def test_oblong_images_other_lengths_and_loud_cells(
    seed: int, kind: Any, size: tuple[int, int], lags: int, gain: float, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    field = time_course(rng, lags)[:, None, None] * kind(rng, min(size))
    wide = np.zeros((lags, *size))
    wide[:, -min(size) :, -min(size) :] = field  # towards the far corner: x and y must not be mixed up
    cell = recorded(rng.standard_normal((3500, *size)), wide, gain, offset, rng)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=lags, n_history=0, max_rank=1)
    assert found.filter.shape == (lags, *size)
    assert cell.similarity(found.filter) > 0.93
    drive = filtered(cell.stimulus, found.filter)
    assert drive.std() == pytest.approx(gain, rel=0.2)


def test_a_mirrored_stimulus_gives_the_mirrored_field() -> None:
    cell = cell_of(104, size=8)
    plain = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5, n_history=0, max_rank=1)
    turned = convis.fit_receptive_field(cell.stimulus[:, ::-1].copy(), cell.spikes, n_lags=5, n_history=0, max_rank=1)
    assert np.corrcoef(plain.filter.ravel(), turned.filter[:, ::-1].ravel())[0, 1] > 0.995


# Extremes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", ["softplus", "exponential"])
def test_huge_counts_are_fitted_too(nonlinearity: str) -> None:
    """A thousand spikes a bin and more: the drive that gives them must not overflow on the way."""
    rng = np.random.default_rng(105)
    stimulus = rng.standard_normal((600, 5, 5))
    drive = 0.2 * filtered(stimulus, np.ones((1, 1, 1)) * np.eye(5)[2][:, None] * np.eye(5)[3])
    spikes = rng.poisson(2000 * np.exp(drive))
    found = convis.fit_receptive_field(stimulus, spikes, n_lags=2, n_history=0, nonlinearity=nonlinearity, max_rank=1)
    assert np.isfinite(found.filter).all()
    assert np.unravel_index(np.abs(found.filter).argmax(), found.filter.shape) == (0, 2, 3)


@settings(deadline=None)
@given(st.floats(1e-6, 1e6), st.sampled_from(sorted(NONLINEARITIES)))
def test_the_inverse_of_a_nonlinearity_undoes_it(rate: float, name: str) -> None:
    shape = NONLINEARITIES[name]
    wanted = torch.tensor(rate, dtype=torch.float64)
    assert float(shape.rate(shape.inverse(wanted))) == pytest.approx(rate, rel=1e-6)


@given(st.floats(-15.0, 15.0), st.integers(0, 20), st.sampled_from(sorted(NONLINEARITIES)))
def test_newton_terms_are_the_slope_of_the_likelihood_and_no_negative_curvature(u: float, y: int, name: str) -> None:
    shape, counts = NONLINEARITIES[name], torch.tensor([float(y)], dtype=torch.float64)
    drive = torch.tensor([u], dtype=torch.float64, requires_grad=True)
    rate = shape.rate(drive)
    (counts * rate.log() - rate).sum().backward()
    slope, curvature = shape.newton_terms(drive.detach(), counts)
    assert float(slope) == pytest.approx(float(drive.grad), rel=1e-6, abs=1e-9)  # type: ignore[arg-type]
    assert float(curvature) >= 0


def test_one_spike_only_is_refused_by_the_part_that_has_none() -> None:
    spikes = np.zeros(300)
    spikes[50] = 1
    stimulus = np.random.default_rng(0).standard_normal((300, 4, 4))
    with pytest.raises(convis.ConvisError, match="no spike in the validation part, bins 210 to 239"):
        convis.fit_receptive_field(stimulus, spikes, n_lags=3)


def test_a_stimulus_that_is_constant_while_trained_is_refused() -> None:
    stimulus = np.random.default_rng(0).standard_normal((300, 4, 4))
    stimulus[:210] = 1.0
    with pytest.raises(convis.ConvisError, match="constant in the training part"):
        convis.fit_receptive_field(stimulus, np.arange(300) % 2, n_lags=3)


# Predictions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", ["softplus", "exponential"])
def test_a_prediction_is_the_equation_of_the_model(nonlinearity: str) -> None:
    field = known(nonlinearity=nonlinearity)
    stimulus = 0.3 * np.random.default_rng(1).standard_normal((12, 4, 5)) + 2.0
    drive = filtered(stimulus - 2.0, field.filter) - 0.5
    wanted = np.exp(drive) if nonlinearity == "exponential" else np.logaddexp(0, drive)
    np.testing.assert_allclose(field.predict(stimulus), wanted, rtol=1e-6)


def test_a_grey_screen_is_answered_by_the_offset() -> None:
    rate = known().predict(np.full((6, 4, 5), 2.0))
    np.testing.assert_allclose(rate, np.log1p(np.exp(-0.5)))


def test_a_cell_that_has_not_fired_yet_is_predicted_in_silence() -> None:
    """Few spikes are bad for a fit only; a prediction may start from none, and says nothing of it."""
    silent = known(history=[-3.0, -1.0])
    stimulus = np.random.default_rng(2).standard_normal((8, 4, 5))
    np.testing.assert_allclose(silent.predict(stimulus, np.zeros(8)), known().predict(stimulus))


def test_a_spike_changes_the_bins_after_it_only() -> None:
    field, grey, spikes = known(history=[-3.0, -1.0]), np.full((8, 4, 5), 2.0), np.zeros(8)
    spikes[3] = 2
    drive = np.full(8, -0.5)
    drive[4:6] += [-6.0, -2.0]
    np.testing.assert_allclose(field.predict(grey, spikes), np.logaddexp(0, drive))


def test_predictions_that_cannot_be_made_are_refused() -> None:
    field, grey = known(history=[-1.0]), np.full((8, 4, 5), 2.0)
    for spikes, says in (
        (None, "past spikes are part of the model"),
        (np.zeros(7), "8 frames and 7 bins"),
        (np.full(8, -1.0), "whole numbers of at least 0, got -1"),
        (np.full(8, np.nan), "NaN"),
    ):
        with pytest.raises(convis.ConvisError, match=says):
            field.predict(grey, spikes)
    with pytest.raises(convis.ConvisError, match="4x5 pixels, the stimulus 5x4"):
        field.predict(np.ones((8, 5, 4)), np.zeros(8))


# The past as columns ----------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 15), st.integers(0, 3), st.integers(0, 1000))
def test_columns_of_the_past_are_what_was_that_long_ago(length: int, lags: int, first: int, seed: int) -> None:
    signal = torch.from_numpy(np.random.default_rng(seed).standard_normal(length))
    columns = lagged(signal, lags, first)
    for t in range(length):
        for k in range(lags):
            assert columns[t, k] == (signal[t - first - k] if t >= first + k else 0.0)
    weights = torch.from_numpy(np.random.default_rng(seed + 1).standard_normal(lags))
    torch.testing.assert_close(delayed_sum(signal[:, None], weights)[:, 0], lagged(signal, lags) @ weights)
