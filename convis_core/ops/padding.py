"""Borders in space and the past in time, as every convolution of the package sees them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from convis_core.errors import ShapeError
from convis_core.tensors import TIME, X, Y, describe_shape

__all__ = ["last_frames", "pad_space_replicate", "past_frames", "space_padding"]


def space_padding(size: int) -> tuple[int, int]:
    """Pixels to add before and after an axis so that a kernel of `size` keeps its length.

    An odd kernel is centred on its impulse; an even one of length ``k`` reaches from
    ``-(k / 2 - 1)`` to ``+k / 2`` around it.

    Examples
    --------
    >>> space_padding(3), space_padding(4)
    ((1, 1), (2, 1))
    """
    return size // 2, (size - 1) // 2


def pad_space_replicate(x: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """Replicate the border of the frames so that a kernel gives back their size.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        Frames.
    kernel_size : tuple of int
        Rows and columns of the kernel.

    Returns
    -------
    Tensor, shape [batch, channel, time, x + rows - 1, y + columns - 1]

    Examples
    --------
    >>> pad_space_replicate(torch.ones(1, 1, 5, 8, 8), (3, 4)).shape
    torch.Size([1, 1, 5, 10, 11])
    """
    if kernel_size == (1, 1):
        return x
    (top, bottom), (left, right) = space_padding(kernel_size[0]), space_padding(kernel_size[1])
    return functional.pad(x, (left, right, top, bottom, 0, 0), mode="replicate")


def past_frames(x: Tensor, history: Tensor | None, n: int) -> Tensor:
    """Return the `n` frames before a chunk.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        The chunk.
    history : Tensor, shape [batch, channel, n, x, y], or None
        The frames that came before; None at the start of a run, where the first
        frame is taken to have lasted for ever.
    n : int
        Number of frames wanted.

    Raises
    ------
    ShapeError
        If `history` does not fit the chunk.

    Examples
    --------
    >>> past_frames(torch.full((1, 1, 5, 2, 2), 3.0), None, 2)[0, 0, :, 0, 0]
    tensor([3., 3.])
    """
    wanted = (*x.shape[:TIME], n, x.shape[X], x.shape[Y])
    if history is None:
        return x[:, :, :1].expand(wanted)
    if tuple(history.shape) != wanted:
        raise ShapeError(
            f"The frames before this chunk should have shape {describe_shape(wanted)}, "
            f"got {describe_shape(history.shape)}.",
            "Clear the state before running an input of another size, batch or channel count.",
        )
    return history


def last_frames(history: Tensor, x: Tensor) -> Tensor:
    """Return the last frames of `history` followed by `x`, as many as `history` has.

    The result owns its memory, so that a state does not keep a whole chunk alive.

    Examples
    --------
    >>> last_frames(torch.zeros(1, 1, 3, 1, 1), torch.ones(1, 1, 2, 1, 1)).flatten()
    tensor([0., 1., 1.])
    """
    n, time = history.shape[TIME], x.shape[TIME]
    if time >= n:
        return x[:, :, time - n :].clone()
    return torch.cat([history[:, :, time:], x], dim=TIME)
