"""Penalties against values worked by hand, their invariances and their slopes."""

from __future__ import annotations

import pytest
import torch

import convis_core as convis
from convis_core.errors import FitError
from convis_core.loops.regularisers import L1, L2, GroupSparsity, Locality, LowRank, Regulariser, Smoothness

ALL = [L1(1.0), L2(1.0), Smoothness(1.0), Locality(1.0), LowRank(1.0), GroupSparsity(1.0)]


def kernel(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 3, 4, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("penalty", ALL, ids=repr)
def test_slopes_are_right(penalty: Regulariser) -> None:
    weights = kernel()[:1, :2, :3, :3, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(penalty.of, (weights,))


@pytest.mark.parametrize("penalty", ALL, ids=repr)
def test_nothing_costs_nothing_and_has_a_finite_slope(penalty: Regulariser) -> None:
    weights = torch.zeros(1, 1, 3, 4, 4, requires_grad=True)
    value = penalty.of(weights)
    value.backward()
    assert float(value.detach()) == pytest.approx(0.0, abs=1e-5)
    assert weights.grad is not None and bool(torch.isfinite(weights.grad).all())


def test_smoothness_lets_straight_lines_be_and_tells_time_from_space() -> None:
    ramp = torch.arange(6.0).reshape(1, 1, 6, 1, 1).expand(1, 1, 6, 5, 5)
    assert float(Smoothness(1.0).of(ramp)) == 0.0
    bent = ramp.square()
    assert float(Smoothness(1.0, time=0.0).of(bent)) == 0.0
    assert float(Smoothness(1.0, space=0.0).of(bent)) == 4 * 25 * 4.0  # second differences of 2 in 4 places


def test_locality_moves_with_the_kernel_and_does_not_mind_its_size() -> None:
    blob = torch.zeros(1, 1, 1, 9, 9)
    blob[..., 2:5, 1:4] = torch.rand(3, 3, generator=torch.Generator().manual_seed(1))
    moved = torch.roll(blob, (3, 4), dims=(-2, -1))
    assert float(Locality(1.0).of(blob)) == pytest.approx(float(Locality(1.0).of(moved)), rel=1e-4)
    assert float(Locality(1.0).of(3 * blob)) == pytest.approx(float(Locality(1.0).of(blob)), rel=1e-4)


def test_low_rank_is_the_norm_of_a_separable_kernel() -> None:
    time, space = torch.randn(1, 1, 5, 1, 1), torch.randn(1, 1, 1, 4, 4)
    assert float(LowRank(1.0).of(time * space)) == pytest.approx(float((time * space).norm()), rel=1e-5)
    mixed = kernel()[:1, :1]
    assert float(LowRank(1.0).of(mixed)) > float(mixed.norm())


def test_groups_cost_least_when_few_channels_are_used() -> None:
    one, spread = torch.zeros(1, 4, 1, 2, 2), torch.full((1, 4, 1, 2, 2), 0.5)
    one[0, 0] = 1.0
    assert float(one.norm()) == float(spread.norm())
    assert float(GroupSparsity(1.0).of(one)) < float(GroupSparsity(1.0).of(spread))


def test_penalties_apply_to_what_is_fitted_or_named() -> None:
    model = convis.models.LN(kernel_dim=(3, 3, 3))
    names = [name for name, parameter in model.named_parameters() if parameter.ndim == 5]
    expected = sum(float(p.detach().square().sum()) for n, p in model.named_parameters() if n in names)
    assert float(L2(2.0, names)(model).detach()) == pytest.approx(2 * expected)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(FitError, match="finds no parameter"):
        L2(1.0)(model)
    with pytest.raises(FitError, match="no parameter ghost"):
        L2(1.0, ["ghost"])(model)
    with pytest.raises(FitError, match="at least 0, got -1"):
        L1(-1.0)
