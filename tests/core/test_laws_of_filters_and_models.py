"""Laws that filters, models, losses and penalties obey whatever the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convis_core import filters, models
from convis_core.errors import ConvisError
from convis_core.loops.bookmark import BestPass, Bookmark
from convis_core.loops.early_stopping import stop_early
from convis_core.loops.metrics import bits_per_spike, correlation, explained_variance, poisson_deviance, r_squared
from convis_core.loops.regularisers import L1, L2, GroupSparsity, Locality, LowRank, Smoothness

SEEDS = st.integers(0, 10_000)


def movie(seed: int, frames: int = 9, x: int = 4, y: int = 5) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((frames, x, y))


# Filters ----------------------------------------------------------------------------------------


@given(SEEDS, st.integers(1, 5), st.floats(-3, 3))
def test_a_convolution_is_linear_and_does_not_care_when(seed: int, shift: int, factor: float) -> None:
    conv = filters.Conv3d(kernel_dim=(3, 3, 2), bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(np.random.default_rng(seed).standard_normal(conv.weight.shape)))

    def filtered(x: Any) -> Any:
        conv.clear_state()  # a run goes on where the last one ended
        return conv.run(x).array()

    a, b = movie(seed), movie(seed + 1)
    np.testing.assert_allclose(filtered(a + factor * b), filtered(a) + factor * filtered(b), atol=2e-4)
    late = np.concatenate([np.repeat(a[:1], shift, axis=0), a])
    np.testing.assert_allclose(filtered(late)[:, :, shift + 2 :], filtered(a)[:, :, 2:], atol=1e-5)


@given(st.integers(0, 6), st.integers(0, 6), SEEDS)
def test_delays_add_up(first: int, second: int, seed: int) -> None:
    x = movie(seed, frames=15)
    one = filters.Delay(delay=first / 1000).run(x).array()
    twice = filters.Delay(delay=second / 1000).run(one[0, 0]).array()
    np.testing.assert_allclose(twice, filters.Delay(delay=(first + second) / 1000).run(x).array(), atol=1e-2)
    np.testing.assert_allclose(twice[0, 0, first + second :], x[: 15 - first - second], atol=1e-2)


@given(SEEDS)
def test_differences_add_up_to_the_change_since_the_start(seed: int) -> None:
    x = movie(seed)
    np.testing.assert_allclose(filters.Diff().run(x).array()[0, 0].cumsum(axis=0), x - x[:1], atol=1e-5)
    np.testing.assert_allclose(filters.Diff().run(x + 7).array(), filters.Diff().run(x).array(), atol=1e-5)


@given(st.floats(-1e3, 1e3), st.floats(0.05, 50.0))
def test_a_round_corner_lies_above_the_sharp_one_by_log_2_over_its_sharpness_at_most(u: float, beta: float) -> None:
    soft = filters.SoftPlus(sharpness=beta).run([u]).array().item()
    slack = 1e-6 * (1 + abs(u))
    assert max(u, 0.0) - slack <= soft <= max(u, 0.0) + np.log(2) / beta * (1 + 1e-5) + slack


@given(st.floats(-80, 80), st.floats(0.1, 1e3))
def test_a_sigmoid_is_odd_about_its_middle(u: float, amplitude: float) -> None:
    high, low = filters.Sigmoid(amplitude=amplitude).run([u, -u]).array().ravel()
    assert high + low == pytest.approx(amplitude, rel=1e-5)


@given(st.floats(0, 10))
def test_powers_of_one_and_two_are_the_layers_of_their_own_name(u: float) -> None:
    x = [u, -u]
    for exponent, same in ((1.0, filters.NLRectify()), (2.0, filters.NLRectifySquare())):
        np.testing.assert_allclose(filters.Power(exponent=exponent).run(x).array(), same.run(x).array(), rtol=1e-4)


def test_a_power_below_one_has_a_finite_slope_at_silence() -> None:
    layer, x = filters.Power(exponent=0.5), torch.zeros(1, 1, 3, 1, 1, requires_grad=True)
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all()  # type: ignore[arg-type]


# Models -----------------------------------------------------------------------------------------


@given(SEEDS)
def test_a_model_with_rectification_is_the_linear_one_rectified(seed: int) -> None:
    torch.manual_seed(seed)
    plain, rectified = models.L(kernel_dim=(2, 3, 3)), models.LN(kernel_dim=(2, 3, 3))
    rectified.load_state_dict(plain.state_dict(), strict=False)
    x = movie(seed)
    np.testing.assert_allclose(rectified.run(x).array(), np.maximum(plain.run(x).array(), 0), atol=1e-6)


def test_what_is_appended_replaces_no_part_that_has_its_name() -> None:
    first, second = filters.Diff(), filters.NLSquare()
    parts = models.List({"layer_1": first})
    parts.append(second)
    assert list(parts) == [first, second]


# Losses, penalties and scores ---------------------------------------------------------------------


@given(SEEDS, st.floats(0.1, 5.0))
def test_penalties_grow_with_the_kernel_as_norms_do(seed: int, factor: float) -> None:
    w = torch.from_numpy(np.random.default_rng(seed).standard_normal((2, 2, 4, 3, 5)))
    for penalty, power in ((L1(1), 1), (L2(1), 2), (Smoothness(1), 2), (Locality(1), 0), (LowRank(1), 1)):
        assert float(penalty.of(factor * w)) == pytest.approx(factor**power * float(penalty.of(w)), rel=1e-6)
    assert float(GroupSparsity(1).of(w)) <= float(L1(1).of(w))
    assert float(LowRank(1).of(w)) ** 2 >= float(L2(1).of(w)) / 4  # nuclear norms bound the Frobenius norms


@given(SEEDS)
def test_the_mean_count_scores_nothing_and_the_counts_themselves_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.0, 30) + np.eye(30)[0]
    rate = rng.uniform(0.1, 3.0, 30)
    assert bits_per_spike(np.full(30, counts.mean()), counts) == pytest.approx(0.0, abs=1e-9)
    assert bits_per_spike(rate, counts) <= bits_per_spike(counts, counts) + 1e-9
    assert poisson_deviance(rate, counts) >= 0
    assert poisson_deviance(counts, counts) == pytest.approx(0.0, abs=1e-9)
    order = rng.permutation(30)
    assert bits_per_spike(rate[order], counts[order]) == pytest.approx(bits_per_spike(rate, counts))


@given(SEEDS, st.floats(0.1, 10), st.floats(-10, 10))
def test_correlation_forgives_scale_and_offset_and_the_determination_does_not(
    seed: int, scale: float, offset: float
) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 40))
    assert correlation(scale * a + offset, b) == pytest.approx(correlation(a, b), abs=1e-9)
    assert correlation(-a, b) == pytest.approx(-correlation(a, b))
    assert r_squared(scale * a + offset, b) <= correlation(a, b) ** 2 + 1e-9
    assert r_squared(b, b) == 1.0


def test_the_ceiling_of_unrelated_trials_is_unknown() -> None:
    assert np.isnan(explained_variance([1.0, 2.0], [[1.0, -1.0], [-1.0, 1.0]]))


def test_a_rate_of_zero_where_a_spike_came_scores_minus_infinity() -> None:
    assert bits_per_spike([0.0, 1.0], [1.0, 1.0]) == -np.inf


# Early stopping ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Epoch:
    """What stop_early asks of a step."""

    bookmark: Bookmark
    ends_epoch: bool = True


def epochs(model: torch.nn.Linear, scores: list[float]) -> Any:
    """Steps that each end an epoch, and leave its number in the weight."""
    for number in range(1, len(scores) + 1):
        with torch.no_grad():
            model.weight.fill_(number)
        yield Epoch(Bookmark(number, 0, 0, number, BestPass.at_first(())))


@pytest.mark.parametrize(
    ("scores", "patience", "taken", "best"),
    [
        ([5, 4, 3, 6, 7, 1], 2, 4, 2),
        ([5, 6, 7, 8], 2, 2, 0),
        ([5, 4, 3, 2], 3, 3, 3),
        ([np.nan, 4, np.nan, 3], 5, 3, 3),
        ([5, np.nan, np.nan, 1], 2, 2, 0),
    ],
)
def test_the_best_epoch_is_kept_though_scores_may_be_nan(
    scores: list[float], patience: int, taken: int, best: int
) -> None:
    model, told = torch.nn.Linear(1, 1, bias=False), iter(scores)
    torch.nn.init.zeros_(model.weight)
    steps = list(stop_early(epochs(model, scores[1:]), model, lambda: next(told), patience=patience))  # type: ignore[arg-type]
    assert len(steps) == taken
    assert float(model.weight.detach()) == best


def test_no_patience_is_refused() -> None:
    model = torch.nn.Linear(1, 1)
    with pytest.raises(ConvisError, match="patience"):
        list(stop_early(epochs(model, [1.0]), model, lambda: 1.0, patience=0))  # type: ignore[arg-type]
