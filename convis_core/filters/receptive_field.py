"""A filter over the whole image with a single time series as its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.filters.convolution import initial_weight, kernel_shape, shaped_weight
from convis_core.layer import Layer
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import describe_shape

__all__ = ["RF"]


class RF(Layer):
    r"""Receptive field: one response to the whole image.

    .. math:: y_o(t) = b_o + \sum_{c, l, p} w_{oc}(l, p) \; x_c(t - l, p)

    Where image and weight differ in size, they are aligned by their first pixel
    (``placement='corner'``) or their middle (``'centre'``) and what sticks out is left out.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_dim : sequence
        ``(lag, x, y)``; with ``(lag, None, None)`` or ``(lag,)`` the size of the first image is
        taken, starting from uniform weights.
    bias : bool
        Whether to add a bias per output channel.
    placement : {"centre", "corner"}
        How weight and image are aligned.

    Examples
    --------
    >>> import numpy as np
    >>> rf = RF(kernel_dim=(1, 2, 2), bias=False)
    >>> rf.set_weight(np.ones((1, 2, 2)))
    >>> rf.run(np.ones((3, 2, 2))).array().ravel()
    array([4., 4., 4.], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (3, 4, 3)}

    weight = parameter(doc="weight of every pixel of the image, [out_channel, in_channel, lag, x, y]")
    bias = parameter(doc="added to each output channel")
    history = state_variable("frames before the chunk", shape="[batch, in_channel, lag - 1, x, y]")

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        kernel_dim: Sequence[int | None] = (1, None, None),
        *,
        bias: bool = True,
        placement: Literal["centre", "corner"] = "centre",
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        if placement not in ("centre", "corner"):
            raise ParameterError(f"placement must be 'centre' or 'corner', got {placement!r}.")
        dims = tuple(kernel_dim) + (None, None) * (len(tuple(kernel_dim)) == 1)
        self.sized = None not in dims
        shape = kernel_shape([n or 1 for n in dims], in_channels, out_channels)
        self.in_channels, self.out_channels = shape[1], shape[0]
        self.placement = placement
        self.weight = initial_weight(shape) if self.sized else torch.ones(shape) / shape[2]
        if bias:
            self.bias = torch.zeros(self.out_channels)

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        """Set the weight; it may have another size than the present one.

        Parameters
        ----------
        weight : array, shape [lag], [x, y], [lag, x, y] or [out_channel, in_channel, lag, x, y]
            The weight. Index 0 along the lags acts in the same frame.
        normalize : bool
            Whether to scale it to unit sum.
        flip : bool
            True: it is an impulse response as for `Conv3d`, read at one pixel, and so reversed in
            space. False: it is a map of the image.
        """
        lifted = shaped_weight(weight, self.weight, normalize=normalize, reverse=(3, 4) if flip else ())
        if lifted.shape[:2] != self.weight.shape[:2]:
            raise ShapeError(
                f"This RF has {self.out_channels} output and {self.in_channels} input channels, "
                f"got a weight of {describe_shape(lifted.shape)}.",
                "Build the layer with other channels.",
            )
        self.weight.data = lifted
        self.history, self.sized = None, True

    def kernel(self) -> Tensor:
        """Return the weight, as a map of the image."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        if not self.sized:
            grown = self.weight.detach().expand(-1, -1, -1, x.shape[3], x.shape[4])
            self.weight.data = (grown / (x.shape[3] * x.shape[4])).clone()
            self.sized = True
        frames, weight = self._overlap(x)
        bias = self._parameters.get("bias")
        y, self.history = causal_conv3d(frames, weight.flip(3, 4), self.history, bias=bias, pad_space=False)
        return y

    def _overlap(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cut image and weight to the pixels they share."""
        image, weight = x, self.kernel()
        for axis in (3, 4):
            extra = image.shape[axis] - weight.shape[axis]
            first = abs(extra) // 2 if self.placement == "centre" else 0
            shared = min(image.shape[axis], weight.shape[axis])
            if extra > 0:
                image = image.narrow(axis, first, shared)
            elif extra < 0:
                weight = weight.narrow(axis, first, shared)
        return image, weight
