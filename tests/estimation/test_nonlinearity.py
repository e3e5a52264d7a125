"""Nonlinearities that are known are found again, in three ways, with errors that are as large as they say."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray

import convis_core as convis
from convis_core.estimation import NONLINEARITY_METHODS, NonlinearityEstimate, estimate_nonlinearity
from convis_core.estimation.count_curves import log_likelihood
from convis_core.estimation.nonlinearity_forms import FORMS
from convis_core.ops.poisson_interval import poisson_interval

Array = NDArray[np.float64]
TRUTHS: dict[str, Callable[[Array], Array]] = {
    "exponential": lambda u: np.exp(0.8 * u - 1.5),
    "softplus": lambda u: 0.7 * np.logaddexp(0.0, 2.0 * u - 1.0),
    "sigmoid": lambda u: 1.5 / (1.0 + np.exp(2.0 - 2.5 * u)),
    "power": lambda u: np.maximum(0.0, 0.6 * u + 0.3) ** 2 + 0.05,
    "square": lambda u: 0.3 * u**2 + 0.05,
}
VALUES = {
    "exponential": {"gain": 0.8, "offset": -1.5},
    "softplus": {"gain": 2.0, "offset": -1.0, "amplitude": 0.7},
    "sigmoid": {"gain": 2.5, "offset": -2.0, "amplitude": 1.5},
    "power": {"gain": 0.6, "offset": 0.3, "exponent": 2.0, "baseline": 0.05},
}
PLACES = np.linspace(-1.8, 1.8, 13)


def recorded(name: str, frames: int = 6000, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    drive = rng.standard_normal(frames)
    return drive, rng.poisson(TRUTHS[name](drive)).astype(float)


@pytest.mark.parametrize("name", FORMS)
def test_the_parameters_of_a_formula_are_found_within_their_errors(name: str) -> None:
    found = estimate_nonlinearity(*recorded(name, 20000), name)
    for parameter, (value, error) in found.parameters.items():
        wanted = VALUES[name][parameter]
        assert abs(value - wanted) < 3.5 * error
        assert 0 < error < 0.3 * abs(wanted)
    np.testing.assert_allclose(found(PLACES), TRUTHS[name](PLACES), rtol=0.12, atol=0.01)


@pytest.mark.parametrize("name", FORMS)
def test_a_formula_does_not_care_for_the_units_of_the_drive(name: str) -> None:
    drive, spikes = recorded(name, 2000)
    one = estimate_nonlinearity(drive, spikes, name)
    other = estimate_nonlinearity(1e3 * drive + 5e4, spikes, name)
    np.testing.assert_allclose(other(1e3 * PLACES + 5e4), one(PLACES), rtol=1e-3)
    assert other.parameters["gain"][0] == pytest.approx(1e-3 * one.parameters["gain"][0], rel=1e-3)
    assert other.parameters["gain"][1] == pytest.approx(1e-3 * one.parameters["gain"][1], rel=1e-2)


@pytest.mark.parametrize("name", FORMS)
def test_the_formula_that_made_the_spikes_is_the_one_that_is_chosen(name: str) -> None:
    found = estimate_nonlinearity(*recorded(name, 10000, seed=2), "parametric")
    names = [found.method, *(one.method for one in found.others)]
    assert sorted(names) == sorted(FORMS)
    assert [one.aic for one in found.others] == sorted(one.aic for one in found.others)
    own = next(one for one in (found, *found.others) if one.method == name)
    # an exponential is also the limit of others, which chance may put in front of it
    assert own.aic - found.aic < 4.0
    if name != "exponential":
        assert found.method == name
        assert found.bits_per_spike == max(one.bits_per_spike for one in (found, *found.others))


@pytest.mark.parametrize("method", ["histogram", "spline"])
@pytest.mark.parametrize("name", TRUTHS)
def test_curves_of_no_formula_follow_any_nonlinearity(name: str, method: str) -> None:
    found = estimate_nonlinearity(*recorded(name, 20000), method, groups=40)
    truth = TRUTHS[name](PLACES)
    size = float(np.sqrt(np.mean((found(PLACES) - truth) ** 2)) / truth.max())
    assert size < (0.06 if method == "histogram" else 0.03)


@pytest.mark.parametrize("method", ["spline", "softplus", "histogram"])
def test_intervals_hold_the_truth_as_often_as_they_say(method: str) -> None:
    inside = []
    for seed in range(30):
        drive, spikes = recorded("softplus", 1500, seed)
        found = estimate_nonlinearity(drive, spikes, method)
        if method == "histogram":  # what a group estimates is the mean of the rates in it
            groups = np.searchsorted(found.groups.edges[1:-1].numpy(), drive, side="right")
            truth = np.array([TRUTHS["softplus"](drive[groups == k]).mean() for k in range(12)])
            low, high = found.interval(found.groups.drive.numpy())
        else:
            truth, (low, high) = TRUTHS["softplus"](PLACES), found.interval(PLACES)
        inside.append(np.mean((low <= truth) & (truth <= high)))
    assert 0.9 < np.mean(inside) < 0.995


def test_errors_grow_with_counts_that_vary_more_than_poisson() -> None:
    drive, spikes = recorded("exponential", 4000)
    rng = np.random.default_rng(1)
    bursts = rng.poisson(rng.gamma(0.25, 4.0 * np.exp(0.8 * drive - 1.5)))  # variance r + 4 r^2
    for method in ("exponential", "spline", "histogram"):
        calm, wild = (estimate_nonlinearity(drive, y, method).error([0.0, 1.0, 1.5]) for y in (spikes, bursts))
        assert (wild > 1.2 * calm).all()


def test_a_histogram_is_means_of_equally_many_frames() -> None:
    drive, spikes = recorded("sigmoid", 1200)
    found = estimate_nonlinearity(drive, spikes, "histogram", groups=10)
    order = np.argsort(drive).reshape(10, 120)
    np.testing.assert_allclose(found.groups.frames, 120)
    np.testing.assert_allclose(found(found.groups.drive.numpy()), spikes[order].mean(axis=1))
    wanted = spikes[order].std(axis=1, ddof=1) / np.sqrt(120)
    np.testing.assert_allclose(found.error(found.groups.drive.numpy()), wanted)
    assert found([-99.0, 99.0]).tolist() == [spikes[order[0]].mean(), spikes[order[-1]].mean()]


def test_frames_of_one_drive_stand_in_one_group() -> None:
    rng = np.random.default_rng(0)
    drive = rng.choice([-1.0, 0.0, 1.0], 900, p=[0.6, 0.3, 0.1])
    spikes = rng.poisson(np.exp(drive))
    for method in ("histogram", "spline", "exponential"):
        found = estimate_nonlinearity(drive, spikes, method)
        means = [spikes[drive == u].mean() for u in (-1.0, 0.0, 1.0)]
        np.testing.assert_allclose(found([-1.0, 0.0, 1.0]), means, rtol=0.3)
        assert len(found.groups.frames) == 3
        assert float(found.groups.frames.sum()) == 900


@pytest.mark.parametrize("name", ["square", "sigmoid"])
def test_a_monotone_spline_never_falls(name: str) -> None:
    drive, spikes = recorded(name, 3000)
    fine = np.linspace(drive.min(), drive.max(), 2000)
    found = estimate_nonlinearity(drive, spikes, "spline", monotone=True)
    assert (np.diff(found(fine)) >= -1e-12).all()
    free = estimate_nonlinearity(drive, spikes, "spline")
    if name == "square":
        assert (np.diff(free(fine)) < 0).any()
        assert found.aic > free.aic + 100
    else:
        np.testing.assert_allclose(found(PLACES), free(PLACES), atol=0.1)


def test_a_spline_of_an_exponential_is_nearly_straight_in_the_logarithm() -> None:
    found = estimate_nonlinearity(*recorded("exponential", 3000, seed=4), "spline")
    assert found.curve.n_parameters < 4.0
    assert float(np.abs(np.diff(np.log(found(PLACES)), n=2)).max()) < 0.1


def test_the_log_likelihood_is_that_of_the_distribution() -> None:
    rate, counts = torch.tensor([0.5, 2.0]).double(), torch.tensor([0.0, 3.0]).double()
    wanted = torch.distributions.Poisson(rate).log_prob(counts).sum()
    assert log_likelihood(rate, counts) == pytest.approx(float(wanted))


def test_the_interval_of_a_count_has_the_tails_it_should() -> None:
    counts = torch.tensor([0.0, 1.0, 7.0, 400.0]).double()
    low, high = poisson_interval(counts, 0.9)
    above = torch.special.gammainc(counts[1:], low[1:])  # P(N >= n)
    torch.testing.assert_close(above, torch.full_like(above, 0.05))
    below = torch.special.gammaincc(counts + 1, high)
    torch.testing.assert_close(below, torch.full_like(below, 0.05))
    assert float(low[0]) == 0.0


def test_what_is_held_out_is_worth_less_than_what_was_fitted() -> None:
    drive, spikes = recorded("power", 600)
    for method in ("histogram", "spline", "power"):
        found = estimate_nonlinearity(drive, spikes, method)
        assert found.bits_per_spike < convis.estimation.bits_per_spike(found(drive).clip(1e-9), spikes)


@pytest.mark.parametrize("method", NONLINEARITY_METHODS)
def test_every_method_keeps_shapes_and_says_what_it_found(method: str) -> None:
    drive, spikes = recorded("sigmoid", 800)
    found = estimate_nonlinearity(drive.reshape(4, 200), spikes.reshape(4, 200), method)
    grid = PLACES[:12].reshape(3, 4)
    assert found(grid).shape == found.error(grid).shape == found.interval(grid)[1].shape == (3, 4)
    assert (found(grid) >= 0).all() and np.isfinite(found.error(grid)).all()
    for row in found.rows():
        for cell in row:
            assert cell in str(found) and cell in found._repr_html_()
    assert max(map(len, str(found).splitlines())) <= 100  # a notebook wraps longer ones in the middle of a word
    line = found.plot(plt.figure().gca())
    np.testing.assert_allclose(line.get_ydata(), found(line.get_xdata()))
    line.figure.canvas.draw()
    plt.close("all")


def test_the_nonlinearity_of_a_fitted_cell_is_found_from_its_drive() -> None:
    rng = np.random.default_rng(0)
    movie = rng.standard_normal((4000, 5, 5))
    rate = 1.2 / (1 + np.exp(2 - 2.5 * movie[:, 2, 2]))
    spikes = rng.poisson(rate)
    field = convis.fit_receptive_field(movie, spikes, n_lags=2, n_history=0)
    drive = field.drive(movie)
    np.testing.assert_allclose(np.log1p(np.exp(drive)), field.predict(movie))
    found = estimate_nonlinearity(drive, spikes, "parametric")
    assert found.method == "sigmoid"
    assert found.parameters["amplitude"][0] == pytest.approx(1.2, abs=4 * found.parameters["amplitude"][1])


@pytest.mark.parametrize("method", ["histogram", "spline", "monotone", *FORMS])
@pytest.mark.parametrize("kind", ["heavy tails", "an outlier", "two values", "mostly 0", "far from 0"])
def test_odd_drives_and_counts_give_finite_curves(kind: str, method: str) -> None:
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(200)
    drive = {
        "heavy tails": rng.standard_cauchy(200),
        "an outlier": np.append(normal[1:], 1e6),
        "two values": (normal > 0).astype(float),
        "mostly 0": np.where(rng.random(200) < 0.95, 0.0, normal),
        "far from 0": 1e6 + normal,
    }[kind]
    for spikes in (rng.poisson(100, 200), drive >= np.quantile(drive, 0.9), np.repeat([1, 0], 100)):
        options = {"method": "spline", "monotone": True} if method == "monotone" else {"method": method}
        found = estimate_nonlinearity(drive, spikes.astype(float), **options)  # type: ignore[arg-type]
        at = np.concatenate([drive, [drive.min() - 1, drive.max() + 1]])
        low, high = found.interval(at)
        assert np.isfinite([found(at), found.error(at)]).all() and (low <= high).all()
        if method in ("histogram", "spline", "monotone"):
            assert found(drive).sum() == pytest.approx(spikes.sum(), rel=0.05)


def test_an_exponential_of_a_drive_with_far_outliers_is_no_worse_than_a_constant_rate() -> None:
    """From a gain of half a spread it cannot climb down, for the rate of the outliers is beyond all numbers."""
    normal = np.random.default_rng(0).standard_normal(2000)
    drive, spikes = np.sinh(5 * normal), np.random.default_rng(1).poisson(np.exp(normal - 1))
    found = estimate_nonlinearity(drive, spikes, "exponential")
    constant = log_likelihood(torch.full((2000,), spikes.mean(), dtype=torch.float64), torch.tensor(spikes))
    assert found.curve.log_likelihood >= constant


def refused(match: str, *arguments: object, **options: object) -> None:
    with pytest.raises(convis.ConvisError, match=match):
        estimate_nonlinearity(*arguments, **options)  # type: ignore[arg-type]


def test_bad_input_is_refused() -> None:
    drive, spikes = recorded("softplus", 200)
    refused(r"differ in shape: \[199\] and \[200\]", drive[1:], spikes)
    refused("finite", np.where(drive > 1, np.nan, drive), spikes)
    refused("whole numbers", drive, spikes + 0.5)
    refused("no spikes", drive, 0 * spikes)
    refused("drive of 1e[+]300", np.append(drive[1:], 1e300), spikes)
    refused("is 3 in every frame", 0 * drive + 3, spikes)
    refused("histogram, spline, parametric", drive, spikes, "cubic")
    refused("for the spline", drive, spikes, "sigmoid", monotone=True)
    refused("groups", drive, spikes, groups=0)
    refused("at least 20 frames", drive[:10], np.ones(10))
    with pytest.raises(convis.ConvisError, match="between 0 and 1"):
        estimate_nonlinearity(drive, spikes).interval(0.0, level=95)
    assert isinstance(estimate_nonlinearity(drive, spikes), NonlinearityEstimate)
