"""What is no recording, no number and no function is refused by name, with what to give instead."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import estimation
from convis_core.estimation import KernelBasis, ReceptiveField

RNG = np.random.default_rng(0)
MOVIE = RNG.standard_normal((400, 4, 4))
SPIKES = RNG.poisson(np.exp(MOVIE[:, 1, 2] - 1))
U = MOVIE[:, 1, 2]


@pytest.fixture(scope="module")
def field() -> ReceptiveField:
    found: ReceptiveField = estimation.estimate_filter(MOVIE, SPIKES, "sta", n_lags=2)
    return found


def model() -> convis.models.L:
    made = convis.models.L(kernel_dim=(2, 3, 3), population=False)
    made.set_optimizer.Adam(lr=0.01)
    return made


NO_COUNTS = [
    ("text", "abc", "got str"),
    ("nothing", None, "got NoneType"),
    ("words", np.array(["a"] * 400), "dtype <U1"),
    ("complex", SPIKES + 0j, "dtype complex128"),
    ("uneven rows", [[1, 2], [3]], "rows equally long"),
    ("NaN", np.full(400, np.nan), "400 values that are NaN"),
    ("rate", SPIKES + 0.5, "whole numbers"),
    ("times in s", np.sort(RNG.uniform(0, 10, 400)), "whole numbers.*in bin 0"),
    ("beyond counting", SPIKES * 1e300, r"At most 1e\+09 spikes in a bin can be fitted, got .*e\+30"),
]


@pytest.mark.parametrize(("what", "spikes", "says"), NO_COUNTS, ids=[row[0] for row in NO_COUNTS])
def test_what_is_no_count_is_refused_wherever_spikes_are_taken(
    field: ReceptiveField, what: str, spikes: Any, says: str
) -> None:
    for use in (
        lambda: convis.fit_receptive_field(MOVIE, spikes, n_lags=2),
        lambda: estimation.estimate_filter(MOVIE, spikes, "spline", n_lags=2),
        lambda: estimation.FitReport.of(field, MOVIE, spikes),
        lambda: estimation.learning_curve(field, MOVIE, spikes),
        lambda: estimation.estimate_nonlinearity(U, spikes),
    ):
        with pytest.raises(convis.ConvisError, match=says):
            use()


@pytest.mark.parametrize(
    "given",
    [
        SPIKES.tolist(),
        SPIKES.astype(float),
        SPIKES.astype(np.float16),
        SPIKES.astype(np.uint64),
        torch.tensor(SPIKES),
        torch.tensor(SPIKES).bfloat16(),
        torch.tensor(SPIKES, dtype=torch.float32, requires_grad=True),
        torch.tensor(SPIKES, dtype=torch.float32).to_sparse(),
        SPIKES[:, None, None],
    ],
    ids=["list", "float", "half", "unsigned", "torch int", "bfloat16", "with gradient", "sparse", "axes of length 1"],
)
def test_counts_may_be_written_in_any_way(field: ReceptiveField, given: Any) -> None:
    found = estimation.estimate_filter(MOVIE, given, "sta", n_lags=2)
    np.testing.assert_array_equal(found.filter, field.filter)
    report = estimation.FitReport.of(field, MOVIE, given, shares=())
    assert report.scores["receptive field"][0] == pytest.approx(field.scores["test bits/spike"])
    assert estimation.estimate_nonlinearity(U, given if np.ndim(given) == 1 else SPIKES)(0.0) > 0


@pytest.mark.parametrize(
    ("movie", "says"),
    [
        (MOVIE.transpose(1, 2, 0), "too long for a recording of 4 frames|equally long"),
        (MOVIE.reshape(400, 16), "too long for a recording of 1 frames|equally long"),
        (MOVIE[None], "4 axes"),
        (np.stack([MOVIE, MOVIE])[:, None], "One stimulus of one channel"),
        (MOVIE * 1e300, "Scale it to order 1"),
        (np.where(MOVIE > 2, np.inf, MOVIE), "NaN or infinite"),
        (np.zeros((0, 4, 4)), "constant"),
    ],
    ids=["transposed", "flat pixels", "four axes", "batch", "huge", "infinite", "empty"],
)
def test_what_is_no_movie_is_refused(movie: Any, says: str) -> None:
    for use in (convis.fit_receptive_field, estimation.estimate_filter):
        with pytest.raises(convis.ConvisError, match=says):
            use(movie, SPIKES, n_lags=2)


def test_an_average_that_drives_nothing_in_the_validation_part_is_a_constant_rate(field: ReceptiveField) -> None:
    """A stimulus that is still while the gain is sought leaves the gain at 0."""
    still = MOVIE.copy()
    still[280:320] = 0.0
    report = estimation.FitReport.of(field, still, SPIKES, shares=())
    assert np.isfinite(report.scores["spike-triggered average"][0])


@pytest.mark.parametrize("method", ["ald", "asd", "separable"])
def test_a_flash_and_a_burst_alone_are_fitted_without_an_error_of_algebra(method: str) -> None:
    """Nearly all that is known lies in one frame, and cancels where the offset is integrated out."""
    flash, loud = np.zeros_like(MOVIE), np.minimum(SPIKES * 10**9, 10**9)
    flash[20] = MOVIE[20]
    found = estimation.estimate_filter(flash, loud, method, n_lags=2)
    assert np.isfinite(found.filter).all() and np.isfinite(next(iter(found.scores.values())))


def test_a_curve_through_a_drive_of_two_values_is_found() -> None:
    drive = np.where(np.arange(400) == 7, 1.0, 0.0)
    found = estimation.estimate_nonlinearity(drive, SPIKES, "spline")
    assert found(0.0) == pytest.approx(np.delete(SPIKES, 7).mean(), rel=1e-3)


OPTIONS: list[tuple[str, Callable[[], Any], str]] = [
    ("history", lambda: convis.fit_receptive_field(MOVIE, SPIKES, n_history=None), "n_history .* at least 0, got None"),
    ("rank", lambda: convis.fit_receptive_field(MOVIE, SPIKES, max_rank=1.5), "max_rank .* got 1.5"),
    ("split", lambda: convis.fit_receptive_field(MOVIE, SPIKES, split=0.5), "sequence of numbers .* got 0.5"),
    ("two shares", lambda: estimation.estimate_filter(MOVIE, SPIKES, split=(0.5, 0.5)), "three shares"),
    ("nonlinearity", lambda: estimation.estimate_filter(MOVIE, SPIKES, nonlinearity=[1]), "no output nonlinearity"),  # type: ignore[arg-type]
    ("method", lambda: estimation.estimate_filter(MOVIE, SPIKES, np.ones(2)), "no estimator"),  # type: ignore[arg-type]
    ("curve", lambda: estimation.estimate_nonlinearity(U, SPIKES, U), "no nonlinearity called"),  # type: ignore[arg-type]
    ("monotone", lambda: estimation.estimate_nonlinearity(U, SPIKES, monotone="no"), "True or False"),  # type: ignore[arg-type]
    ("level", lambda: estimation.estimate_nonlinearity(U, SPIKES).interval(0.0, None), "between 0 and 1, got None"),  # type: ignore[arg-type]
    ("basis", lambda: KernelBasis("spline"), "made by time"),  # type: ignore[arg-type]
    ("counts", lambda: KernelBasis(counts=5), "three counts of functions"),  # type: ignore[arg-type]
    ("gap", lambda: estimation.folds(90, 3, gap=float("nan")), "gap .* at least 0, got nan"),
    ("gap of a split", lambda: estimation.split_in_blocks(90, (0.5, 0.5), gap=-1), "gap .* at least 0, got -1"),
    ("metric", lambda: estimation.block_bootstrap("r", SPIKES, SPIKES), "function of prediction and data"),  # type: ignore[arg-type]
    ("series", lambda: estimation.block_bootstrap(estimation.correlation, "a", SPIKES), "got str"),
    ("seed", lambda: estimation.block_bootstrap(estimation.correlation, U, U, seed=-1), "seed .* got -1"),
    ("baseline", lambda: estimation.bits_per_spike([1.0], [1.0], "mean"), "finite rate above 0, got 'mean'"),  # type: ignore[arg-type]
    ("cost", lambda: estimation.victor_purpura_distance([1.0], [2.0], None), "got None"),  # type: ignore[arg-type]
    ("tau", lambda: estimation.van_rossum_distance([1.0], [2.0], [0.1]), r"got \[0.1\]"),  # type: ignore[arg-type]
    ("strength", lambda: estimation.regularisers.L2("0.1"), "at least 0, got '0.1'"),  # type: ignore[arg-type]
    ("dispersion", lambda: estimation.losses.negative_binomial_loss(None), "more than 0, got None"),  # type: ignore[arg-type]
    ("tasks", lambda: convis.fit_many(dict, 3), "list of dicts"),  # type: ignore[arg-type]
    ("shared", lambda: convis.fit_many(dict, [{}], shared=[MOVIE]), "a dict of arguments"),  # type: ignore[arg-type]
    ("searched", lambda: estimation.search_settings(None, MOVIE, SPIKES, {"lr": [1]}), "got None"),  # type: ignore[arg-type]
    ("epochs", lambda: estimation.search_settings(model(), MOVIE, SPIKES, {"lr": [1]}, epochs=None), "got None"),  # type: ignore[arg-type]
    ("keep", lambda: estimation.search_settings(model(), MOVIE, SPIKES, {"lr": [1]}, keep="a"), "nothing to search"),  # type: ignore[arg-type]
    ("path", lambda: estimation.Trajectory("way"), "got 'way'"),  # type: ignore[arg-type]
    ("step", lambda: estimation.Trajectory(model()).at("last"), "step .* got 'last'"),  # type: ignore[arg-type]
    ("steps", lambda: [*estimation.Trajectory(model()).follow([1.0])], "steps of a fit, got 1.0"),  # type: ignore[list-item]
    ("score", lambda: estimation.Trajectory(model()).evaluate(0.5), "function without arguments"),  # type: ignore[arg-type]
    ("steps to stop", lambda: [*estimation.stop_early(None, model(), lambda: 1.0)], "steps of a fit, got None"),  # type: ignore[arg-type]
    ("score to stop", lambda: [*estimation.stop_early([], model(), 0.5)], "function without arguments"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("what", "use", "says"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_options_that_make_no_sense_are_told(what: str, use: Callable[[], Any], says: str) -> None:
    with pytest.raises(convis.ConvisError, match=says):
        use()


def test_a_search_takes_whole_numbers_in_any_way() -> None:
    tried = estimation.search_settings(
        model(),
        MOVIE,
        SPIKES,
        {"lr": [0.01]},
        epochs=np.int64(1),  # type: ignore[arg-type]
        n_folds=2.0,  # type: ignore[arg-type]
        gap=1.0,  # type: ignore[arg-type]
    )
    assert len(tried[0].losses) == 2 and np.isfinite(tried[0].loss)


def drifting(ratio: float) -> np.ndarray:  # type: ignore[type-arg]
    movie = np.random.default_rng(3).standard_normal((1500, 4, 4))
    rate = np.exp(0.8 * movie[:, 1, 2] - 0.5) * np.linspace(1.0, 1.0 / ratio, 1500)
    return np.concatenate([movie.reshape(1500, -1), np.random.default_rng(4).poisson(rate)[:, None]], axis=1)


def test_a_rate_that_drifts_is_said_to_spoil_the_scores() -> None:
    data = drifting(8.0)
    movie, spikes = data[:, :16].reshape(-1, 4, 4), data[:, 16]
    with pytest.warns(UserWarning, match=r"in the test part, where 0\.\d+ were expected.*rate is steady"):
        convis.fit_receptive_field(movie, spikes, n_lags=2)
    with pytest.warns(UserWarning, match=r"^Cell 1: The cell fires"):
        convis.fit_receptive_field(movie, np.stack([drifting(1.0)[:, 16], spikes], axis=1), n_lags=2)


def test_a_steady_rate_is_not_doubted() -> None:
    data = drifting(1.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convis.fit_receptive_field(data[:, :16].reshape(-1, 4, 4), data[:, 16], n_lags=2)
