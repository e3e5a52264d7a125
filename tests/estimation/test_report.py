"""The report of a fit: scores that are the fit's own, baselines below it, and a nonlinearity that fits its data."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot as plt

import convis_core as convis
from convis_core.estimation import FitReport
from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.tables import broken_up
from tests.estimation.cells import gabor, recorded, time_course


@pytest.fixture(scope="module")
def report() -> FitReport:
    rng = np.random.default_rng(6)
    field = time_course(rng, 6)[:, None, None] * gabor(rng, 8)
    cell = recorded(rng.standard_normal((4000, 8, 8)), field, 1.6, -1.0, rng)
    found = convis.fit_receptive_field(cell.stimulus, cell.spikes, n_lags=6, n_history=5)
    return FitReport.of(found, cell.stimulus, cell.spikes)


def test_its_score_is_that_of_the_fit(report: FitReport) -> None:
    bits, (low, high), r = report.scores["receptive field"]
    assert bits == pytest.approx(report.fitted.scores["test bits/spike"])
    assert r == pytest.approx(report.fitted.scores["test correlation"])
    assert low < bits < high


def test_baselines_stand_below_it(report: FitReport) -> None:
    ours, average, constant = (report.scores[name][0] for name in report.scores)
    assert ours > average > constant
    assert constant <= 0.0  # the mean of the test part itself is the reference
    assert report.scores["receptive field"][1][0] > constant


def test_the_data_follow_the_nonlinearity(report: FitReport) -> None:
    model = nonlinearity_named(report.fitted.nonlinearity).rate(report.observed.groups.drive)
    data = report.observed.groups
    expected = model.numpy()
    assert np.mean(np.abs((data.spikes / data.frames).numpy() - expected) < 3 * data.errors.numpy() + 0.05) > 0.8
    low, high = report.observed.interval(data.drive.numpy(), 0.99)
    assert np.mean((low < expected) & (expected < high)) > 0.7
    assert float(data.frames.sum()) == 800.0  # the test part, and nothing else


def test_text_and_page_say_the_same(report: FitReport) -> None:
    for row in report.rows():
        for cell in row:
            assert cell in str(report)
            assert cell in report._repr_html_()
    assert "scores on frames 3200 to 3999" in str(report)


def test_no_line_is_wider_than_a_notebook_that_would_break_it_in_a_number(report: FitReport) -> None:
    field = report.fitted
    for said in (repr(field), str(report)):
        assert max(map(len, said.splitlines())) <= 80
    whole = " ".join(repr(field).split())
    assert whole.startswith(f"<ReceptiveField {field.outline}; ")
    assert whole.endswith(", ".join(f"{name} {value:.3f}" for name, value in field.scores.items()) + ">")


@pytest.mark.parametrize("widest", [10, 25, 40, 80])
def test_lines_are_broken_only_where_a_part_ends(widest: int) -> None:
    parts = ["one 1.5 ± 0.25 at lag 0,", "pixel (10, 10);", "120 of 4000 weights,", "last,", "with 7"]
    broken = broken_up(" ".join(parts), widest).splitlines()
    assert " ".join(" ".join(broken).split()) == " ".join(parts)
    rest = list(parts)
    for line in broken:
        words = line.strip()
        while words:  # a line is whole parts, and no wider than asked where it is more than one
            assert words.startswith(rest[0])
            words = words.removeprefix(rest.pop(0)).strip()
        assert len(line) <= widest or line.strip() in parts
    assert broken_up("a, b\nc, d") == "a, b\nc, d"


def test_it_says_how_sure_the_filter_is(report: FitReport) -> None:
    filter, error = report.fitted.filter, report.fitted.filter_error
    sure = int((np.abs(filter) > 2 * error).sum())
    assert 20 < sure < filter.size
    assert f"{sure} of {filter.size} weights" in report.confidence()
    lag, x, y = np.unravel_index(np.abs(filter).argmax(), filter.shape)
    assert f"at lag {lag}, pixel ({x}, {y})" in report.confidence()
    assert report.confidence() in " ".join(str(report).split()) and report.confidence() in report._repr_html_()


@pytest.mark.parametrize("method", ["ald", "whitened_sta"])
def test_a_filter_without_parts_is_drawn_by_its_strongest_lag_and_pixel(method: str) -> None:
    rng = np.random.default_rng(6)
    cell = recorded(
        rng.standard_normal((2000, 7, 7)), time_course(rng, 6)[:, None, None] * gabor(rng, 7), 1.6, -1.0, rng
    )
    found = convis.estimation.estimate_filter(cell.stimulus, cell.spikes, method, n_lags=6)
    report = FitReport.of(found, cell.stimulus, cell.spikes)
    lag, x, y = np.unravel_index(np.abs(found.filter).argmax(), found.filter.shape)
    axes = {ax.get_title(): ax for part in report.plot().subfigs for ax in part.axes}
    course = f"filter at pixel ({x}, {y})" + ", 2 errors" * (method == "ald")
    assert {f"filter at lag {lag}", course} <= set(axes)
    drawn = axes[course].lines[1].get_ydata()
    np.testing.assert_allclose(drawn, found.filter[:, x, y])
    assert ("not known" in report.confidence()) == (method == "whitened_sta")
    plt.close("all")


def test_the_figure_shows_every_part(report: FitReport) -> None:
    figure = report.plot()
    titles = [ax.get_title() for part in figure.subfigs for ax in part.axes]
    assert {"map 1", "time courses", "nonlinearity, test part", "spike history", "scores on the test part"} <= set(
        titles
    )
    figure.canvas.draw()
    plt.close("all")
