"""The report of a model that was fitted by gradient: what it shows is what the model is and predicts, and no more."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

import convis_core as convis
from convis_core.estimation import FitReport, FittedModel, Trajectory, bits_per_spike, r_squared
from tests.estimation.cells import centre_surround, filtered, recorded, time_course

RNG = np.random.default_rng(2)
FIELD = time_course(RNG, 4)[:, None, None] * centre_surround(RNG, 7)
CELL = recorded(RNG.standard_normal((1500, 7, 7)), FIELD, 1.6, -0.5, RNG)
MOVIE, SPIKES = CELL.stimulus, CELL.spikes
DRIVE = filtered(MOVIE, FIELD) / filtered(MOVIE, FIELD).std()
ANALOG = np.maximum(0.0, DRIVE) + 0.3 * RNG.standard_normal(1500)
KNOWN, TEST = slice(0, 1200), slice(1200, None)
models = convis.models


def true_model(nonlinearity: str = "softplus") -> convis.models.LNP:
    """The cell itself: what it predicts is known."""
    model = models.LNP((4, 7, 7), nonlinearity=nonlinearity).double()
    model.filter.set_weight(CELL.drive_filter(1.6), flip=False)
    model.offset = -0.5
    return model


@pytest.fixture(autouse=True)
def no_figures_left() -> Generator[None]:
    yield
    plt.close("all")


def titles(report: FitReport) -> dict[str, Any]:
    figure = report.plot()
    figure.canvas.draw()
    return {ax.get_title(): ax for part in (figure.subfigs or [figure]) for ax in part.axes}


def test_the_scores_are_those_of_what_the_model_predicts_on_the_test_part() -> None:
    report = FitReport.of_model(true_model(), MOVIE, SPIKES, test=TEST)
    bits, (low, high), r = report.scores["LNP"]
    assert bits == pytest.approx(bits_per_spike(CELL.rate[TEST], SPIKES[TEST]))
    assert r == pytest.approx(np.corrcoef(CELL.rate[TEST], SPIKES[TEST])[0, 1])
    assert low < bits < high
    average, constant = (report.scores[name][0] for name in ("spike-triggered average", "constant rate"))
    assert bits > average > constant and constant <= 0.0
    assert report.measure == "bits/spike" and report.test == slice(1200, 1500)


def test_the_baselines_are_those_of_a_receptive_field_that_knows_the_same_frames() -> None:
    found = convis.estimation.estimate_filter(MOVIE, SPIKES, "sta", n_lags=4, split=(0.7, 0.1, 0.2))
    ours = FitReport.of_model(true_model(), MOVIE, SPIKES, test=TEST)
    theirs = FitReport.of(found, MOVIE, SPIKES, shares=())
    for name in ("spike-triggered average", "constant rate"):
        (bits, interval, r), (their_bits, their_interval, their_r) = ours.scores[name], theirs.scores[name]
        assert (bits, *interval) == pytest.approx((their_bits, *their_interval))
        assert r == pytest.approx(their_r, nan_ok=True)


def test_nothing_of_the_test_part_is_learnt_from() -> None:
    """Other frames there change no prediction of a baseline; they are scored, not learnt."""
    other = SPIKES.copy()
    other[TEST] = RNG.permutation(other[TEST])
    one, two = (FitReport.of_model(true_model(), MOVIE, y, test=TEST) for y in (SPIKES, other))
    assert one.scores["constant rate"][0] == pytest.approx(two.scores["constant rate"][0])
    assert one.scores["LNP"][0] > 0.2 > two.scores["LNP"][0]


def test_the_model_is_left_as_it_was() -> None:
    model = models.GLM((2, 7, 7)).given(SPIKES[:30])
    model.run(MOVIE[:10])
    before, clock = [p.detach().clone() for p in model.parameters()], model.clock
    FitReport.of_model(model, MOVIE, SPIKES, test=TEST)
    assert model.clock == clock
    model.run(MOVIE[10:30])  # with the spikes it was given, no others
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_its_filter_drive_and_nonlinearity_are_those_of_the_model() -> None:
    report = FitReport.of_model(true_model(), MOVIE, SPIKES, test=TEST)
    portrait = report.portrait
    np.testing.assert_allclose(portrait.filters[0].values, CELL.drive_filter(1.6))
    heard = slice(3, None)  # the model takes the first frame for what was there before, the cell darkness
    np.testing.assert_allclose(portrait.drive[heard].numpy(), 1.6 * DRIVE[heard] - 0.5, atol=1e-9)
    np.testing.assert_allclose(portrait.curve(portrait.drive)[heard].numpy(), CELL.rate[heard], atol=1e-9)
    axes = titles(report)
    lag, x, y = portrait.filters[0].strongest
    assert {f"filter at lag {lag}", f"filter at pixel ({x}, {y})", "scores on the test part"} <= set(axes)
    drawn = next(line for line in axes["nonlinearity, test part"].lines if line.get_label() == "model")
    np.testing.assert_allclose(drawn.get_ydata(), np.logaddexp(0, drawn.get_xdata()))
    assert "errors of the weights are not known" in str(report)


@pytest.mark.parametrize(
    ("build", "drive"),
    [
        (lambda: models.LN((4, 7, 7), population=False), lambda m, x: m.conv(x)),
        (lambda: models.L((4, 7, 7), population=False), lambda m, x: m.conv(x)),
        (lambda: models.LN((4, 7, 7), population=False, basis="spline"), lambda m, x: m.conv(x)),
        (lambda: models.SeparableLN((4, 7, 7), rank=2, nonlinearity="rectified"), None),
        (lambda: models.SubunitModel((4, 3, 3), n_subunits=3), None),
    ],
    ids=["LN", "L", "LN of splines", "SeparableLN", "SubunitModel"],
)
def test_every_response_is_the_curve_at_the_drive(
    build: Callable[[], convis.Layer], drive: Callable[[Any, Any], Any] | None
) -> None:
    torch.manual_seed(0)
    model = build()
    portrait = FitReport.of_model(model, MOVIE, ANALOG, test=TEST).portrait
    assert portrait.drive_name == "drive"
    torch.testing.assert_close(portrait.curve(portrait.drive), portrait.response, atol=1e-5, rtol=1e-5)
    model.clear_state()
    torch.testing.assert_close(portrait.response, model.run(MOVIE)[0].detach().double().flatten())
    if drive is not None:
        model.clear_state()
        torch.testing.assert_close(
            portrait.drive, drive(model, torch.tensor(MOVIE)[None, None]).detach().double().flatten()
        )


def test_an_analog_response_is_scored_by_the_variance_it_explains() -> None:
    model = models.LN((4, 7, 7), population=False, basis="spline")
    model.set_optimizer.LBFGS()
    losses = model.optimize(MOVIE[KNOWN], ANALOG[KNOWN])
    report = FitReport.of_model(model, MOVIE, ANALOG, test=TEST, losses=losses)
    model.clear_state()
    predicted = model.run(MOVIE).array().ravel()[TEST]
    assert report.measure == "R²" and list(report.scores)[1:] == ["response-weighted average", "constant response"]
    ours, average, constant = (value for value, _, _ in report.scores.values())
    assert ours == pytest.approx(r_squared(predicted, ANALOG[TEST]), abs=1e-6)
    assert ours > 0.6 > average > 0.2 > 0.0 >= constant
    assert np.isnan(report.scores["constant response"][2])
    axes = titles(report)
    assert axes["nonlinearity, test part"].get_ylabel() == "response"
    assert axes["scores on the test part"].get_xlabel() == "R²"
    groups = report.observed
    assert not isinstance(groups, convis.estimation.NonlinearityEstimate) and groups is not None
    assert float((groups.response - portrait_at(report, groups.drive)).abs().mean()) < 0.15


def portrait_at(report: FitReport, drive: torch.Tensor) -> torch.Tensor:
    return report.portrait.curve(drive)


def test_a_response_that_is_no_rate_is_scored_without_infinities() -> None:
    """A rectified model gives some spikes no chance at all: minus infinity bits say nothing of the rest."""
    model = models.LN((4, 7, 7), population=False, basis="spline")
    model.set_optimizer.LBFGS()
    model.optimize(MOVIE[KNOWN], SPIKES[KNOWN])
    report = FitReport.of_model(model, MOVIE, SPIKES, test=TEST)
    assert report.measure == "R²" and "scored by R²" in str(report) and "scored by R²" in report._repr_html_()
    assert np.isfinite([value for value, _, _ in report.scores.values()]).all()
    assert isinstance(report.observed, convis.estimation.NonlinearityEstimate)


def test_a_glm_hears_the_spikes_of_the_whole_recording_and_shows_what_follows_them() -> None:
    torch.manual_seed(0)
    cells = models.GLM((2, 7, 7), n_cells=2, n_history=6, n_basis=3, coupling=True)
    cells.history, cells.offset, cells.coupling = -0.5, -1.0, 0.1
    counts = cells.simulate(MOVIE, seed=3).spikes[0, :, :, 0, 0].T
    report = FitReport.of_model(cells, MOVIE, counts, test=TEST, cell=1)
    cells.given(counts).clear_state()
    rate = cells.run(MOVIE)[0][0, 1, :, 0, 0].detach().double()
    assert report.scores["GLM"][0] == pytest.approx(bits_per_spike(rate[TEST], counts[TEST, 1]), abs=1e-6)
    lines = report.portrait.after_spikes
    assert list(lines) == ["own", "cell 0"]
    np.testing.assert_allclose(lines["own"], cells.history_filters()[1].detach(), atol=1e-6)
    np.testing.assert_allclose(lines["cell 0"], cells.coupling_filters()[1, 0].detach(), atol=1e-6)
    assert "GLM, cell 1: filter of 2 lags x 7x7 pixels, exponential" in str(report)
    drawn = titles(report)["after a spike"].lines
    np.testing.assert_allclose(drawn[1].get_ydata(), lines["own"])


def test_subunits_are_shown_each_and_parts_with_their_time_courses() -> None:
    torch.manual_seed(1)
    axes = titles(FitReport.of_model(models.SubunitModel((4, 3, 3), n_subunits=3), MOVIE, SPIKES, test=TEST))
    assert [title.split(" at ")[0] for title in axes if title.startswith("subunit")] == [
        "subunit 1",
        "subunit 2",
        "subunit 3",
    ]
    model = models.SeparableLN((4, 7, 7), rank=2)
    report = FitReport.of_model(model, MOVIE, SPIKES, test=TEST)
    (shown,) = report.portrait.filters
    assert {"map 1", "map 2", "time courses"} <= set(titles(report))
    summed = sum(part.time_course[:, None, None] * part.map for part in shown.parts)
    np.testing.assert_allclose(summed, model.kernel().detach().numpy()[0, 0], atol=1e-6)
    for part in shown.parts:
        assert np.linalg.norm(part.time_course) == pytest.approx(1.0)
        assert part.map.max() == np.abs(part.map).max()


def test_a_cascade_is_compared_with_what_it_predicts_and_an_image_by_one_pixel() -> None:
    torch.manual_seed(0)
    model = models.LNLN((2, 3, 3))
    target = model.run(MOVIE)[0][0, 0].detach().numpy() + 0.1
    report = FitReport.of_model(model, MOVIE, target, test=TEST, cell=(4, 5))
    assert report.portrait.drive_name == "predicted response"
    assert report.scores["LNLN"][2] == pytest.approx(1.0)
    assert "LNLN, pixel (4, 5)" in str(report)
    assert "predicted and observed" in titles(report)


def test_the_losses_of_a_fit_are_told_and_drawn_wherever_they_come_from() -> None:
    model = models.LNP((1, 7, 7))
    model.set_optimizer.Adam(lr=0.01)
    way = Trajectory(model)
    for _ in way.follow(model.fit(MOVIE[KNOWN], SPIKES[KNOWN], dt=300, loss_fn=model.likelihood, epochs=3)):
        pass
    for given, told in (
        (model, way),
        (model, way.losses),
        (model, np.array(way.losses)),
        (FittedModel(model, way.losses), None),
    ):
        report = FitReport.of_model(given, MOVIE, SPIKES, test=TEST, losses=told)
        assert report.losses == pytest.approx(tuple(way.losses))
    assert f"loss {way.losses[0]:.4g} at first, {way.losses[-1]:.4g} at last, 12 updates" in str(report)
    np.testing.assert_allclose(titles(report)["loss during the fit"].lines[0].get_ydata(), way.losses)
    bare = FitReport.of_model(model, MOVIE, SPIKES, test=TEST)
    assert bare.losses == () and "updates" not in str(bare) and "loss during the fit" not in titles(bare)


def test_a_filter_that_has_died_is_reported_all_the_same() -> None:
    model = models.LNP((2, 7, 7))
    with torch.no_grad():
        model.filter.weight.zero_()
    report = FitReport.of_model(model, MOVIE, SPIKES, test=TEST)
    assert report.observed is None
    assert "nonlinearity, test part" not in titles(report)
    assert np.isnan(report.scores["LNP"][2])


def test_a_model_without_a_filter_of_its_own_has_a_report_without_one() -> None:
    report = FitReport.of_model(convis.filters.NLRectify(), np.abs(DRIVE), np.abs(DRIVE) + 0.01, test=TEST)
    assert report.portrait.filters == () and "no filter of its own" in str(report)
    assert report.scores["NLRectify"][0] > 0.99
    assert "scores on the test part" in titles(report)


def test_the_test_part_may_stand_anywhere_and_baselines_learn_beside_it() -> None:
    report = FitReport.of_model(true_model(), MOVIE, SPIKES, test=slice(0, 300))
    assert report.scores["spike-triggered average"][0] > 0.05
    assert FitReport.of_model(true_model(), MOVIE, SPIKES, test=slice(-300, None)).test == slice(1200, 1500)


def test_text_and_page_say_the_same_and_nothing_is_markup() -> None:
    class Odd(models.LNP, register=False):  # type: ignore[misc]
        pass

    Odd.__name__ = "<b>odd</b>"
    model = Odd((2, 7, 7))
    report = FitReport.of_model(model, MOVIE, SPIKES, test=TEST, losses=[3.0, 2.0])
    page = report._repr_html_()
    assert "<b>" not in page and "&lt;b&gt;odd" in page
    for row in report.rows()[1:]:
        for cell in row:
            assert cell in str(report) and cell in page
    assert repr(report) == str(report)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no model", {"model": 3}, "is a Layer, got 3"),
    ("no slice", {"test": 0.2}, r"slice of frames .* got 0.2. Give e.g. test=slice\(1200, None\)"),
    ("steps", {"test": slice(0, 900, 2)}, "slice of frames"),
    ("too short", {"test": slice(1490, None)}, "at least 20 frames, got 10"),
    ("empty", {"test": slice(900, 800)}, "at least 20 frames, got 0"),
    ("everything", {"test": slice(None)}, "0 frames, from which no simpler model can learn"),
    ("lengths", {"target": SPIKES[:900]}, "equally long, got 1500 and 900"),
    (
        "silent",
        {"target": SPIKES * (np.arange(1500) < 1200)},
        "The target is 0 in every frame of the test part, 1200 to 1499",
    ),
    (
        "silent before",
        {"target": SPIKES * (np.arange(1500) >= 1200)},
        "frames 0 to 1199, 0 bins have spikes, from which no simpler model can learn",
    ),
    ("NaN", {"target": SPIKES * np.nan}, "The target has 1500 values that are NaN"),
    ("too many cells", {"target": np.stack([SPIKES, SPIKES], 1)}, "answers with"),
    ("image", {"target": MOVIE}, "answers with"),
    ("trials", {"stimulus": np.stack([MOVIE, MOVIE])[:, None]}, "one stimulus, got 2 trials"),
    ("no such cell", {"cell": 1}, r"answers for 1 cell\(s\); a report is about one of them, got cell=1"),
    ("no number", {"cell": "first"}, "got cell='first'"),
    ("output", {"output": "current"}, "no output 'current'"),
    ("losses", {"losses": [[1.0], [2.0]]}, "Losses are a sequence"),
    ("no losses", {"losses": "way"}, "got str"),
    ("groups", {"groups": 0}, "groups"),
    ("several cells", {"model": models.LNP((2, 7, 7), n_cells=2), "target": np.stack([SPIKES, SPIKES], 1)}, "cell=0"),
    ("pixels", {"model": models.LN((2, 3, 3)), "target": MOVIE}, r"at each of 7x7 pixels.*cell=\(3, 3\)"),
    ("chance", {"model": models.SpikingModel(models.LNP((2, 7, 7)))}, "drawn by chance"),
]


@pytest.mark.parametrize(("what", "given", "says"), BAD, ids=[row[0] for row in BAD])
def test_what_cannot_be_reported_is_refused_with_what_to_do(what: str, given: dict[str, Any], says: str) -> None:
    usual: dict[str, Any] = {"model": models.LNP((2, 7, 7)), "stimulus": MOVIE, "target": SPIKES, "test": TEST}
    with pytest.raises(convis.ConvisError, match=says):
        FitReport.of_model(**{**usual, **given})


def test_silence_before_the_test_part_leaves_the_average_a_gain() -> None:
    """Which comes from the last eighth of what is before, or from more of it where too few spikes are there."""
    rest = (np.arange(1500) < 1000) | (np.arange(1500) >= 1200)
    report = FitReport.of_model(models.LNP((2, 7, 7)), MOVIE, SPIKES * rest, test=TEST)
    bits, (low, high), _ = report.scores["spike-triggered average"]
    assert np.isfinite([bits, low, high]).all() and low < bits < high
