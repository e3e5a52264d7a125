"""Recursions in time and space at their limits: analytic answers, tiny frames, no time, scales beyond the frame."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.gain_control import Memory, contrast_gain_control
from convis_core.ops.leaky_heat import leaky_heat_equation
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.recursive_time import exponential_filter

STEP = 0.001
BOTH = pytest.mark.parametrize("compiled", [False, True], ids=["matrices", "compiled"])


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# In time ------------------------------------------------------------------------------------


@BOTH
@settings(max_examples=15, deadline=None)
@given(tau=st.floats(1e-4, 1.0), frames=st.integers(1, 300))
def test_the_answer_to_a_step_is_one_less_an_exponential(compiled: bool, tau: float, frames: int) -> None:
    x = torch.ones(1, 1, frames, 1, 1, dtype=torch.float64)
    y, last = exponential_filter(x, tau, STEP, x.new_zeros(1, 1, 1, 1), compiled=compiled)
    expected = -torch.expm1(-STEP / tau * torch.arange(1, frames + 1, dtype=torch.float64))
    torch.testing.assert_close(y.flatten(), expected, rtol=1e-9, atol=1e-12)
    assert last.item() == y[0, 0, -1].item()


@BOTH
@settings(max_examples=15, deadline=None)
@given(tau=st.floats(1e-3, 10.0), cut=st.integers(0, 140), seed=st.integers(0, 99))
def test_a_cut_anywhere_leaves_the_low_pass_as_it_is(compiled: bool, tau: float, cut: int, seed: int) -> None:
    x, before = noise(2, 1, 140, 2, 3, seed=seed), noise(2, 1, 2, 3, seed=seed + 1)
    whole, end = exponential_filter(x, tau, STEP, before, compiled=compiled)
    first, middle = exponential_filter(x[:, :, :cut], tau, STEP, before, compiled=compiled)
    second, last = exponential_filter(x[:, :, cut:], tau, STEP, middle, compiled=compiled)
    torch.testing.assert_close(torch.cat([first, second], 2), whole)
    torch.testing.assert_close(last, end)


@BOTH
def test_a_low_pass_stays_within_its_input_and_neither_reads_ahead_nor_writes_to_it(compiled: bool) -> None:
    x = noise(1, 2, 200, 1, 4)
    kept = x.clone()
    y, _ = exponential_filter(x, 0.02, STEP, compiled=compiled)
    assert y.min() >= x.min() and y.max() <= x.max()
    changed = x.clone()
    changed[:, :, 150:] = 100.0
    torch.testing.assert_close(exponential_filter(changed, 0.02, STEP, compiled=compiled)[0][:, :, :150], y[:, :, :150])
    assert torch.equal(x, kept)


@BOTH
def test_what_is_not_a_number_stays_in_its_pixel_and_its_future(compiled: bool) -> None:
    x = noise(1, 1, 6, 1, 3)
    x[0, 0, 3, 0, 1] = math.nan
    y, _ = exponential_filter(x[:, :, :, :, [0, 2]], 0.01, STEP, compiled=compiled)
    broken, last = exponential_filter(x, 0.01, STEP, compiled=compiled)
    torch.testing.assert_close(broken[..., [0, 2]], y)
    assert bool(last[..., 1].isnan().all())


@BOTH
def test_no_time_constant_means_no_filter_and_the_limit_is_approached(compiled: bool) -> None:
    x = noise(1, 1, 5, 2, 2)
    y, last = exponential_filter(x, 0.0, STEP, x[:, :, 0] + 9.0, compiled=compiled)
    assert torch.equal(y, x) and torch.equal(last, x[:, :, -1])
    near, _ = exponential_filter(x, 1e-6, STEP, x[:, :, 0] + 9.0, compiled=compiled)
    torch.testing.assert_close(near, x)
    last[:] = 7.0
    assert torch.equal(x, noise(1, 1, 5, 2, 2)), "the memory is not a view of the input"


@pytest.mark.parametrize("tau", [-0.001, math.nan])
def test_a_time_constant_that_is_none_is_refused(tau: float) -> None:
    with pytest.raises(ParameterError, match="tau must be at least 0 s"):
        exponential_filter(noise(1, 1, 3, 1, 1), tau, STEP)
    with pytest.raises(ParameterError, match="tau must be above 0 s in the leaky heat equation"):
        leaky_heat_equation(noise(1, 1, 3, 2, 2), tau, 1.0, STEP)


def test_a_memory_of_another_precision_or_size_is_refused_with_both_shapes() -> None:
    x = noise(1, 1, 3, 2, 2)
    with pytest.raises(ShapeError, match=r"Clear the state"):
        exponential_filter(x, 0.01, STEP, torch.zeros(1, 1, 2, 2))
    with pytest.raises(ShapeError, match=r"The last output should be"):
        exponential_filter(x, 0.01, STEP, noise(1, 1, 2, 3))


# In space -----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 17)])
@pytest.mark.parametrize("sigma", [0.1, 0.7, 5.0, 300.0])
def test_a_uniform_frame_stays_uniform_at_any_size_and_scale(
    compiled: bool, size: tuple[int, int], sigma: float
) -> None:
    x = torch.full((1, 1, 2, *size), 3.0, dtype=torch.float64)
    torch.testing.assert_close(recursive_blur(x, sigma, compiled=compiled), x, rtol=1e-6, atol=1e-6)


@BOTH
@pytest.mark.parametrize("sigma", [0.5, 1.5, 3.0])
def test_a_point_is_spread_as_the_formula_says(compiled: bool, sigma: float) -> None:
    x = torch.zeros(1, 1, 1, 1, 81, dtype=torch.float64)
    x[..., 40] = 1.0
    n = (torch.arange(81, dtype=torch.float64) - 40).abs()
    alpha = 1.695 / sigma
    kernel = (1 + alpha * n) * torch.exp(-alpha * n)
    got = recursive_blur(x, sigma, compiled=compiled).flatten()
    torch.testing.assert_close(got, kernel / kernel.sum(), rtol=1e-6, atol=1e-9)


@BOTH
@settings(max_examples=15, deadline=None)
@given(sigma=st.floats(0.1, 40.0), n=st.integers(1, 9), m=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_blur_knows_no_direction(compiled: bool, sigma: float, n: int, m: int, seed: int) -> None:
    x = noise(1, 1, 1, n, m, seed=seed)
    y = recursive_blur(x, sigma, compiled=compiled)
    for axes in ((3,), (4,), (3, 4)):
        torch.testing.assert_close(recursive_blur(x.flip(axes), sigma, compiled=compiled), y.flip(axes))
    turned = recursive_blur(x.transpose(3, 4), sigma, compiled=compiled)
    torch.testing.assert_close(turned, y.transpose(3, 4))
    assert y.min() >= x.min() - 1e-9 and y.max() <= x.max() + 1e-9


def test_a_map_of_equal_scales_is_a_scale() -> None:
    x = noise(2, 1, 2, 6, 7)
    torch.testing.assert_close(recursive_blur(x, torch.full((6, 7), 1.3)), recursive_blur(x, 1.3), rtol=1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match="one value for each of"):
        recursive_blur(x, torch.ones(7, 6))


@BOTH
def test_the_leaky_heat_equation_holds_step_by_step(compiled: bool) -> None:
    x, tau, sigma = noise(2, 1, 5, 4, 5), 0.004, 2.0
    y, last = leaky_heat_equation(x, tau, sigma, STEP, x[:, :, 1], compiled=compiled)
    keep, before = math.exp(-STEP / tau), x[:, :, 1]
    for t in range(5):
        mixed = keep * before + (1 - keep) * x[:, :, t]
        before = recursive_blur(mixed[:, :, None], sigma * math.sqrt(STEP / tau), compiled=False)[:, :, 0]
        torch.testing.assert_close(y[:, :, t], before)
    torch.testing.assert_close(last, before)


@BOTH
@pytest.mark.parametrize("tau", [0.004, 0.03])
@pytest.mark.parametrize("scale", [1.5, 2.5, "map", "literal map"])
def test_a_still_image_has_lasted_for_ever(compiled: bool, tau: float, scale: float | str) -> None:
    """So that nothing moves in the answer, however long it takes the memory to spread."""
    x = noise(2, 1, 1, 6, 7).expand(-1, -1, 40, -1, -1)
    sigma = scale if isinstance(scale, float) else 0.5 + noise(6, 7).abs()
    options = {"virtual_retina_logpolar": scale == "literal map", "compiled": compiled}
    y, _ = leaky_heat_equation(x, tau, sigma, STEP, **options)  # type: ignore[arg-type]
    torch.testing.assert_close(y, y[:, :, :1].expand_as(y), rtol=1e-5, atol=1e-5)
    assert (y[:, :, 0] - x[:, :, 0]).abs().max() > 0.1


# The gain control ---------------------------------------------------------------------------


@BOTH
@settings(max_examples=10, deadline=None)
@given(current=st.floats(-20.0, 20.0), feedback=st.floats(0.0, 500.0), leak=st.floats(5.0, 100.0))
def test_a_constant_current_settles_where_the_equation_does(
    compiled: bool, current: float, feedback: float, leak: float
) -> None:
    rest = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    drive = torch.full((1, 1, 1200, 1, 1), current, dtype=torch.float64)
    v, trace, _ = contrast_gain_control(
        drive, Memory(rest, rest, rest), step=STEP, leak=leak, feedback=feedback, tau=0.002, sigma_px=0.0,
        amplification=leak, record=True, compiled=compiled,
    )  # fmt: skip
    end, conductance = v[0, 0, -1].item(), trace[0, 0, -1].item()  # type: ignore[index]
    assert (leak + conductance) * end == pytest.approx(leak * current, rel=1e-2, abs=1e-2)
    called = feedback * end**2
    assert conductance == pytest.approx(called / (1 + called / 5e5), rel=2e-2, abs=1e-2)
    assert abs(end) <= abs(current) + 1e-9, "the gain control only ever weakens"


@BOTH
def test_contrast_of_either_sign_is_answered_alike(compiled: bool) -> None:
    rest = torch.zeros(2, 1, 3, 4, dtype=torch.float64)
    x = 10 * noise(2, 1, 40, 3, 4)

    def run(drive: torch.Tensor) -> torch.Tensor:
        return contrast_gain_control(
            drive, Memory(rest, rest, rest), step=STEP, leak=50.0, feedback=100.0, tau=0.005, sigma_px=1.5,
            amplification=50.0, compiled=compiled,
        )[0]  # fmt: skip

    torch.testing.assert_close(run(-x), -run(x))
    torch.testing.assert_close(run(x[1:].expand(2, -1, -1, -1, -1))[0], run(x)[1], msg="movies of a batch are apart")
    assert not bool(rest.any()), "the memory that was given is left alone"
