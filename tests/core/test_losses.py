"""Losses are the likelihoods they are called after, and weights leave out what they say."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, NegativeBinomial, Poisson

from convis_core.errors import ConvisError, FitError
from convis_core.loops.losses import (
    PointwiseLoss,
    bernoulli_loss,
    mean_squared_error,
    negative_binomial_loss,
    poisson_loss,
    sum_squared_error,
    weighted,
)

RATES = torch.tensor([[0.3, 1.2, 2.5, 0.9]], dtype=torch.float64)
OTHERS = torch.tensor([[0.6, 0.2, 2.0, 1.9]], dtype=torch.float64)
COUNTS = torch.tensor([[0.0, 1.0, 4.0, 2.0]], dtype=torch.float64)
ALL = [sum_squared_error, mean_squared_error, poisson_loss, negative_binomial_loss(0.5)]


def test_worked_values() -> None:
    one, two = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])
    assert float(sum_squared_error(one, two)) == 4.0
    assert float(mean_squared_error(one, two)) == 2.0
    assert float(poisson_loss(one, one)) == pytest.approx(1 + 2 - 2 * math.log(2))
    assert float(bernoulli_loss(torch.tensor([0.5, 0.25]), torch.tensor([1.0, 0.0]))) == pytest.approx(
        math.log(2) - math.log(0.75)
    )


def test_the_poisson_loss_is_the_likelihood_up_to_a_constant() -> None:
    ours = poisson_loss(RATES, COUNTS) - poisson_loss(OTHERS, COUNTS)
    theirs = Poisson(OTHERS).log_prob(COUNTS).sum() - Poisson(RATES).log_prob(COUNTS).sum()
    assert float(ours) == pytest.approx(float(theirs))


def test_the_negative_binomial_loss_is_the_likelihood_up_to_a_constant() -> None:
    alpha = 0.7

    def likelihood(rate: torch.Tensor) -> torch.Tensor:
        return NegativeBinomial(1 / alpha, probs=alpha * rate / (1 + alpha * rate)).log_prob(COUNTS).sum()

    loss = negative_binomial_loss(alpha)
    assert float(loss(RATES, COUNTS) - loss(OTHERS, COUNTS)) == pytest.approx(
        float(likelihood(OTHERS) - likelihood(RATES))
    )


def test_without_dispersion_the_negative_binomial_is_poisson() -> None:
    loss = negative_binomial_loss(1e-7)
    ours = loss(RATES, COUNTS) - loss(OTHERS, COUNTS)
    assert float(ours) == pytest.approx(float(poisson_loss(RATES, COUNTS) - poisson_loss(OTHERS, COUNTS)), abs=1e-5)


def test_the_bernoulli_loss_is_the_likelihood() -> None:
    chance, events = RATES / 3, (COUNTS > 0).double()
    assert float(bernoulli_loss(chance, events)) == pytest.approx(float(-Bernoulli(chance).log_prob(events).sum()))


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_losses_are_least_at_the_target_and_have_the_right_slope(loss: PointwiseLoss) -> None:
    at = COUNTS + 0.1
    assert float(loss(COUNTS.clamp_min(1e-9), COUNTS)) < float(loss(at, COUNTS))
    assert torch.autograd.gradcheck(lambda r: loss(r, COUNTS), (at.requires_grad_(),))


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_a_weight_of_two_counts_a_point_twice(loss: PointwiseLoss) -> None:
    twice = torch.cat([RATES, RATES[:, :1]], dim=1), torch.cat([COUNTS, COUNTS[:, :1]], dim=1)
    weights = torch.tensor([[2.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    assert float(loss(RATES, COUNTS, weights)) == pytest.approx(float(loss(*twice)))


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_what_is_masked_can_be_anything(loss: PointwiseLoss) -> None:
    broken = COUNTS.clone()
    broken[0, 1] = math.nan
    weights = torch.tensor([[1.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    rates = RATES.clone().requires_grad_()
    value = loss(rates, broken, weights)
    value.backward()
    keep = [0, 2, 3]
    assert float(value.detach()) == pytest.approx(float(loss(RATES[:, keep], COUNTS[:, keep])))
    assert rates.grad is not None and float(rates.grad[0, 1]) == 0.0 and bool(torch.isfinite(rates.grad).all())


@pytest.mark.parametrize(
    ("loss", "target", "says"),
    [
        (poisson_loss, [-1.0], "whole numbers of at least 0, got -1"),
        (poisson_loss, [0.5], "got 0.5"),
        (negative_binomial_loss(1.0), [1.5], "negative-binomial"),
        (bernoulli_loss, [2.0], "from 0 to 1"),
    ],
)
def test_targets_that_no_likelihood_knows_are_refused(loss: PointwiseLoss, target: list[float], says: str) -> None:
    with pytest.raises(FitError, match=says):
        loss(torch.tensor([0.5]), torch.tensor(target))


def test_a_dispersion_and_a_foreign_loss_are_refused() -> None:
    with pytest.raises(ConvisError, match="more than 0"):
        negative_binomial_loss(0.0)
    with pytest.raises(ConvisError, match="cannot be weighted in l1_loss"):
        weighted(torch.nn.functional.l1_loss, RATES, COUNTS, RATES)
