"""A filter over the whole image with a single time series as its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.convolving import Convolving
from convis_core.filters.weights import initial_weight, kernel_shape
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.parameters import parameter
from convis_core.resolution import Resolution

__all__ = ["RF", "shared_pixels"]


class RF(Convolving):
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

    reversed_by_flip: ClassVar[dict[bool, tuple[int, ...]]] = {True: (3, 4), False: ()}

    weight = parameter(doc="weight of every pixel of the image, [out_channel, in_channel, lag, x, y]")

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
        if placement not in ("centre", "corner"):
            raise ParameterError(f"placement must be 'centre' or 'corner', got {placement!r}.")
        dims = tuple(kernel_dim) + (None, None) * (len(tuple(kernel_dim)) == 1)
        sized = None not in dims
        shape = kernel_shape([1 if n is None else n for n in dims], in_channels, out_channels)
        super().__init__(initial_weight(shape) if sized else torch.ones(shape) / shape[2], bias, resolution)
        self.sized, self.placement = sized, placement

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        super().set_weight(weight, normalize, flip)
        self.sized = True

    def exponential(self, tau: float, poles: int = 1) -> None:
        """Set the response to the mean of the image, low-passed; see `Conv3d.exponential`."""
        super().exponential(tau, poles)
        self.sized = False

    def highpass_exponential(self, tau: float, relative_weight: float = 1.0) -> None:
        """Set the response to the mean of the image, high-passed; see `Conv3d.highpass_exponential`."""
        super().highpass_exponential(tau, relative_weight)
        self.sized = False

    def gaussian(self, sigma: float, sigma_y: float | None = None) -> None:
        """Set the weights to a Gaussian around the middle (or the corner) of the image, of unit sum."""
        super().gaussian(sigma, sigma_y)
        self.sized = True

    def kernel(self) -> Tensor:
        """Return the weight, as a map of the image."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        if not self.sized:
            grown = self.weight.detach().expand(-1, -1, -1, x.shape[3], x.shape[4])
            self.weight.data = (grown / (x.shape[3] * x.shape[4])).clone()
            self.sized = True
        frames, weight = shared_pixels(x, self.kernel(), self.placement)
        bias = self._parameters.get("bias")
        y, self.history = causal_conv3d(frames, weight.flip(3, 4), self.history, bias=bias, pad_space=False)
        return y


def shared_pixels(image: Tensor, weight: Tensor, placement: str = "centre") -> tuple[Tensor, Tensor]:
    """Cut image and weight, aligned by their middle or their first pixel, to the pixels they share.

    Examples
    --------
    >>> image, weight = shared_pixels(torch.zeros(1, 1, 9, 5, 4), torch.zeros(1, 1, 3, 3, 6))
    >>> tuple(image.shape), tuple(weight.shape)
    ((1, 1, 9, 3, 4), (1, 1, 3, 3, 4))
    """
    for axis in (3, 4):
        extra = image.shape[axis] - weight.shape[axis]
        first = abs(extra) // 2 if placement == "centre" else 0
        shared = min(image.shape[axis], weight.shape[axis])
        if extra > 0:
            image = image.narrow(axis, first, shared)
        elif extra < 0:
            weight = weight.narrow(axis, first, shared)
    return image, weight
