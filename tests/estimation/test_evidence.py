"""Priors are covariances, and the evidence has the slope and the mean it says."""

from __future__ import annotations

import pytest
import torch

from convis_core.errors import ConvisError
from convis_core.estimation.coordinates import every_direction, likely_directions
from convis_core.estimation.evidence import (
    PseudoData,
    gram,
    log_evidence,
    maximise_evidence,
    posterior,
    posterior_covariance,
    pseudo_data,
    times,
)
from convis_core.estimation.filter_priors import Local, Smooth
from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.posterior_fits import Along
from convis_core.estimation.priors import LocalStripes, Prior, SmoothInTime
from convis_core.ops.lags import delayed_sum, lagged, raised_cosines, triggered_sum

SMOOTH, LOCAL = Smooth((4, 3, 5), power=0.6), Local((4, 3, 5), power=0.6)
PRIORS: list[Prior] = [
    LocalStripes((5, 4), power=0.7),
    SmoothInTime(6, 3),
    SmoothInTime(6, 0),
    Along(SMOOTH, every_direction(4, 15)),
    Along(LOCAL, every_direction(4, 15)),
    Along(LOCAL, likely_directions(*LOCAL.factors(LOCAL.expected)[:2])),
]


def pseudo(n_weights: int) -> PseudoData:
    dice = torch.Generator().manual_seed(0)
    root = torch.randn(n_weights, n_weights, dtype=torch.float64, generator=dice)
    data = 2 * torch.randn(n_weights, dtype=torch.float64, generator=dice)
    nothing = torch.zeros(n_weights, dtype=torch.float64)
    return PseudoData(root, data, root.T @ root, root.T @ data, nothing, nothing.sum(), nothing)


def somewhere(prior: Prior, dice: torch.Generator) -> torch.Tensor:
    return prior.expected + 0.7 * prior.spread * torch.randn(len(prior.expected), generator=dice).double()


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_a_prior_is_a_covariance_at_any_hyper_parameters(prior: Prior) -> None:
    dice = torch.Generator().manual_seed(1)
    for _ in range(5):
        covariance, _ = prior.at(somewhere(prior, dice))
        assert torch.allclose(covariance, covariance.T)
        values = torch.linalg.eigvalsh(covariance)
        assert float(values[0]) > -1e-9 * float(values[-1])


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_slopes_in_a_covariance_are_pulled_back_to_the_hyper_parameters(prior: Prior) -> None:
    dice, step = torch.Generator().manual_seed(4), 1e-5
    for _ in range(3):
        hyper = somewhere(prior, dice)
        covariance, pullback = prior.at(hyper)
        slope = torch.randn(covariance.shape, generator=dice).double()
        slope = slope + slope.T
        moves = step * torch.eye(len(hyper)).double()
        rises = [float(((prior.at(hyper + move)[0] - prior.at(hyper - move)[0]) * slope).sum()) for move in moves]
        wanted = torch.tensor(rises).double() / (2 * step)
        torch.testing.assert_close(pullback(slope), wanted, rtol=1e-6, atol=1e-6 * float(wanted.abs().max()))


def test_the_mean_and_the_evidence_are_those_of_the_gaussian() -> None:
    data = pseudo(6)
    factor = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    covariance = factor @ factor.T + torch.eye(6)
    evidence, mean, _ = posterior(data, covariance)
    direct = torch.linalg.solve(data.root.T @ data.root + torch.linalg.inv(covariance), data.root.T @ data.data)
    assert torch.allclose(mean, direct)
    of_data = torch.distributions.MultivariateNormal(
        torch.zeros(6).double(), torch.eye(6) + data.root @ covariance @ data.root.T
    )
    constant = 3 * torch.log(torch.tensor(2 * torch.pi))
    assert evidence == pytest.approx(float(of_data.log_prob(data.data) + constant))
    assert evidence == log_evidence(data, covariance)
    left = torch.linalg.inv(data.root.T @ data.root + torch.linalg.inv(covariance))
    assert torch.allclose(posterior_covariance(data, covariance), left)


def test_the_slope_of_the_evidence_is_right() -> None:
    data, covariance = pseudo(5), torch.eye(5, dtype=torch.float64) * 0.4
    slope = posterior(data, covariance)[2]()
    change = torch.zeros(5, 5, dtype=torch.float64)
    change[1, 3] = change[3, 1] = 1e-6
    rise = (posterior(data, covariance + change)[0] - posterior(data, covariance - change)[0]) / 2e-6
    assert rise == pytest.approx(float(2 * slope[1, 3]), rel=1e-5)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_climbing_ends_higher_than_it_began(prior: Prior) -> None:
    covariance, _ = prior.at(prior.expected)
    data = pseudo(len(covariance))
    start = log_evidence(data, covariance)
    hyper, weights, best = maximise_evidence(prior, data, prior.expected, max_steps=30)
    assert best > start
    assert torch.allclose(weights, posterior(data, prior.at(hyper)[0])[1])


@pytest.mark.parametrize("n", [7, 48, 100, 230])
def test_a_gram_matrix_has_all_products(n: int) -> None:
    columns = torch.randn(30, n, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(gram(columns), columns.T @ columns)


def test_the_first_sight_of_a_start_is_signal_over_noise() -> None:
    prior, dice = LocalStripes((5, 4), power=0.7), torch.Generator().manual_seed(6)
    pull = torch.randn(20, dtype=torch.float64, generator=dice)
    information = gram(torch.randn(30, 20, dtype=torch.float64, generator=dice))
    starts = prior.starts(prior.pixels[7])
    covariances = [prior.at(start)[0] for start in starts]
    wanted = torch.stack([pull @ c @ pull / (information @ c).trace() for c in covariances])
    torch.testing.assert_close(prior.first_sight(torch.stack(starts), pull, information), wanted)


def test_data_as_a_gaussian_are_the_likelihood_s_own_slope_and_curvature() -> None:
    """Whatever the weights: also where a column is 0 and says nothing."""
    dice = torch.Generator().manual_seed(7)
    design = torch.randn(200, 5, dtype=torch.float64, generator=dice) * torch.tensor([1.0, 1, 1, 1, 0])
    weights = torch.randn(5, dtype=torch.float64, generator=dice) / 4
    counts = torch.poisson(torch.ones(200, dtype=torch.float64), generator=dice)
    shape = nonlinearity_named("exponential")
    seen = pseudo_data(design, weights, design @ weights - 0.5, counts, shape)
    rate = torch.exp(design @ weights - 0.5)
    centred = design - (rate @ design) / rate.sum()
    torch.testing.assert_close(seen.root.T @ seen.root, seen.information)
    torch.testing.assert_close(seen.root.T @ seen.data, seen.pull)
    torch.testing.assert_close(seen.information, centred.T @ (rate[:, None] * centred), atol=1e-5, rtol=1e-5)
    slope = seen.root.T @ (seen.data - seen.root @ weights)
    torch.testing.assert_close(slope, centred.T @ (counts - rate), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("correlated", [False, True])
def test_a_design_in_single_precision_gives_the_same_data(correlated: bool) -> None:
    """Also where columns are nearly one another's copies: what they say together is not lost, and there is a root."""
    dice = torch.Generator().manual_seed(8)
    design = torch.randn(500, 30, dtype=torch.float64, generator=dice)
    design = design.cumsum(dim=1) + 1e-6 * design[:, :1] if correlated else design
    design[:, -1] = design[:, 0]
    weights = 0.02 * torch.randn(30, dtype=torch.float64, generator=dice)
    counts = torch.poisson(torch.ones(500, dtype=torch.float64), generator=dice)
    shape, covariance = nonlinearity_named("softplus"), 0.01 * torch.eye(30, dtype=torch.float64)
    drive = design @ weights
    double, single = (pseudo_data(x, weights, drive, counts, shape) for x in (design, design.float()))
    assert single.root.dtype == single.data.dtype == torch.float64
    torch.testing.assert_close(single.information, double.information, rtol=1e-4, atol=1e-4)
    (evidence, mean, slope), (wanted, means, slopes) = (posterior(data, covariance) for data in (single, double))
    assert evidence == pytest.approx(wanted, abs=1e-2)
    torch.testing.assert_close(mean, means, rtol=1e-3, atol=1e-3 * float(means.abs().max()))
    torch.testing.assert_close(slope(), slopes(), rtol=1e-2, atol=1e-2 * float(slopes().abs().max()))


def test_a_product_is_as_precise_as_the_columns() -> None:
    dice = torch.Generator().manual_seed(9)
    columns, weights = (torch.randn(*n, dtype=torch.float64, generator=dice) for n in ((40, 5), (5,)))
    assert torch.equal(times(columns, weights), columns @ weights)
    rounded = times(columns.float(), weights)
    assert rounded.dtype == torch.float64 and not torch.equal(rounded, columns @ weights)
    torch.testing.assert_close(rounded, columns @ weights, rtol=1e-5, atol=1e-6)


def test_sums_before_events_of_several_cells_are_those_of_each() -> None:
    dice = torch.Generator().manual_seed(3)
    events, signals = torch.randn(3, 20, generator=dice), torch.randn(20, 4, generator=dice)
    together = triggered_sum(events, signals, 5)
    for one, found in zip(events, together, strict=True):
        wanted = torch.stack([one[lag:] @ signals[: 20 - lag] for lag in range(5)])
        torch.testing.assert_close(found, wanted)
        torch.testing.assert_close(triggered_sum(one, signals, 5), wanted)


def test_delays_agree_with_one_another() -> None:
    dice = torch.Generator().manual_seed(3)
    signal, weights = torch.randn(20, generator=dice), torch.randn(4, generator=dice)
    assert torch.allclose(lagged(signal, 4) @ weights, delayed_sum(signal[:, None], weights)[:, 0], atol=1e-6)
    assert torch.equal(lagged(signal, 3, first=1)[:, 0], torch.cat([torch.zeros(1), signal[:-1]]))
    assert lagged(signal[:2], 5).shape == (2, 5)


def test_bumps_widen_with_the_lag() -> None:
    basis = raised_cosines(40, 6)
    width = (basis > 0.5).sum(dim=0)
    assert int(width[0]) < int(width[2]) < int(width[4])
    assert float(basis.min()) >= 0.0 and float(basis.max()) <= 1.0


def test_a_likelihood_without_any_curvature_is_told() -> None:
    """So far below threshold that no bin expects a spike, Newton's method has nothing to go by."""
    design, counts = torch.randn(50, 3).double(), torch.ones(50).double()
    with pytest.raises(ConvisError, match="lost its way"):
        pseudo_data(
            design, torch.zeros(3).double(), torch.full((50,), -1e6).double(), counts, nonlinearity_named("softplus")
        )
