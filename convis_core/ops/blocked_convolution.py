"""Causal convolution over blocks of frames, as one 2-D convolution and an overlap-add.

A block of ``m`` frames enters a 2-D convolution as ``m`` input channels; the ``m + L - 1``
frames it has an effect on leave as output channels, with a banded (Toeplitz) weight.
The blocks are then added where they overlap. Well-filled channels are what fast 2-D
convolutions are made for, and only ``(m + L - 1) / m`` instead of ``L`` values a pixel
are written to memory.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.tensors import TIME

__all__ = ["blocked_convolution", "blocked_cost", "frames_per_block"]

Shape = tuple[int, ...]

_LANES = 8  # output channels are computed in groups of this many, whether they are used or not
_VALUES_AT_ONCE = 16_000_000  # responses held in memory before they are added up, 64 MB in single precision
_COST_OF_A_WRITE = 48  # multiplications that take as long as writing one output and adding it up


def frames_per_block(frames: Shape, weight: Shape) -> int:
    """Choose how many frames to convolve at once: as many as make the least work.

    Parameters
    ----------
    frames, weight : tuple of int
        Shapes as `blocked_convolution` takes them.

    Examples
    --------
    >>> frames_per_block((1, 1, 509, 29, 29), (1, 1, 10, 10, 10))
    7
    """
    longest = min(frames[TIME], 2 * weight[TIME] + _LANES)
    return min(range(1, longest + 1), key=lambda m: blocked_cost(frames, weight, m))


def blocked_cost(frames: Shape, weight: Shape, m: int) -> float:
    """Count the multiplications, those with unused lanes and the time for writing included.

    Examples
    --------
    >>> blocked_cost((1, 1, 109, 29, 29), (1, 1, 10, 10, 10), 7) / 100 / 20**2 > 1600
    True
    """
    batch, in_channels, time, x, y = frames
    out_channels, _, lags, rows, columns = weight
    outputs = out_channels * (m + lags - 1)
    lanes = -(-outputs // _LANES) * _LANES
    pixels = batch * -(-time // m) * m * (x - rows + 1) * (y - columns + 1)
    return pixels * (lanes * in_channels * rows * columns + _COST_OF_A_WRITE * outputs / m)


def banded_weight(weight: Tensor, m: int) -> Tensor:
    """Spread a filter ``[O, C, L, kx, ky]`` over blocks: ``[O * (m + L - 1), C * m, kx, ky]``."""
    out_channels, in_channels, lags, *size = weight.shape
    # Padded to m + L along the outputs and read with one column less, each input frame's
    # copy of the filter slides down by one: a Toeplitz matrix without a loop.
    padded = functional.pad(weight.flip(3, 4), (0, 0, 0, 0, 0, m))
    rows = padded.movedim(TIME, 0).expand(m, *(m + lags, out_channels, in_channels, *size))
    band = rows.flatten(0, 1)[: m * (m + lags - 1)].reshape(m, m + lags - 1, out_channels, in_channels, *size)
    return band.permute(2, 1, 3, 0, 4, 5).reshape(out_channels * (m + lags - 1), in_channels * m, *size)


def overlap_add(blocks: Tensor, m: int) -> Tensor:
    """Add blocks ``[B, n, O, W, X, Y]`` that start `m` frames apart: ``[B, O, time, X, Y]``."""
    batch, n, channels, width, *size = blocks.shape
    parts = -(-width // m)
    total = blocks.new_zeros(batch, n + parts - 1, channels, m, *size)
    for part in range(parts):
        piece = blocks[:, :, :, part * m : (part + 1) * m]
        total[:, part : part + n, :, : piece.shape[3]] += piece
    return total.transpose(1, 2).reshape(batch, channels, -1, *size)


def blocked_convolution(frames: Tensor, weight: Tensor, m: int | None = None) -> Tensor:
    """Convolve frames ``[B, C, L - 1 + T, X, Y]`` and return the last ``T``, valid in space.

    Parameters
    ----------
    frames : Tensor, shape [batch, in_channel, lags - 1 + time, x, y]
        Past and present frames, padded in space.
    weight : Tensor, shape [out_channel, in_channel, lags, rows, columns]
        Impulse response.
    m : int, optional
        Frames in a block; chosen by `frames_per_block` if not given.

    Returns
    -------
    Tensor, shape [batch, out_channel, time, x - rows + 1, y - columns + 1]

    Examples
    --------
    >>> import torch
    >>> frames = torch.zeros(1, 1, 5, 1, 1)
    >>> frames[0, 0, 2] = 1.0
    >>> blocked_convolution(frames, torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1, 1)).flatten()
    tensor([1., 2., 3.])
    """
    m = m or frames_per_block(tuple(frames.shape), tuple(weight.shape))
    lags, time = weight.shape[TIME], frames.shape[TIME] - weight.shape[TIME] + 1
    per_block = weight.shape[0] * (m + lags - 1) * frames[:, 0, 0].numel()
    piece = max(_VALUES_AT_ONCE // per_block * m, 4 * lags)
    pieces = [frames[:, :, at : at + piece + lags - 1] for at in range(0, time, piece)]
    return torch.cat([_convolve(frames, weight, m) for frames in pieces], dim=TIME)


def _convolve(frames: Tensor, weight: Tensor, m: int) -> Tensor:
    batch, in_channels, n_frames, *size = frames.shape
    out_channels, lags = weight.shape[0], weight.shape[TIME]
    padded = functional.pad(frames, (0, 0, 0, 0, 0, -n_frames % m))
    blocks = padded.reshape(batch, in_channels, -1, m, *size).transpose(1, 2).reshape(-1, in_channels * m, *size)
    responses = functional.conv2d(blocks, banded_weight(weight, m))
    spread = responses.reshape(batch, -1, out_channels, m + lags - 1, *responses.shape[2:])
    return overlap_add(spread, m)[:, :, lags - 1 : n_frames]
