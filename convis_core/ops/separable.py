"""Convolution along one axis as a matrix product: exact, differentiable, and fast for filters that separate."""

from __future__ import annotations

from torch import Tensor, cat
from torch.nn import functional

from convis_core.ops.padding import last_frames, past_frames
from convis_core.ops.thin_tail import thin_tail
from convis_core.tensors import TIME

__all__ = ["convolve_space", "convolve_time"]

BLOCK = 128
"""Most steps that a matrix spans; a longer one would multiply more zeros, a shorter one read the past more often."""
_SHORTEST = 32
"""Steps that it spans for the shortest time courses."""


def convolve_time(x: Tensor, profile: Tensor, history: Tensor | None = None) -> tuple[Tensor, Tensor]:
    r"""Convolve every pixel with the same time course, :math:`y(t) = \sum_l w(l) \, x(t - l)`.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        A chunk.
    profile : Tensor, shape [lag]
        Time course; index 0 acts in the same frame.
    history : Tensor, shape [batch, channel, lag - 1, x, y], optional
        Frames before the chunk; without it the first frame is taken to have lasted for ever.

    Returns
    -------
    output : Tensor, shape of `x`
    history : Tensor
        To give back with the next chunk.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([0.0, 1.0, 0.0, 0.0]).reshape(1, 1, 4, 1, 1)
    >>> convolve_time(x, torch.tensor([3.0, 2.0, 1.0]))[0].flatten()
    tensor([0., 3., 2., 1.])
    """
    lags, n_steps = profile.shape[0], x.shape[TIME]
    past = past_frames(x, history, lags - 1)
    frames = cat([past, x], dim=TIME).flatten(3)
    size = _block(n_steps, lags)
    matrix = _sliding(profile.flip(0), size)
    thin = thin_tail(profile, size)
    blocks = []
    for start in range(0, n_steps, size):
        n = min(size, n_steps - start)
        seen = frames[:, :, start : start + n + lags - 1]
        blocks.append(matrix[:n, : n + lags - 1] @ seen if thin is None else _in_parts(matrix, thin, seen, size))
    output = blocks[0] if len(blocks) == 1 else cat(blocks, dim=TIME)
    return output.reshape(x.shape), last_frames(past, x)


def convolve_space(x: Tensor, profile: Tensor, profile_y: Tensor | None = None) -> Tensor:
    """Convolve every frame with a profile along both axes, the border replicated.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        Frames.
    profile : Tensor, shape [2 * radius + 1]
        Profile, its middle at the pixel itself.
    profile_y : Tensor, shape [2 * radius + 1], optional
        Another one for the second axis.

    Returns
    -------
    Tensor, shape of `x`

    Examples
    --------
    >>> import torch
    >>> frame = torch.tensor([[1.0, 0.0, 0.0]]).reshape(1, 1, 1, 1, 3)
    >>> convolve_space(frame, torch.tensor([0.25, 0.5, 0.25])).flatten()
    tensor([0.7500, 0.2500, 0.0000])
    """
    rows, columns = (
        _replicating(profile, x.shape[3]),
        _replicating(profile if profile_y is None else profile_y, x.shape[4]),
    )
    return rows @ (x @ columns.T)


def _block(n_steps: int, lags: int) -> int:
    """Steps of a block, so that all of them are nearly alike and none much longer than the time course."""
    n_blocks = -(-n_steps // min(BLOCK, max(_SHORTEST, lags)))
    return -(-n_steps // max(n_blocks, 1))


def _in_parts(matrix: Tensor, thin: tuple[Tensor, Tensor], seen: Tensor, size: int) -> Tensor:
    """Answer a block with what it is itself, what of the past leaves the time course meanwhile, and the rest."""
    after, before = thin
    past = size + before.shape[1]
    n = seen.shape[TIME] - past
    return (
        (matrix[:n, past : past + n] @ seen[:, :, past:])
        .add_(matrix[:n, :size] @ seen[:, :, :size])
        .add_(after[:n] @ (before @ seen[:, :, size:past]))
    )


def _sliding(row: Tensor, n: int) -> Tensor:
    """Matrix ``[n, len(row) + n - 1]`` whose row `i` is `row` moved to the right by `i`."""
    width = row.shape[0] + n
    repeated = functional.pad(row, (0, n)).expand(n, width).reshape(-1)
    return repeated[: n * (width - 1)].reshape(n, width - 1)  # one column less a row: each starts one later


def _replicating(profile: Tensor, n: int) -> Tensor:
    """Matrix ``[n, n]`` of a convolution whose input is continued by its first and last value."""
    radius = profile.shape[0] // 2
    wide = _sliding(profile.flip(0), n)  # [n, n + 2 * radius]
    inside = wide[:, radius : radius + n]
    first = functional.pad(wide[:, :radius].sum(dim=1, keepdim=True), (0, n - 1))
    last = functional.pad(wide[:, radius + n :].sum(dim=1, keepdim=True), (n - 1, 0))
    return inside + first + last
