"""The discrete Fourier transform of short axes as dense matrices, borders and cropping included.

A complex number takes two places, its real and its imaginary part. A matrix product is the
fastest transform there is up to some 60 values: it does more arithmetic than a fast Fourier
transform and wastes none of it, and what pads or crops an axis costs nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["from_half_spectrum", "from_spectrum", "to_half_spectrum", "to_spectrum"]

Options = tuple[torch.dtype, torch.device]
_Array = NDArray[np.float64]


@lru_cache(maxsize=64)
def to_half_spectrum(length: int, n: int, before: int, after: int, like: Options) -> Tensor:
    """Matrix ``[2 * (n // 2 + 1), length]`` from real values to their spectrum.

    Parameters
    ----------
    length : int
        Values along the axis.
    n : int
        Length of the transform; missing values are 0.
    before, after : int
        How often the first and the last value are repeated before and after.
    like : tuple
        Precision and device of the matrix, ``(x.dtype, x.device)``.

    Returns
    -------
    Tensor
        First all real, then all imaginary parts.

    Examples
    --------
    >>> impulse = torch.tensor([1.0, 0.0, 0.0, 0.0])
    >>> to_half_spectrum(4, 4, 0, 0, (impulse.dtype, impulse.device)) @ impulse
    tensor([1., 1., 1., 0., 0., 0.])
    """
    wave = _waves(n // 2 + 1, n) @ _replicating(length, n, before, after)
    return _tensor(np.concatenate([wave.real, wave.imag]), like)


@lru_cache(maxsize=64)
def to_spectrum(length: int, n: int, before: int, after: int, like: Options) -> Tensor:
    """Matrix ``[n * 2, length * 2]`` from complex values to their spectrum, as `to_half_spectrum` else."""
    return _tensor(_interleaved(_waves(n, n) @ _replicating(length, n, before, after)), like)


@lru_cache(maxsize=64)
def from_spectrum(first: int, length: int, n: int, like: Options) -> Tensor:
    """Matrix ``[length * 2, n * 2]`` from a spectrum to the complex values from `first` on."""
    return _tensor(_interleaved(_waves(n, n)[first : first + length].conj() / n), like)


@lru_cache(maxsize=64)
def from_half_spectrum(first: int, length: int, n: int, like: Options) -> Tensor:
    """Matrix ``[length, 2 * (n // 2 + 1)]`` from the spectrum of real values to those from `first` on.

    Examples
    --------
    >>> x = torch.tensor([3.0, 1.0, 2.0])
    >>> spectrum = to_half_spectrum(3, 5, 0, 0, (x.dtype, x.device)) @ x
    >>> (from_half_spectrum(0, 3, 5, (x.dtype, x.device)) @ spectrum).round(decimals=4)
    tensor([3., 1., 2.])
    """
    wave = _waves(n // 2 + 1, n)[:, first : first + length].T / n
    wave[:, 1 : (n + 1) // 2] *= 2.0  # stand for their mirror images too
    return _tensor(np.concatenate([wave.real, wave.imag], axis=1), like)


def _waves(rows: int, n: int) -> NDArray[np.complex128]:
    turns = np.outer(np.arange(rows), np.arange(n)) % n  # exact, where a large angle is not
    waves: NDArray[np.complex128] = np.exp(-2j * np.pi * turns / n)
    return waves


def _replicating(length: int, n: int, before: int, after: int) -> _Array:
    """Matrix ``[n, length]`` that repeats the first and the last value and fills up with 0."""
    source = np.clip(np.arange(before + length + after) - before, 0, length - 1)
    matrix = np.zeros((n, length))
    matrix[np.arange(source.size), source] = 1.0
    return matrix


def _interleaved(matrix: NDArray[np.complex128]) -> _Array:
    """Write a complex matrix as a real one of twice the size each way."""
    parts = np.array([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])
    return parts.transpose(2, 0, 3, 1).reshape(2 * matrix.shape[0], 2 * matrix.shape[1])


def _tensor(matrix: _Array, like: Options) -> Tensor:
    with torch.inference_mode(False):  # a matrix is kept, and may be needed with gradients later
        return torch.from_numpy(np.ascontiguousarray(matrix)).to(dtype=like[0], device=like[1])
