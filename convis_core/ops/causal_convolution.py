"""Causal 3-D convolution of a movie with a filter, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal

from torch import Tensor, bfloat16, cat, float16
from torch.nn import functional

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.blocked_convolution import blocked_convolution, blocked_cost, frames_per_block
from convis_core.ops.matrix_convolution import matrix_convolution, matrix_cost
from convis_core.ops.padding import last_frames, pad_space_replicate, past_frames
from convis_core.ops.spectral_convolution import spectral_convolution, spectral_cost
from convis_core.tensors import TIME, X, Y, describe_shape

__all__ = ["ConvolutionMethod", "causal_conv3d"]

ConvolutionMethod = Literal["auto", "direct", "blocked", "spectral", "matrix"]


def causal_conv3d(
    x: Tensor,
    weight: Tensor,
    history: Tensor | None = None,
    *,
    bias: Tensor | None = None,
    pad_space: bool = True,
    method: ConvolutionMethod = "auto",
) -> tuple[Tensor, Tensor]:
    r"""Convolve a chunk of frames with a causal filter.

    .. math:: y_o(t, p) = b_o + \sum_c \sum_{l=0}^{L-1} \sum_q w_{oc}(l, q) \; x_c(t - l, p - q)

    Parameters
    ----------
    x : Tensor, shape [batch, in_channel, time, x, y]
        The chunk.
    weight : Tensor, shape [out_channel, in_channel, lag, rows, columns]
        Impulse response: index 0 along the lags answers in the frame of the impulse.
        Kernels of odd size are centred, an even one of length ``k`` reaches from
        ``-(k / 2 - 1)`` to ``+k / 2``.
    history : Tensor, shape [batch, in_channel, lag - 1, x, y], optional
        The frames before the chunk. Without it, the first frame is taken to have
        lasted for ever.
    bias : Tensor, shape [out_channel], optional
        Added to the output.
    pad_space : bool
        Replicate the border so that the output has the size of the frames; otherwise
        only pixels at which the kernel fits are returned.
    method : {"auto", "direct", "blocked", "spectral", "matrix"}
        How to compute it; all agree to rounding. "direct" is the 3-D convolution of
        torch, "blocked" a 2-D convolution of blocks of frames
        (`convis_core.ops.blocked_convolution`), "spectral" a fast Fourier transform of every
        frame (`convis_core.ops.spectral_convolution`), "matrix" a Fourier transform of all
        frames by matrix products (`convis_core.ops.matrix_convolution`). "auto" takes
        "direct" on a GPU and otherwise the one of the three others with the least estimated
        work: "matrix" for frames to about 60x60, beyond them "spectral", and "blocked" for
        kernels of few pixels or many channels.

    Returns
    -------
    output : Tensor, shape [batch, out_channel, time, x, y]
    history : Tensor, shape [batch, in_channel, lag - 1, x, y]
        The frames to give back with the next chunk.

    Raises
    ------
    ShapeError
        If the shapes do not fit one another.

    Examples
    --------
    >>> import torch
    >>> weight = torch.tensor([3.0, 2.0, 1.0]).reshape(1, 1, 3, 1, 1)
    >>> x = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0]).reshape(1, 1, 5, 1, 1)
    >>> y, history = causal_conv3d(x, weight)
    >>> y.flatten(), tuple(history.shape)
    (tensor([0., 3., 2., 1., 0.]), (1, 1, 2, 1, 1))
    """
    _check(x, weight, bias, pad_space)
    lags = weight.shape[TIME]
    past = past_frames(x, history, lags - 1)
    frames = cat([past, x], dim=TIME) if lags > 1 else x
    convolve = _implementation(method, frames, weight, pad_space)
    if frames.dtype in (bfloat16, float16) and frames.device.type == "cpu":  # it transforms and sums in single at best
        output = convolve(frames.float(), weight.float()).to(frames.dtype)
    else:
        output = convolve(frames, weight)
    if bias is not None:
        output = output + bias.reshape(-1, 1, 1, 1)
    return output, last_frames(past, x)


def direct_convolution(frames: Tensor, weight: Tensor) -> Tensor:
    """Convolve frames ``[B, C, L - 1 + T, X, Y]`` with torch's own 3-D convolution."""
    return functional.conv3d(frames, weight.flip(2, 3, 4))


_VALID_IN_SPACE = {
    "direct": direct_convolution,
    "blocked": blocked_convolution,
    "spectral": spectral_convolution,
}


_Implementation = Callable[[Tensor, Tensor], Tensor]


def _implementation(method: str, frames: Tensor, weight: Tensor, pad_space: bool) -> _Implementation:
    """Choose what convolves frames that are not padded in space."""
    if method == "auto":
        on_cpu = frames.device.type == "cpu"
        method = _least_work(tuple(frames.shape), tuple(weight.shape), pad_space) if on_cpu else "direct"
    if method == "matrix":
        return partial(matrix_convolution, pad_space=pad_space)
    if method not in _VALID_IN_SPACE:
        raise ParameterError(f"method must be 'auto', 'matrix' or one of {', '.join(_VALID_IN_SPACE)}, got {method!r}.")
    return partial(_padded, _VALID_IN_SPACE[method]) if pad_space else _VALID_IN_SPACE[method]


@lru_cache(maxsize=256)
def _least_work(frames: tuple[int, ...], weight: tuple[int, ...], pad_space: bool) -> str:
    if pad_space:
        frames = (*frames[:X], frames[X] + weight[X] - 1, frames[Y] + weight[Y] - 1)
    costs = {
        "matrix": matrix_cost(frames, weight),
        "blocked": blocked_cost(frames, weight, frames_per_block(frames, weight)),
        "spectral": spectral_cost(frames, weight),
    }
    return min(costs, key=costs.__getitem__)


def _padded(convolve: _Implementation, frames: Tensor, weight: Tensor) -> Tensor:
    return convolve(pad_space_replicate(frames, (weight.shape[X], weight.shape[Y])), weight)


def _check(x: Tensor, weight: Tensor, bias: Tensor | None, pad_space: bool) -> None:
    if x.ndim != 5 or weight.ndim != 5:
        raise ShapeError(
            "A causal convolution expects frames [batch, channel, time, x, y] and a filter "
            f"[out_channel, in_channel, lag, x, y], got {describe_shape(x.shape)} and {describe_shape(weight.shape)}.",
            "Use convis_core.tensors.lift on an array with fewer axes.",
        )
    if x.shape[1] != weight.shape[1]:
        raise ShapeError(
            f"The filter {describe_shape(weight.shape)} takes {weight.shape[1]} input channels, "
            f"the frames have {x.shape[1]}.",
            "Make the filter with as many input channels, or average those of the frames.",
        )
    if x.numel() == 0 or weight.numel() == 0:
        raise ShapeError(
            f"Neither frames {describe_shape(x.shape)} nor filter {describe_shape(weight.shape)} may be empty."
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"The bias must have one value for each of {weight.shape[0]} output channels, "
            f"got shape {describe_shape(bias.shape)}."
        )
    if not pad_space and (x.shape[X] < weight.shape[X] or x.shape[Y] < weight.shape[Y]):
        raise ShapeError(
            f"A filter of {weight.shape[X]}x{weight.shape[Y]} pixels does not fit into frames of "
            f"{x.shape[X]}x{x.shape[Y]}.",
            "Use pad_space=True, larger frames or a smaller filter.",
        )
