"""Kernels against the moments and shapes that their formulas have."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.ops.kernels import (
    biphasic,
    cascade,
    convolved,
    difference_of_gaussians,
    gaussian_2d,
    unit_sum,
)

WIDE = torch.float64


def number(value: float, *, grad: bool = False) -> Tensor:
    return torch.tensor(value, dtype=WIDE, requires_grad=grad)


def moments(kernel: Tensor) -> tuple[float, float]:
    t = torch.arange(len(kernel), dtype=kernel.dtype)
    mean = float((kernel * t).sum())
    return mean, float((kernel * (t - mean) ** 2).sum())


@pytest.mark.parametrize("sigma", [0.8, 1.5, 4.0])
def test_a_gaussian_has_its_width_and_is_round(sigma: float) -> None:
    radius = 30
    k = gaussian_2d(number(sigma), radius)
    mean, variance = moments(k.sum(1))
    assert k.sum().item() == pytest.approx(1.0)
    assert mean == pytest.approx(radius)
    assert variance == pytest.approx(sigma**2, rel=1e-3)
    torch.testing.assert_close(k, k.T, rtol=0, atol=0)
    torch.testing.assert_close(k, k.flip(0, 1))
    ratio = k[radius + 2, radius + 1] / k[radius, radius]
    assert ratio.item() == pytest.approx(math.exp(-5 / (2 * sigma**2)))


def test_a_very_narrow_gaussian_is_one_pixel() -> None:
    k = gaussian_2d(number(1e-3), radius=2)
    assert k[2, 2] == 1 and k.sum() == 1


def test_centre_minus_surround() -> None:
    k = difference_of_gaussians(number(1.0), number(3.0), number(0.8), radius=20)
    assert k.sum().item() == pytest.approx(0.2)
    assert k[20, 20] > 0 > k[20, 24]
    spread = float((k.sum(1) * torch.arange(-20, 21) ** 2).sum())
    assert spread == pytest.approx(1.0**2 - 0.8 * 3.0**2, rel=1e-3)


@pytest.mark.parametrize(("tau", "poles"), [(3.0, 1), (10.0, 1), (5.0, 2), (5.0, 5)])
def test_a_cascade_has_the_moments_of_its_geometric_delays(tau: float, poles: int) -> None:
    decay = math.exp(-1 / tau)
    mean, variance = moments(cascade(number(tau), 400, poles))
    assert mean == pytest.approx(poles * decay / (1 - decay))
    assert variance == pytest.approx(poles * decay / (1 - decay) ** 2)


def test_a_cascade_is_its_filters_in_series() -> None:
    single, length = cascade(number(20.0), 2000), 300
    thrice = convolved(convolved(single, single), single)
    torch.testing.assert_close(cascade(number(20.0), 2000, poles=3)[:length], thrice[:length])


def test_a_biphasic_kernel_changes_sign_once_and_sums_to_what_is_left() -> None:
    k = biphasic(number(4.0), number(6.0), number(0.9), length=400)
    signs = torch.sign(k[1:200])
    assert (signs[1:] != signs[:-1]).sum() == 1 and signs[0] > 0
    assert k.sum().item() == pytest.approx(0.1)


def test_unit_sum_over_chosen_axes() -> None:
    weight = torch.rand(3, 2, 4, 5, 5)
    torch.testing.assert_close(unit_sum(weight).sum(), torch.tensor(1.0))
    torch.testing.assert_close(unit_sum(weight, (1, 2, 3, 4)).flatten(1).sum(1), torch.ones(3))


@pytest.mark.parametrize(
    ("kernel", "values"),
    [
        (lambda s: gaussian_2d(s, 5), (1.3,)),
        (lambda c, s, w: difference_of_gaussians(c, s, w, 5), (0.9, 2.1, 0.7)),
        (lambda tau: cascade(tau, 20), (4.0,)),
        (lambda tau: cascade(tau, 20, poles=3), (2.5,)),
        (lambda a, b: convolved(cascade(a, 20), cascade(b, 20)), (2.5, 4.0)),
        (lambda a, b, w: biphasic(a, b, w, 30), (2.0, 3.0, 0.8)),
        (lambda a, b: unit_sum(torch.stack([a, b])), (2.0, 3.0)),
    ],
)
def test_gradients_of_every_parameter(kernel: Callable[..., Tensor], values: tuple[float, ...]) -> None:
    assert torch.autograd.gradcheck(kernel, [number(v, grad=True) for v in values])


def test_a_kernel_of_zero_sum_cannot_be_normalised() -> None:
    with pytest.raises(ParameterError, match="sums to 0"):
        unit_sum(torch.tensor([1.0, -1.0]))
