"""Space-time convolution with a freely set filter, and what shapes such a filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.layer import Layer
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import describe_shape, lift

__all__ = ["Conv3d", "Convolving", "initial_weight", "kernel_shape", "shaped_weight"]


def kernel_shape(kernel_dim: Sequence[int], in_channels: int, out_channels: int) -> tuple[int, int, int, int, int]:
    """Complete a kernel size of 3 (lag, x, y) or 5 numbers to all five axes."""
    dims = tuple(n.item() if isinstance(n, np.generic) else n for n in kernel_dim)
    if len(dims) == 3:
        dims = (out_channels, in_channels, *dims)
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in dims)
    if len(dims) != 5 or not whole:
        raise ShapeError(
            f"kernel_dim must be (lag, x, y) or (out_channel, in_channel, lag, x, y) in whole numbers above 0, "
            f"got {dims}.",
            "For example kernel_dim=(10, 5, 5).",
        )
    return dims[0], dims[1], dims[2], dims[3], dims[4]


def initial_weight(shape: Sequence[int]) -> Tensor:
    """Small random weights, uniform within one over the root of the inputs a response has."""
    bound = 1.0 / math.sqrt(math.prod(shape[1:]))
    return torch.empty(*shape).uniform_(-bound, bound)


def shaped_weight(weight: Any, like: Tensor, *, normalize: bool, reverse: Sequence[int]) -> Tensor:
    """Lift a weight to five axes, optionally to unit sum and reversed along some of them."""
    lifted = lift(weight, dtype=like.dtype, device=like.device).detach()
    if not bool(torch.isfinite(lifted).all()) or lifted.numel() == 0:
        raise ParameterError(f"A weight must be finite and not empty, got one of {describe_shape(lifted.shape)}.")
    if normalize:
        total = lifted.sum()
        if float(total.abs()) < 1e-12 * float(lifted.abs().sum()) or float(total) == 0.0:
            raise ParameterError(
                "A weight that sums to zero cannot be normalised to unit sum.", "Pass normalize=False, or scale it."
            )
        lifted = lifted / total
    return lifted.flip(*reverse).clone() if reverse else lifted.clone()


class Convolving(Layer, register=False):
    """A layer with a filter that is set freely, and the frames that it needs from the past.

    Parameters
    ----------
    weight : Tensor, shape [out_channel, in_channel, lag, x, y]
        The filter to begin with.
    bias : bool
        Whether to add a bias per output channel.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (3, 4, 3)}
    reversed_by_flip: ClassVar[dict[bool, tuple[int, ...]]] = {True: (), False: (2, 3, 4)}

    weight = parameter(doc="impulse response, [out_channel, in_channel, lag, x, y]")
    bias = parameter(doc="added to each output channel")
    history = state_variable("frames before the chunk", shape="[batch, in_channel, lag - 1, x, y]")

    def __init__(self, weight: Tensor, bias: bool, resolution: Resolution | None) -> None:
        super().__init__(resolution=resolution)
        self.out_channels, self.in_channels = weight.shape[0], weight.shape[1]
        self.weight = weight
        if bias:
            self.bias = torch.zeros(weight.shape[0])

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        """Set the filter; it may have another size than the present one.

        Parameters
        ----------
        weight : array, shape [lag], [x, y], [lag, x, y] or [out_channel, in_channel, lag, x, y]
            The filter. Index 0 along the lags acts in the same frame.
        normalize : bool
            Whether to scale it to unit sum.
        flip : bool
            True: `weight` is an impulse response; an `RF` reads it at one pixel. False: it is
            the pattern that is answered most strongly, for `Conv3d` with its last frame the most
            recent one, for `RF` a map of the image.
        """
        reverse = self.reversed_by_flip[bool(flip)]
        lifted = shaped_weight(weight, self.weight, normalize=normalize, reverse=reverse)
        if lifted.shape[:2] != self.weight.shape[:2]:
            raise ShapeError(
                f"This {type(self).__name__} has {self.out_channels} output and {self.in_channels} input channels, "
                f"got a weight of {describe_shape(lifted.shape)}.",
                "Build the layer with other channels.",
            )
        if lifted.shape != self.weight.shape:
            self.history = None  # another size needs another past
        self.weight.data = lifted


class Conv3d(Convolving):
    r"""Causal convolution in space and time.

    .. math:: y_o(t, p) = b_o + \sum_{c, l, q} w_{oc}(l, q) \; x_c(t - l, p - q)

    Borders are replicated in space; before the first chunk the first frame is taken to
    have lasted for ever.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    bias : bool
        Whether to add a bias per output channel.
    pad_space : bool
        Whether the output is as large as the input; otherwise only pixels at which the
        kernel fits are returned.

    Examples
    --------
    >>> conv = Conv3d(kernel_dim=(3, 1, 1), bias=False)
    >>> conv.set_weight([3.0, 2.0, 1.0])
    >>> conv.run([0.0, 1.0, 0.0, 0.0]).array().ravel()
    array([0., 3., 2., 1.], dtype=float32)
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        kernel_dim: Sequence[int] = (1, 1, 1),
        *,
        bias: bool = True,
        pad_space: bool = True,
        resolution: Resolution | None = None,
    ) -> None:
        shape = kernel_shape(kernel_dim, in_channels, out_channels)
        super().__init__(initial_weight(shape), bias, resolution)
        self.pad_space = pad_space

    def kernel(self) -> Tensor:
        """Return the impulse response, which is the weight itself."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        bias = self._parameters.get("bias")
        y, self.history = causal_conv3d(x, self.weight, self.history, bias=bias, pad_space=self.pad_space)
        return y
