"""Convolution by matrices: the transforms, the filter between them, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.ops import matrix_convolution as matrix_module
from convis_core.ops import spectral_filter as filter_module
from convis_core.ops.causal_convolution import direct_convolution
from convis_core.ops.fourier_matrices import from_half_spectrum, from_spectrum, to_half_spectrum, to_spectrum
from convis_core.ops.matrix_convolution import matrix_convolution
from convis_core.ops.spectral_filter import filter_each_frequency, filter_each_frequency_torch

DOUBLE = (torch.float64, torch.device("cpu"))


@given(n=st.integers(1, 40), before=st.integers(0, 3), after=st.integers(0, 3), data=st.data())
def test_the_matrices_are_the_transform_of_a_continued_signal(
    n: int, before: int, after: int, data: st.DataObject
) -> None:
    n += before + after
    length = data.draw(st.integers(1, n - before - after))
    x = np.random.default_rng(0).standard_normal((2, length))
    continued = np.zeros((2, n))
    continued[:, : before + length + after] = np.pad(x, ((0, 0), (before, after)), mode="edge")
    wave = np.fft.rfft(continued[0])
    half = to_half_spectrum(length, n, before, after, DOUBLE) @ torch.from_numpy(x[0])
    np.testing.assert_allclose(half, np.concatenate([wave.real, wave.imag]), atol=1e-12)
    interleaved = torch.from_numpy(x.T.copy()).reshape(-1)
    full = to_spectrum(length, n, before, after, DOUBLE) @ interleaved
    np.testing.assert_allclose(
        torch.view_as_complex(full.reshape(n, 2)), np.fft.fft(continued[0] + 1j * continued[1]), atol=1e-12
    )
    np.testing.assert_allclose(from_half_spectrum(before, length, n, DOUBLE) @ half, x[0], atol=1e-12)
    np.testing.assert_allclose(from_spectrum(before, length, n, DOUBLE) @ full, interleaved, atol=1e-12)


def spectra(batch: int, channels: int, out: int, frequencies: int, lags: int, time: int) -> tuple[torch.Tensor, ...]:
    chance = torch.Generator().manual_seed(1)
    x = torch.randn(batch, channels, frequencies, 2, lags - 1 + time, generator=chance, dtype=torch.float64)
    w = torch.randn(out, channels, lags, frequencies, 2, generator=chance, dtype=torch.float64)
    return x.requires_grad_(), w.requires_grad_()


@settings(max_examples=15)
@given(st.tuples(*(st.integers(1, n) for n in (2, 3, 3, 5, 4, 9))))
def test_the_compiled_filter_and_its_derivatives_are_those_of_the_reference(size: tuple[int, ...]) -> None:
    x, w = spectra(*size)
    y, wanted = filter_each_frequency(x, w), filter_each_frequency_torch(x, w)
    torch.testing.assert_close(y, wanted)
    weights = torch.randn_like(y)
    for got, right in zip(
        torch.autograd.grad((y * weights).sum(), (x, w)),
        torch.autograd.grad((wanted * weights).sum(), (x, w)),
        strict=True,
    ):
        torch.testing.assert_close(got, right)


def test_derivatives_of_derivatives() -> None:
    assert torch.autograd.gradgradcheck(filter_each_frequency, spectra(2, 2, 3, 2, 3, 4), fast_mode=True)


def test_many_threads_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = spectra(2, 1, 2, 7, 3, 20)
    alone = filter_each_frequency(x, w)
    monkeypatch.setattr(filter_module, "_VALUES_WORTH_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    assert torch.equal(filter_each_frequency(x, w), alone)


def test_a_long_chunk_is_worked_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.randn(1, 2, 64, 6, 7, dtype=torch.float64)
    weight = torch.randn(3, 2, 5, 2, 3, dtype=torch.float64)
    monkeypatch.setattr(matrix_module, "_VALUES_AT_ONCE", 1)
    torch.testing.assert_close(matrix_convolution(frames, weight), direct_convolution(frames, weight))


def test_a_matrix_made_without_gradients_serves_with_them() -> None:
    frames, weight = torch.randn(1, 1, 5, 13, 11), torch.randn(1, 1, 2, 4, 3, requires_grad=True)
    with torch.inference_mode():
        matrix_convolution(frames, weight, pad_space=True)
    matrix_convolution(frames, weight, pad_space=True).sum().backward()
    assert weight.grad is not None
