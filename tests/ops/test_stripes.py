"""The compiled covariance of a striped map is its formula, and its slopes those of automatic differentiation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from convis_core.ops.stripes import stripes_covariance, stripes_slope


def formula(numbers: Tensor, size: tuple[int, int]) -> Tensor:
    """As it is written, every pair of pixels for itself."""
    place = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float64) for n in size))
    x, y = (place - numbers[1:3]).unbind(dim=1)
    across, along = x * numbers[3].exp(), x * numbers[4] + y * numbers[5].exp()
    envelope = torch.exp(-0.25 * (across.square() + along.square()))
    apart = place[:, None] - place
    near = torch.exp(-0.5 * apart.square().sum(dim=-1) * torch.exp(-2 * numbers[6]))
    waves = torch.cos(2 * math.pi * (apart @ numbers[7:9]))
    return numbers[0].exp() * envelope[:, None] * envelope * near * waves


@pytest.mark.parametrize("size", [(6, 6), (3, 7), (1, 4), (1, 1)])
def test_it_is_the_formula_and_so_are_its_slopes(size: tuple[int, int]) -> None:
    dice = torch.Generator().manual_seed(sum(size))
    middle = torch.tensor([0.0, size[0] / 2, size[1] / 2, -0.5, 0.0, -0.3, 0.6, 0.0, 0.0]).double()
    for _ in range(3):
        numbers = (middle + 0.2 * torch.randn(9, generator=dice)).requires_grad_()
        wanted = formula(numbers, size)
        found = stripes_covariance(numbers.detach().numpy(), size)
        torch.testing.assert_close(torch.from_numpy(found), wanted.detach())
        slope = torch.randn(wanted.shape, generator=dice).double()
        slope = slope + slope.T
        wanted.backward(slope)
        pulled = torch.from_numpy(stripes_slope(numbers.detach().numpy(), size, slope.numpy()))
        torch.testing.assert_close(pulled, numbers.grad)
