"""Convolution as a matrix product against the general convolution."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.separable import BLOCK, convolve_space, convolve_time


def random(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(lags=st.integers(1, 12), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_time_agrees_with_the_general_convolution_however_it_is_cut(lags: int, cuts: list[int]) -> None:
    x, profile = random(2, 3, sum(cuts), 2, 3), random(lags)
    expected = torch.cat(
        [causal_conv3d(x[:, c : c + 1], profile[None, None, :, None, None])[0] for c in range(3)], dim=1
    )
    parts, history = [], None
    for chunk in x.split(cuts, dim=2):
        y, history = convolve_time(chunk, profile, history)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=2), expected)


def test_time_is_right_across_blocks() -> None:
    x, profile = random(1, 1, 2 * BLOCK + 7, 1, 2), random(20)
    y, _ = convolve_time(x, profile)
    torch.testing.assert_close(y, causal_conv3d(x, profile[None, None, :, None, None])[0])


@pytest.mark.parametrize("radius", [0, 1, 3, 9])
@pytest.mark.parametrize("size", [(1, 1), (5, 8), (4, 2)])
def test_space_agrees_with_the_general_convolution_also_where_the_profile_is_wider_than_the_frame(
    radius: int, size: tuple[int, int]
) -> None:
    x, profile = random(2, 1, 3, *size), random(2 * radius + 1)
    weight = torch.outer(profile, profile)[None, None, None]
    padded = torch.nn.functional.pad(x, (radius, radius, radius, radius, 0, 0), mode="replicate")
    torch.testing.assert_close(convolve_space(x, profile), causal_conv3d(padded, weight, pad_space=False)[0])


def test_both_have_the_right_gradient() -> None:
    x, time, space = random(1, 1, 6, 3, 4), random(3), random(5)
    for tensor in (x, time, space):
        tensor.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a, b: convolve_time(a, b)[0], (x, time))
    assert torch.autograd.gradcheck(convolve_space, (x, space))


def test_a_uniform_frame_stays_uniform_under_a_profile_of_unit_sum() -> None:
    y = convolve_space(torch.ones(1, 1, 1, 7, 9), torch.tensor([0.1, 0.2, 0.4, 0.2, 0.1]))
    torch.testing.assert_close(y, torch.ones(1, 1, 1, 7, 9))
