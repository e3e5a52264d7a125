"""Time courses split into few numbers: where they do it changes nothing, where they do not they are left whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.ops import separable
from convis_core.ops.separable import convolve_time
from convis_core.ops.thin_tail import RANK, thin_tail


def exponentials(n_lags: int, *taus: float) -> torch.Tensor:
    t = torch.arange(n_lags, dtype=torch.float64)
    return torch.stack([(-1) ** k * torch.exp(-t / tau) / tau for k, tau in enumerate(taus)]).sum(0)


def directly(x: torch.Tensor, profile: torch.Tensor, past: torch.Tensor) -> np.ndarray[Any, Any]:
    """By the definition."""
    frames = torch.cat([past, x], dim=2)[0, 0].flatten(1).double().numpy()
    course = profile.double().numpy()
    lags = len(course)
    return np.stack([np.convolve(pixel, course)[lags - 1 : lags - 1 + x.shape[2]] for pixel in frames.T], axis=1)


@settings(max_examples=25, derandomize=True)
@given(
    n_steps=st.integers(1, 300),
    n_lags=st.integers(2, 700),
    taus=st.lists(st.floats(2.0, 150.0), min_size=1, max_size=4),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_a_smooth_course_is_convolved_exactly(n_steps: int, n_lags: int, taus: list[float], dtype: Any) -> None:
    torch.manual_seed(1)
    profile = exponentials(n_lags, *taus).to(dtype)
    x, past = torch.randn(1, 1, n_steps, 2, 2, dtype=dtype), torch.randn(1, 1, n_lags - 1, 2, 2, dtype=dtype)
    got, after = convolve_time(x, profile, past)
    wanted = directly(x, profile, past)
    scale = float(profile.abs().sum()) * 5
    np.testing.assert_allclose(
        got[0, 0].flatten(1), wanted, rtol=0, atol=scale * (2e-6 if dtype == torch.float32 else 1e-13)
    )
    torch.testing.assert_close(after, torch.cat([past, x], dim=2)[:, :, n_steps:], rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_courses_of_few_exponentials_split_and_others_do_not(dtype: torch.dtype) -> None:
    smooth = exponentials(600, 10.0, 100.0).to(dtype)
    factors = thin_tail(smooth, 100)
    assert factors is not None and [tuple(f.shape) for f in factors] == [(100, RANK), (RANK, 499)]
    weights = torch.stack([smooth[i + 1 : i + 500].flip(0) for i in range(100)])
    torch.testing.assert_close(
        factors[0] @ factors[1], weights, rtol=0, atol=float(100 * torch.finfo(dtype).eps * smooth.max())
    )
    bumpy = smooth.clone()
    bumpy[300] += 1e-3
    assert thin_tail(bumpy, 100) is None
    assert thin_tail(smooth, 300) is None, "too short to be worth it"
    assert thin_tail(smooth[:40], 4) is None, "a few steps are no more than what would stand for the past"


def test_a_bump_is_not_lost() -> None:
    x, past = torch.randn(1, 1, 200, 1, 1), torch.randn(1, 1, 599, 1, 1)
    bumpy = exponentials(600, 50.0).float()
    bumpy[317] += 0.5
    np.testing.assert_allclose(convolve_time(x, bumpy, past)[0].flatten(), directly(x, bumpy, past).ravel(), atol=1e-5)


def test_gradients_take_the_other_way_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    x, past = torch.randn(1, 2, 150, 3, 2), torch.randn(1, 2, 499, 3, 2)
    profile = exponentials(500, 20.0, 80.0).float()
    split = convolve_time(x, profile, past)[0]
    learnt = convolve_time(x, profile.clone().requires_grad_(), past)[0]
    assert learnt.requires_grad
    torch.testing.assert_close(learnt.detach(), split, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(separable, "thin_tail", lambda *_: None)
    torch.testing.assert_close(convolve_time(x, profile, past)[0], split, rtol=1e-4, atol=1e-5)
