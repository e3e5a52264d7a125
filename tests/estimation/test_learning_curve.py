"""Learning curves: the same fit with less of the recording, scored on the same frames."""

from __future__ import annotations

from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot as plt

import convis_core as convis
from convis_core.estimation import FitReport, LearningCurve, ReceptiveField, estimate_filter, learning_curve
from tests.estimation.cells import Cell, gabor, recorded, time_course


@pytest.fixture(scope="module")
def cell() -> Cell:
    rng = np.random.default_rng(6)
    return recorded(
        rng.standard_normal((4000, 7, 7)), time_course(rng, 5)[:, None, None] * gabor(rng, 7), 1.6, -1.0, rng
    )


@pytest.fixture(scope="module")
def field(cell: Cell) -> ReceptiveField:
    found: ReceptiveField = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=5, n_history=4, max_rank=1)
    return found


@pytest.fixture(scope="module")
def curve(cell: Cell, field: ReceptiveField) -> LearningCurve:
    return learning_curve(field, cell.stimulus, cell.spikes, [0.5, 0.1])


def test_more_data_predict_better_and_never_what_was_not_learnt_as_well(cell: Cell) -> None:
    found = estimate_filter(cell.stimulus, cell.spikes, "spline", n_lags=5)
    curve = learning_curve(found, cell.stimulus, cell.spikes, [0.5, 0.1])
    assert curve.frames == (320, 1600, 3200)
    assert curve.test[0] + 0.1 < curve.test[1] + 0.05 < curve.test[2]
    assert (np.subtract(curve.learnt, curve.test) > 0.1).all()
    for bits, (low, high) in zip(curve.test, curve.intervals, strict=True):
        assert low < bits < high


def test_the_last_point_is_the_fit_itself(cell: Cell, field: ReceptiveField, curve: LearningCurve) -> None:
    assert curve.test[-1] == pytest.approx(field.scores["test bits/spike"])
    assert curve.spikes[-1] == cell.spikes[:3200].sum()
    rate = field.predict(cell.stimulus, cell.spikes)
    assert curve.learnt[-1] == pytest.approx(convis.estimation.bits_per_spike(rate[:3200], cell.spikes[:3200]))


def test_a_point_is_what_the_recipe_finds_in_that_much(cell: Cell, curve: LearningCurve) -> None:
    start = 3200 - 1600
    again = convis.fit_receptive_field(
        cell.stimulus[start:],
        cell.spikes[start:],
        n_lags=5,
        n_history=4,
        max_rank=1,
        split=(1400 / 2400, 200 / 2400, 800 / 2400),
    )
    assert curve.test[1] == pytest.approx(again.scores["test bits/spike"])


@pytest.mark.parametrize("method", ["sta", "spline"])
def test_any_estimator_has_one(cell: Cell, method: str) -> None:
    found = estimate_filter(cell.stimulus, cell.spikes, method, n_lags=5)
    curve = learning_curve(found, cell.stimulus, cell.spikes, [0.25])
    assert curve.frames == (800, 3200)
    assert curve.test[0] < curve.test[1] == pytest.approx(found.scores["test bits/spike"])


def test_the_settings_of_a_fit_repeat_it(cell: Cell) -> None:
    found = estimate_filter(cell.stimulus, cell.spikes, "spline", n_lags=5, nonlinearity="exponential")
    again = estimate_filter(cell.stimulus, cell.spikes, **found.settings)
    np.testing.assert_array_equal(again.filter, found.filter)
    same = estimate_filter(cell.stimulus, cell.spikes, "separable", n_lags=5)
    assert same.settings["n_history"] == 0 and "method" not in same.settings


def test_parts_too_short_to_fit_are_left_out(cell: Cell, field: ReceptiveField) -> None:
    assert learning_curve(field, cell.stimulus, cell.spikes, [0.001, 0.004]).frames == (3200,)


def test_the_report_shows_it_as_text_page_and_figure(cell: Cell, field: ReceptiveField, curve: LearningCurve) -> None:
    report = FitReport.of(field, cell.stimulus, cell.spikes, shares=[0.1, 0.5])
    assert report.learning == curve
    for row in curve.rows():
        for text in row:
            assert text in str(report) and text in report._repr_html_() and text in repr(curve)
    axes = {ax.get_title(): ax for part in report.plot().subfigs for ax in part.axes}
    learnt, test = axes["learning curve"].lines
    np.testing.assert_allclose(learnt.get_ydata(), curve.learnt)
    np.testing.assert_allclose(test.get_xdata(), curve.frames)
    axes["learning curve"].figure.canvas.draw()
    plt.close("all")


def test_a_report_can_do_without(cell: Cell, field: ReceptiveField) -> None:
    for found, shares in ((field, []), (replace(field, settings={}), [0.5])):
        report = FitReport.of(found, cell.stimulus, cell.spikes, shares=shares)
        assert report.learning is None and "frames  " not in str(report)
        assert "learning curve" not in [ax.get_title() for part in report.plot().subfigs for ax in part.axes]
    plt.close("all")


def test_another_recording_than_that_of_the_fit_is_refused(cell: Cell, field: ReceptiveField) -> None:
    for use in (FitReport.of, learning_curve):
        with pytest.raises(convis.ConvisError, match=r"fitted to a recording of \d+ frames, got one of 400"):
            use(field, cell.stimulus[:400], cell.spikes[:400])


def test_a_silent_test_part_is_told(cell: Cell, field: ReceptiveField) -> None:
    for use in (FitReport.of, learning_curve):
        with pytest.raises(convis.ConvisError, match="no spike in the test part, bins 3200 to 3999"):
            use(field, cell.stimulus, cell.spikes * (np.arange(4000) < 3200))


def test_a_share_without_a_spike_to_validate_by_is_left_out(cell: Cell) -> None:
    spikes = cell.spikes.copy()
    spikes[3080:3200] = 0
    found = estimate_filter(cell.stimulus, spikes, "sta", n_lags=5)
    assert learning_curve(found, cell.stimulus, spikes, [0.25, 0.5]).frames == (1600, 3200)


def test_bad_shares_are_refused(cell: Cell, field: ReceptiveField) -> None:
    for shares in ([2], [0.5, float("nan")], 0.5, "half", None, [[0.5]]):
        with pytest.raises(convis.ConvisError, match=r"a sequence of numbers between 0 and 1, got"):
            learning_curve(field, cell.stimulus, cell.spikes, shares)  # type: ignore[arg-type]
    with pytest.raises(convis.ConvisError, match="how it was made"):
        learning_curve(replace(field, settings={}), cell.stimulus, cell.spikes)
