"""Causal convolution with the Fourier transform in space, and lag by lag in time.

Every frame is transformed once, multiplied with each lag of the transformed filter, and the
sum is transformed back. The cost hardly depends on the area of the filter.
"""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.tensors import TIME

__all__ = ["fast_size", "spectral_convolution", "spectral_cost"]

_VALUES_PER_BLOCK = 60_000  # spectra of a block stay in the processor's cache


def fast_size(n: int) -> int:
    """Return the next length from `n` on that a Fourier transform is fast for.

    Examples
    --------
    >>> fast_size(29), fast_size(32)
    (30, 32)
    """
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def spectral_cost(frames: tuple[int, ...], weight: tuple[int, ...]) -> float:
    """Estimate the work in multiplications as those of `convis_core.ops.blocked_convolution` count.

    Examples
    --------
    >>> spectral_cost((1, 1, 109, 29, 29), (1, 1, 10, 10, 10)) / 100 / 20**2 < 1600
    True
    """
    batch, in_channels, time, x, y = frames
    out_channels, lags = weight[0], weight[TIME]
    transforms = 140 * (in_channels + out_channels)
    products = 14 * in_channels * out_channels * lags
    return float(batch * time * fast_size(x) * fast_size(y) * (transforms + products))


def spectral_convolution(frames: Tensor, weight: Tensor) -> Tensor:
    """Convolve frames ``[B, C, L - 1 + T, X, Y]`` and return the last ``T``, valid in space.

    Parameters
    ----------
    frames : Tensor, shape [batch, in_channel, lags - 1 + time, x, y]
        Past and present frames, padded in space.
    weight : Tensor, shape [out_channel, in_channel, lags, rows, columns]
        Impulse response.

    Returns
    -------
    Tensor, shape [batch, out_channel, time, x - rows + 1, y - columns + 1]

    Examples
    --------
    >>> frames = torch.zeros(1, 1, 5, 1, 1)
    >>> frames[0, 0, 2] = 1.0
    >>> spectral_convolution(frames, torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1, 1)).flatten()
    tensor([1., 2., 3.])
    """
    lags, rows, columns = weight.shape[TIME:]
    x, y = frames.shape[3:]
    # Circular wrapping only reaches pixels at which the filter does not fit.
    size = fast_size(x), fast_size(y)
    transfer = torch.fft.rfft2(weight, s=size)
    block = max(lags, _VALUES_PER_BLOCK // (transfer.shape[3] * transfer.shape[4]))
    spectra, outputs = frames.new_empty(0), []
    for start in range(lags - 1, frames.shape[TIME], block):
        if start == lags - 1:
            spectra = torch.fft.rfft2(frames[:, :, : start + block], s=size)
        else:
            past = spectra[:, :, spectra.shape[TIME] - lags + 1 :]
            spectra = torch.cat([past, torch.fft.rfft2(frames[:, :, start : start + block], s=size)], dim=TIME)
        response = torch.fft.irfft2(_sum_over_lags(spectra, transfer), s=size)
        outputs.append(response[..., rows - 1 : x, columns - 1 : y])
    return torch.cat(outputs, dim=TIME)


def _sum_over_lags(spectra: Tensor, transfer: Tensor) -> Tensor:
    in_channels, lags = transfer.shape[1:3]
    time = spectra.shape[TIME] - lags + 1
    total: Tensor | None = None
    for c in range(in_channels):
        for lag in range(lags):
            delayed = spectra[:, None, c, lags - 1 - lag : lags - 1 - lag + time]
            gain = transfer[:, c, lag, None]
            total = delayed * gain if total is None else total.addcmul_(delayed, gain)
    assert total is not None  # filters are never empty
    return total
