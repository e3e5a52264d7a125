"""Causal convolution of small frames: Fourier transforms that are matrix products, a filter in time between them.

With time as the last axis all of space is transformed by two matrix products of some
thousand columns, which run at the speed of the processor. The borders are part of the
matrices: frames are neither padded nor cropped.
"""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.ops.fourier_matrices import from_half_spectrum, from_spectrum, to_half_spectrum, to_spectrum
from convis_core.ops.padding import space_padding
from convis_core.ops.spectral_filter import filter_each_frequency
from convis_core.tensors import TIME

__all__ = ["matrix_convolution", "matrix_cost"]

_COST_OF_A_PRODUCT = 1.6  # measured against those of the other two ways
_COST_OF_A_CALL = 4e6  # some tenth of a millisecond
_VALUES_AT_ONCE = 2_000_000  # spectra worked on, 8 MB in single precision: more would not stay in the cache


def matrix_cost(frames: tuple[int, ...], weight: tuple[int, ...]) -> float:
    """Estimate the work in multiplications as those of `convis_core.ops.blocked_convolution` count.

    Parameters
    ----------
    frames, weight : tuple of int
        Shapes, that of the frames with their borders.

    Examples
    --------
    >>> matrix_cost((1, 1, 109, 29, 29), (1, 1, 10, 10, 10)) / 100 / 20**2 < 700
    True
    """
    batch, in_channels, time, n, m = frames
    out_channels, _, lags, rows, columns = weight
    x, y, half = n - rows + 1, m - columns + 1, m // 2 + 1
    transforms = (in_channels + out_channels) * 2 * half * (x * y + 2 * x * n + 5 * n)
    products = in_channels * out_channels * lags * 4 * half * n
    return _COST_OF_A_CALL + batch * time * _COST_OF_A_PRODUCT * (transforms + products)


def matrix_convolution(frames: Tensor, weight: Tensor, *, pad_space: bool = False) -> Tensor:
    """Convolve frames ``[B, C, L - 1 + T, X, Y]`` and return the last ``T``.

    Parameters
    ----------
    frames : Tensor, shape [batch, in_channel, lags - 1 + time, x, y]
        Past and present frames.
    weight : Tensor, shape [out_channel, in_channel, lags, rows, columns]
        Impulse response.
    pad_space : bool
        Whether to replicate the borders of the frames; otherwise the result is valid in space.

    Returns
    -------
    Tensor, shape [batch, out_channel, time, x, y]
        Without `pad_space` smaller by the size of the filter less one.

    Examples
    --------
    >>> frames = torch.zeros(1, 1, 5, 1, 1)
    >>> frames[0, 0, 2] = 1.0
    >>> matrix_convolution(frames, torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1, 1)).flatten()
    tensor([1., 2., 3.])
    """
    rows, columns = weight.shape[3:]
    borders = (space_padding(rows), space_padding(columns)) if pad_space else ((0, 0), (0, 0))
    n, m = frames.shape[3] + sum(borders[0]), frames.shape[4] + sum(borders[1])
    lags, time = weight.shape[TIME], frames.shape[TIME] - weight.shape[TIME] + 1
    transfer = _transform_weight(weight, n, m)
    values = frames.shape[0] * (frames.shape[1] + weight.shape[0]) * (m // 2 + 1) * n * 2
    piece = max(_VALUES_AT_ONCE // values, 4 * lags)
    outputs = []
    for start in range(0, time, piece):
        spectra = _transform(frames[:, :, start : start + piece + lags - 1], n, m, borders)
        response = filter_each_frequency(spectra, transfer)
        outputs.append(_transform_back(response, n, m, rows, columns))
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=TIME)


def _transform_weight(weight: Tensor, n: int, m: int) -> Tensor:
    """Spectra ``[O, C, L, (column frequency, row frequency), 2]`` of a filter."""
    *channels, rows, columns = weight.shape
    like = weight.dtype, weight.device
    half = weight @ to_half_spectrum(columns, m, 0, 0, like).T
    by_column = half.reshape(*channels, rows, 2, -1).movedim(-1, -3).flatten(-2)
    return (by_column @ to_spectrum(rows, n, 0, 0, like).T).reshape(*channels, -1, 2)


def _transform(frames: Tensor, n: int, m: int, borders: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """Spectra ``[B, C, (column frequency, row frequency), 2, T]`` of frames."""
    batch, channels, time, x, y = frames.shape
    planes, half = batch * channels, m // 2 + 1
    like = frames.dtype, frames.device
    along_y = to_half_spectrum(y, m, *borders[1], like)
    along_x = to_spectrum(x, n, *borders[0], like)
    time_last = frames.reshape(planes, time, x * y).transpose(1, 2).reshape(planes * x, y, time)
    rows = torch.bmm(along_y.expand(planes * x, -1, -1), time_last).view(planes, 2 * x, half, time)
    columns = rows.transpose(1, 2).reshape(planes * half, 2 * x, time)
    spectra = torch.bmm(along_x.expand(planes * half, -1, -1), columns)
    return spectra.view(batch, channels, half * n, 2, time)


def _transform_back(spectra: Tensor, n: int, m: int, rows: int, columns: int) -> Tensor:
    """Frames ``[B, C, T, X, Y]``, those pixels at which a filter of `rows` and `columns` fits."""
    batch, channels, _, _, time = spectra.shape
    planes, half, x, y = batch * channels, m // 2 + 1, n - rows + 1, m - columns + 1
    like = spectra.dtype, spectra.device
    along_x = from_spectrum(rows - 1, x, n, like)
    along_y = from_half_spectrum(columns - 1, y, m, like)
    by_column = torch.bmm(along_x.expand(planes * half, -1, -1), spectra.view(planes * half, 2 * n, time))
    by_row = by_column.view(planes, half, x, 2, time).permute(0, 2, 3, 1, 4).reshape(planes * x, 2 * half, time)
    frames = torch.bmm(by_row.transpose(1, 2), along_y.T.expand(planes * x, -1, -1))
    return frames.view(batch, channels, x, time, y).transpose(2, 3).contiguous()
