"""Cells of an array of which nothing can be told stand aside, and the others are fitted as if alone."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.errors import FitError
from convis_core.estimation import FitReport, UnfittedCell, learning_curve, receptive_field
from convis_core.estimation.separable import Component, Problem

MOVIE = np.random.default_rng(3).standard_normal((800, 6, 6))
FIRES = np.random.default_rng(4).poisson(np.log1p(np.exp(2 * MOVIE[:, 2, 3] - 1)))
ALSO = np.random.default_rng(5).poisson(np.log1p(np.exp(2 * MOVIE[:, 4, 1] - 1)))
SILENT, STEADY = np.zeros(800), np.full(800, 2)
LATE = FIRES * (np.arange(800) >= 560)
"""No spike in the training part."""


def test_cells_without_a_message_are_left_out_with_one_warning_that_names_them() -> None:
    with pytest.warns(UserWarning) as told:
        found = convis.fit_receptive_field(MOVIE, np.stack([SILENT, FIRES, LATE, STEADY, ALSO, SILENT], 1), n_lags=2)
    (warning,) = told
    assert warning.filename == __file__
    for says in (
        "4 of 6 cells are left out",
        "Cells 0, 5: There are no spikes in the recording.",
        "Cell 2: There is no spike in the training part, bins 0 to 559.",
        "Cell 3: The spike count is 2 in every bin",
    ):
        assert says in str(warning.message)
    assert [bool(field) for field in found] == [False, True, False, False, True, False]
    assert [field.number for field in found if not field] == [0, 2, 3, 5]
    places = [np.unravel_index(field.filter.argmax(), field.filter.shape) for field in found if field]
    assert places == [(0, 2, 3), (0, 4, 1)]


def test_those_left_out_change_nothing_of_the_others() -> None:
    both = convis.fit_receptive_field(MOVIE, np.stack([FIRES, ALSO], 1), n_lags=2)
    with pytest.warns(UserWarning, match="1 of 2 cells are left out. Cell 0: There are no spikes"):
        _, alone = convis.fit_receptive_field(MOVIE, np.stack([SILENT, FIRES], 1), n_lags=2)
    np.testing.assert_allclose(alone.filter, both[0].filter, atol=1e-8)


def test_numbers_that_get_out_of_hand_in_one_cell_do_not_cost_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_component = receptive_field.fit_component

    def fails(problem: Problem, start: Component) -> Component:
        if float(problem.counts.sum()) > 10_000.0:
            raise torch.linalg.LinAlgError("not positive definite")
        return fit_component(problem, start)

    monkeypatch.setattr(receptive_field, "fit_component", fails)
    with pytest.warns(UserWarning) as told:
        first, steady, third = convis.fit_receptive_field(MOVIE, np.stack([FIRES, STEADY, 100 * ALSO], 1), n_lags=2)
    assert "1 of 2 cells are left out. Cell 2: " in str(told[1].message)
    assert "out of hand: not positive definite" in str(told[1].message) and told[1].filename == __file__
    assert first.filter.argmax() == np.ravel_multi_index((0, 2, 3), first.filter.shape)
    assert not steady and not third and third.number == 2
    with pytest.raises(FitError, match=r"out of hand.*Scale the stimulus"):
        convis.fit_receptive_field(MOVIE, 100 * ALSO, n_lags=2)


def test_what_stands_for_a_cell_says_why_whatever_is_asked_of_it() -> None:
    silent = UnfittedCell(7, "There are no spikes in the recording.")
    with pytest.raises(convis.ConvisError, match=r"Cell 7 was not fitted, so it has no filter. There are no spikes"):
        silent.filter  # noqa: B018
    assert not hasattr(silent, "scores")
    for again in (pickle.loads(pickle.dumps(silent)), copy.deepcopy(silent)):
        assert again == silent
    for use in (FitReport.of, learning_curve):
        with pytest.raises(convis.ConvisError, match=r"Expected a ReceptiveField, got UnfittedCell.*no spikes"):
            use(silent, MOVIE, SILENT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spikes", "says"),
    [
        (np.stack([SILENT, STEADY], 1), "None of the 2 cells can be fitted. Cell 0: .* Cell 1: The spike count is 2"),
        (SILENT, "There are no spikes in the recording"),
        (SILENT[:, None], "There are no spikes in the recording"),
        (LATE, "no spike in the training part"),
        (np.stack([FIRES, FIRES - 1], 1), "Cell 1: Spike counts must be whole numbers of at least 0, got -1"),
        (np.stack([SILENT, FIRES * np.nan], 1), "Cell 1: The spike count has 800 values that are NaN"),
    ],
)
def test_a_cell_alone_all_of_them_and_wrong_counts_are_errors(spikes: object, says: str) -> None:
    with pytest.raises(convis.ConvisError, match=says):
        convis.fit_receptive_field(MOVIE, spikes, n_lags=2)


def test_they_pass_through_many_fits() -> None:
    arrays = [{"spikes": np.stack(pair, 1)} for pair in ([FIRES, SILENT], [ALSO, LATE])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = convis.fit_many(convis.fit_receptive_field, arrays, shared={"stimulus": MOVIE, "n_lags": 2})
    assert [[bool(field) for field in array] for array in found] == [[True, False], [True, False]]


def test_a_burst_is_told_and_scored_by_a_number() -> None:
    spikes = FIRES.copy()
    spikes[700] = 10_000_000
    with pytest.warns(UserWarning, match="Bin 700 holds 10000000 of 1000.* spikes, which decide most of the filter"):
        found = convis.fit_receptive_field(MOVIE, spikes, n_lags=2)
    assert np.isfinite(list(found.scores.values())).all()
    assert np.isfinite(found.filter).all()
