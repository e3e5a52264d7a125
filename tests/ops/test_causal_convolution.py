"""The causal convolution: the definition, its borders, its gradients and its chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops import blocked_convolution as blocked_module
from convis_core.ops.blocked_convolution import blocked_convolution, frames_per_block
from convis_core.ops.causal_convolution import _implementation, _least_work, causal_conv3d, direct_convolution
from convis_core.ops.spectral_convolution import fast_size, spectral_convolution

METHODS = ("direct", "blocked", "spectral", "matrix")


def by_definition(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum shifted frames, one weight at a time; borders replicated, first frame for ever."""
    (batch, _, time, rows, columns), (out, channels, lags, kx, ky) = x.shape, weight.shape
    y = np.zeros((batch, out, time, rows, columns))
    before_x, before_y = (kx - 1) // 2, (ky - 1) // 2
    for o, c, lag, i, j in np.ndindex(out, channels, lags, kx, ky):
        t = np.clip(np.arange(time) - lag, 0, None)
        p = np.clip(np.arange(rows) - i + before_x, 0, rows - 1)
        q = np.clip(np.arange(columns) - j + before_y, 0, columns - 1)
        y[:, o] += weight[o, c, lag, i, j] * x[:, c][:, t[:, None, None], p[:, None], q]
    return y


sizes = st.tuples(
    st.integers(1, 2),  # batch
    st.integers(1, 3),  # in channels
    st.integers(1, 3),  # out channels
    st.integers(1, 9),  # lags
    st.integers(1, 12),  # frames
    st.integers(1, 5),  # kernel rows
    st.integers(1, 5),  # kernel columns
)


def random_case(
    size: tuple[int, ...], seed: int, dtype: torch.dtype = torch.float64, frame: tuple[int, int] = (5, 4)
) -> tuple[Tensor, Tensor]:
    batch, channels, out, lags, frames, kx, ky = size
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, channels, frames, *frame, dtype=dtype, generator=generator)
    return x, torch.randn(out, channels, lags, kx, ky, dtype=dtype, generator=generator)


@settings(deadline=None, max_examples=15)
@given(sizes, st.integers(0, 1000))
def test_every_method_computes_the_definition(size: tuple[int, ...], seed: int) -> None:
    x, weight = random_case(size, seed)
    expected = by_definition(x.numpy(), weight.numpy())
    for method in METHODS:
        y, _ = causal_conv3d(x, weight, method=method)
        np.testing.assert_allclose(y.numpy(), expected, atol=1e-11, err_msg=method)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_half_precision_loses_no_more_than_one_rounding(method: Any, dtype: torch.dtype) -> None:
    x, weight = (tensor.to(dtype).requires_grad_() for tensor in random_case((1, 1, 1, 40, 20, 5, 5), 1))
    y, history = causal_conv3d(x, weight, method=method)
    y.sum().backward()
    exact, _ = causal_conv3d(x.detach().double(), weight.detach().double())
    assert y.dtype == history.dtype == dtype and weight.grad is not None and weight.grad.dtype == dtype
    np.testing.assert_allclose(y.detach().double(), exact, rtol=torch.finfo(dtype).eps, atol=1e-4)


@settings(deadline=None, max_examples=15)
@given(sizes, st.integers(0, 1000), st.data())
def test_cutting_time_changes_nothing(size: tuple[int, ...], seed: int, data: st.DataObject) -> None:
    x, weight = random_case(size, seed)
    n = x.shape[2]
    cuts = sorted(data.draw(st.sets(st.integers(1, n - 1))) if n > 1 else [])
    for method in METHODS:
        whole, last = causal_conv3d(x, weight, method=method)
        history, parts = None, []
        for chunk in torch.tensor_split(x, cuts, dim=2):
            y, history = causal_conv3d(chunk, weight, history, method=method)
            parts.append(y)
        torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=0, atol=1e-11)
        torch.testing.assert_close(history, last, rtol=0, atol=0)


def test_an_impulse_gives_back_the_filter_around_its_place() -> None:
    x = torch.zeros(1, 1, 12, 11, 13)
    x[0, 0, 3, 5, 6] = 1.0
    weight = torch.randn(1, 1, 5, 4, 3)
    for method in METHODS:
        y, _ = causal_conv3d(x, weight, method=method)
        expected = torch.zeros_like(x)
        expected[:, :, 3:8, 5 - 1 : 5 + 3, 6 - 1 : 6 + 2] = weight
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-5)


def test_without_padding_only_places_where_the_kernel_fits_remain() -> None:
    x, weight = random_case((2, 2, 3, 4, 6, 3, 2), seed=1, frame=(7, 8))
    same, _ = causal_conv3d(x, weight)
    for method in METHODS:
        valid, _ = causal_conv3d(x, weight, pad_space=False, method=method)
        torch.testing.assert_close(valid, same[:, :, :, 1:6, 1:8])


def test_history_is_the_last_raw_frames_and_owns_its_memory() -> None:
    x, weight = random_case((1, 1, 1, 5, 9, 3, 3), seed=2)
    _, history = causal_conv3d(x, weight)
    torch.testing.assert_close(history, x[:, :, -4:], rtol=0, atol=0)
    assert history.untyped_storage().nbytes() == history.numel() * history.element_size()


def test_bias_is_added_per_output_channel() -> None:
    x, weight = random_case((2, 1, 2, 3, 4, 3, 3), seed=3)
    bias = torch.tensor([1.0, -2.0], dtype=torch.float64)
    plain, _ = causal_conv3d(x, weight)
    biased, _ = causal_conv3d(x, weight, bias=bias)
    torch.testing.assert_close(biased - plain, bias.reshape(1, 2, 1, 1, 1).expand_as(plain))


@pytest.mark.parametrize("method", METHODS)
def test_gradients_of_all_arguments(method: str) -> None:
    x, weight = random_case((1, 2, 2, 3, 4, 2, 3), seed=4, frame=(3, 2))
    history, bias = torch.randn(1, 2, 2, 3, 2, dtype=x.dtype), torch.randn(2, dtype=x.dtype)
    arguments = [t.requires_grad_() for t in (x, weight, history, bias)]

    def convolve(x: Tensor, weight: Tensor, history: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        return causal_conv3d(x, weight, history, bias=bias, method=method)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(convolve, arguments, fast_mode=True)
    if method != "direct":  # torch's own is torch's to check
        assert torch.autograd.gradgradcheck(convolve, arguments, fast_mode=True)


def test_gradients_cross_a_chunk_border() -> None:
    x, weight = random_case((1, 1, 1, 4, 6, 3, 3), seed=5)
    x.requires_grad_()
    _, history = causal_conv3d(x[:, :, :3], weight)
    second, _ = causal_conv3d(x[:, :, 3:], weight, history)
    (cut,) = torch.autograd.grad(second.square().sum(), x)
    whole, _ = causal_conv3d(x, weight)
    (uncut,) = torch.autograd.grad(whole[:, :, 3:].square().sum(), x)
    assert cut[:, :, 0].abs().sum() > 0
    torch.testing.assert_close(cut, uncut)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_stays_single_and_close(method: str) -> None:
    x, weight = random_case((1, 1, 1, 10, 40, 6, 5), seed=6, dtype=torch.float32, frame=(9, 11))
    y, _ = causal_conv3d(x, weight, method=method)  # type: ignore[arg-type]
    exact, _ = causal_conv3d(x.double(), weight.double(), method="direct")
    assert y.dtype == torch.float32
    assert (y - exact).abs().max() < 1e-5 * exact.abs().max()


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 20), st.data())
def test_any_block_length_gives_the_same(m: int, data: st.DataObject) -> None:
    frames, weight = random_case((2, 2, 2, 4, data.draw(st.integers(4, 15)), 2, 2), seed=7)
    torch.testing.assert_close(blocked_convolution(frames, weight, m), blocked_convolution(frames, weight, 1))


def test_blocks_fill_the_channels_but_never_exceed_the_chunk() -> None:
    assert frames_per_block((1, 1, 509, 29, 29), (1, 1, 10, 10, 10)) == 7
    assert frames_per_block((1, 1, 3, 9, 9), (1, 1, 40, 3, 3)) <= 3


def test_memory_is_bounded_by_working_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, weight = random_case((1, 1, 2, 3, 60, 2, 2), seed=9)
    whole, held, add = blocked_convolution(frames, weight, 4), [], blocked_module.overlap_add

    def spy(blocks: Tensor, m: int) -> Tensor:
        held.append(blocks.numel())
        return add(blocks, m)

    monkeypatch.setattr(blocked_module, "_VALUES_AT_ONCE", 1000)
    monkeypatch.setattr(blocked_module, "overlap_add", spy)
    torch.testing.assert_close(blocked_convolution(frames, weight, 4), whole)
    assert len(held) > 3 and max(held) < 1000


def test_a_long_chunk_is_transformed_in_blocks() -> None:
    frames, weight = random_case((1, 2, 2, 5, 90, 3, 3), seed=8, frame=(60, 50))
    assert fast_size(60) * fast_size(50) * 45 > 120_000  # more than one block of spectra
    torch.testing.assert_close(spectral_convolution(frames, weight), direct_convolution(frames, weight))


@given(st.integers(1, 3000))
def test_fast_sizes_have_no_prime_factor_above_five(n: int) -> None:
    size = fast_size(n)
    assert n <= size < 1.35 * n + 1
    assert 30**12 % size == 0


@pytest.mark.parametrize(
    ("frame", "weight", "method"),
    [
        (20, (1, 1, 10, 10, 10), "matrix"),
        (20, (1, 1, 10, 5, 5), "matrix"),
        (50, (1, 1, 100, 11, 11), "matrix"),
        (200, (1, 1, 10, 21, 21), "spectral"),
        (20, (1, 1, 100, 1, 1), "blocked"),
        (20, (16, 8, 2, 3, 3), "blocked"),
    ],
)
def test_the_choice_follows_the_sizes(frame: int, weight: tuple[int, ...], method: str) -> None:
    assert _least_work((1, weight[1], 500, frame, frame), weight, True) == method


def test_an_accelerator_convolves_directly() -> None:
    frames, weight = torch.zeros(1, 1, 109, 29, 29, device="meta"), torch.zeros(1, 1, 10, 9, 9)
    assert _implementation("auto", frames, weight, False) is direct_convolution


@pytest.mark.parametrize(
    ("x", "weight", "options", "says"),
    [
        ((1, 5, 4, 4), (1, 1, 2, 3, 3), {}, r"\[batch, channel, time, x, y\].*\[1, 5, 4, 4\]"),
        ((1, 2, 5, 4, 4), (1, 1, 2, 3, 3), {}, "takes 1 input channels, the frames have 2"),
        ((1, 1, 0, 4, 4), (1, 1, 2, 3, 3), {}, "empty"),
        ((1, 1, 5, 4, 4), (2, 1, 2, 3, 3), {"bias": torch.zeros(3)}, "each of 2 output channels"),
        ((1, 1, 5, 4, 4), (1, 1, 2, 5, 5), {"pad_space": False}, "5x5 pixels does not fit into frames of 4x4"),
        ((1, 1, 5, 4, 4), (1, 1, 3, 3, 3), {"history": torch.zeros(1, 1, 1, 4, 4)}, r"should have shape \[1, 1, 2"),
    ],
)
def test_what_does_not_fit_is_named(
    x: tuple[int, ...], weight: tuple[int, ...], options: dict[str, object], says: str
) -> None:
    with pytest.raises(ShapeError, match=says):
        causal_conv3d(torch.zeros(x), torch.zeros(weight), **options)  # type: ignore[arg-type]


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ParameterError, match="'magic'"):
        causal_conv3d(torch.zeros(1, 1, 2, 2, 2), torch.zeros(1, 1, 1, 1, 1), method="magic")  # type: ignore[arg-type]
