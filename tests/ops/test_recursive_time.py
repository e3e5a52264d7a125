"""Filters in time that are recursions: their closed forms, and the compiled loops against the plain ones."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from convis_core.errors import ConvisError
from convis_core.ops.leaky_heat import leaky_heat_equation
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.recursive_time import exponential_filter

STEP = 0.005


def frames(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("tau", [1e-4, 0.004, 0.5])
def test_step_and_impulse_response(tau: float) -> None:
    ones, rest = torch.ones(1, 1, 300, 1, 1, dtype=torch.float64), torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    y, last = exponential_filter(ones, tau, STEP, rest)
    times = STEP * torch.arange(1, 301, dtype=torch.float64)
    torch.testing.assert_close(y.flatten(), 1 - torch.exp(-times / tau))
    assert float(last) == float(y[0, 0, -1])
    torch.testing.assert_close(exponential_filter(ones, tau, STEP)[0], ones)  # has lasted for ever


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float64, 1e-12)], ids=str)
@pytest.mark.parametrize("size", [(1, 1, 300, 3, 4), (2, 3, 7, 1, 5), (1, 1, 60, 200, 210)], ids=str)
def test_loop_and_matrices_agree(dtype: torch.dtype, tolerance: float, size: tuple[int, ...]) -> None:
    x = frames(*size, dtype=dtype)
    for last in (None, x[:, :, 1]):
        pair = exponential_filter(x, 0.05, STEP, last), exponential_filter(x, 0.05, STEP, last, compiled=False)
        for a, b in zip(*pair, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=tolerance * float(x.abs().max()))


@pytest.mark.parametrize("scale", [0.2, 1.5, "map", "literal map"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float64, 1e-12)], ids=str)
def test_leaky_heat_loops_agree(scale: Any, dtype: torch.dtype, tolerance: float) -> None:
    x = frames(2, 2, 20, 6, 9, dtype=dtype)
    sigma = scale if isinstance(scale, float) else 0.5 + torch.rand(6, 9, dtype=dtype)
    for last in (None, x[:, :, 1]):
        options: dict[str, Any] = {"virtual_retina_logpolar": scale == "literal map"}
        quick = leaky_heat_equation(x, 0.01, sigma, STEP, last, **options)
        plain = leaky_heat_equation(x, 0.01, sigma, STEP, last, compiled=False, **options)
        for a, b in zip(quick, plain, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=tolerance * float(x.abs().max()))


def test_what_is_older_has_spread_further() -> None:
    """A flash of k steps ago was blurred k times, and has decayed as in the exponential filter."""
    x = torch.zeros(1, 1, 4, 31, 31, dtype=torch.float64)
    x[0, 0, 0, 15, 15] = 1.0
    y, _ = leaky_heat_equation(x, 0.01, 3.0, STEP, torch.zeros(1, 1, 31, 31, dtype=torch.float64))
    keep = math.exp(-0.5)
    spot = x[:, :, :1] * (1 - keep)
    for t in range(4):
        spot = recursive_blur(spot, 3.0 * math.sqrt(0.5)) * (1 if t == 0 else keep)
        torch.testing.assert_close(y[:, :, t : t + 1], spot)


@pytest.mark.parametrize("sigma", [0.05, 2.0])
def test_a_uniform_image_is_filtered_in_time_only(sigma: float) -> None:
    x = frames(1, 1, 50, 1, 1).expand(-1, -1, -1, 7, 8)
    torch.testing.assert_close(leaky_heat_equation(x, 0.01, sigma, STEP)[0], exponential_filter(x, 0.01, STEP)[0])


def test_gradients() -> None:
    x, last = frames(1, 1, 5, 3, 4).requires_grad_(True), frames(1, 1, 3, 4).requires_grad_(True)
    tau, sigma = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.01, 1.5))
    assert torch.autograd.gradcheck(lambda x, t, y: exponential_filter(x, t, STEP, y), (x, tau, last))
    assert torch.autograd.gradcheck(
        lambda x, t, s, y: leaky_heat_equation(x, t, s, STEP, y), (x, tau, sigma, last), fast_mode=True
    )
    assert torch.autograd.gradcheck(lambda x, t, s: leaky_heat_equation(x, t, s, STEP)[0], (x, tau, sigma))


def test_what_does_not_fit_is_refused() -> None:
    x = frames(1, 1, 5, 3, 4)
    with pytest.raises(ConvisError, match=r"should be \[1, 1, 3, 4\]"):
        exponential_filter(x, 0.01, STEP, x[:, :, 0, :2])
    with pytest.raises(ConvisError, match="tau must be at least 0"):
        exponential_filter(x, -0.01, STEP)
    with pytest.raises(ConvisError, match="tau must be above 0"):
        leaky_heat_equation(x, 0.0, 1.0, STEP)


def test_no_time_constant_is_no_filter() -> None:
    x = frames(1, 1, 5, 3, 4)
    y, last = exponential_filter(x, 0.0, STEP, x[:, :, 2])
    assert bool((y == x).all()) and bool((last == x[:, :, -1]).all())
