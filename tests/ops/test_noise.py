"""Noise that belongs to a time: the same for every cut, and as random as it says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.ops.noise import BLOCK, _block_seed, block_normal, block_uniform

DRAWS = (block_normal, block_uniform)
SHAPE = (2, 3, 4, 5)


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(1, 3 * BLOCK)), st.integers(0, 5 * BLOCK), st.integers(-5, 2**70), st.sampled_from(DRAWS))
def test_cutting_time_changes_nothing(cuts: set[int], start: int, seed: int, draw: Callable[..., Tensor]) -> None:
    n_steps = 3 * BLOCK + 7
    whole = draw(seed, start, n_steps, SHAPE)
    assert whole.shape == (2, 3, n_steps, 4, 5)
    borders = [0, *sorted(cuts), n_steps]
    parts = [draw(seed, start + a, b - a, SHAPE) for a, b in pairwise(borders)]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=0, atol=0)


def test_one_step_at_a_time_is_the_same_as_all_at_once() -> None:
    single = torch.cat([block_normal(1, t, 1, SHAPE) for t in range(2 * BLOCK + 3)], dim=2)
    torch.testing.assert_close(single, block_normal(1, 0, 2 * BLOCK + 3, SHAPE), rtol=0, atol=0)


def test_writing_into_the_result_does_not_change_the_noise() -> None:
    first = block_normal(1, 3, 5, SHAPE)
    kept = first.clone()
    first.zero_()
    torch.testing.assert_close(block_normal(1, 3, 5, SHAPE), kept, rtol=0, atol=0)


def test_seeds_and_times_have_numbers_of_their_own() -> None:
    draws = [block_normal(seed, start, BLOCK, (1, 1, 8, 8)) for seed in (0, 1, 2**32, -1) for start in (0, BLOCK)]
    correlation = torch.corrcoef(torch.stack([d.flatten() for d in draws]))
    assert (correlation - torch.eye(len(draws))).abs().max() < 0.08  # 5 standard errors of 4096 numbers


def test_no_two_blocks_of_a_run_share_a_seed() -> None:
    assert len({_block_seed(7, block) for block in range(100_000)}) == 100_000


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_moments(dtype: torch.dtype) -> None:
    z = block_normal(3, 0, 500, (1, 1, 20, 20), dtype=dtype)
    assert z.dtype == dtype
    n = z.numel() ** 0.5
    assert abs(z.mean()) < 5 / n
    assert abs(z.square().mean() - 1) < 5 * 2**0.5 / n
    assert abs(z.pow(3).mean()) < 5 * 15**0.5 / n
    assert abs(z.pow(4).mean() - 3) < 5 * 96**0.5 / n
    neighbours = (z[:, :, 1:] * z[:, :, :-1]).mean()
    assert abs(neighbours) < 5 / n


def test_uniform_moments_and_range() -> None:
    u = block_uniform(3, 0, 500, (1, 1, 20, 20))
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * 12**-0.5 / u.numel() ** 0.5
    assert abs(u.var() - 1 / 12) < 0.001


def test_torchs_own_generator_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    block_normal(1, 0, 10, SHAPE)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("start", "n_steps"), [(-1, 5), (0, -5)])
def test_time_before_the_run_is_refused(start: int, n_steps: int) -> None:
    with pytest.raises(ParameterError, match="from step 0 on"):
        block_normal(1, start, n_steps, SHAPE)
