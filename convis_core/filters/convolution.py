"""Convolution with a freely set filter, in space and time or in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from convis_core.errors import ShapeError
from convis_core.filters.convolving import Convolving
from convis_core.filters.weights import initial_weight, kernel_shape
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.resolution import Resolution
from convis_core.tensors import describe_shape, to_tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d"]


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


class Conv2d(Conv3d):
    r"""Convolution in space, frame by frame.

    .. math:: y_o(t, p) = b_o + \sum_{c, q} w_{oc}(q) \; x_c(t, p - q)

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_dim : sequence of int
        ``(x, y)``, or ``(out_channel, in_channel, x, y)``.
    bias : bool
        Whether to add a bias per output channel.
    pad_space : bool
        Whether the output is as large as the input.

    Examples
    --------
    >>> conv = Conv2d(bias=False)
    >>> conv.gaussian(sigma=0.1)
    >>> round(float(conv.weight.detach().sum()), 4), conv.weight.shape
    (1.0, torch.Size([1, 1, 1, 9, 9]))
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (4, 3)}

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        kernel_dim: Sequence[int] = (1, 1),
        *,
        bias: bool = True,
        pad_space: bool = True,
        resolution: Resolution | None = None,
    ) -> None:
        dims = tuple(kernel_dim)
        if len(dims) not in (2, 4):
            raise ShapeError(
                f"kernel_dim must be (x, y) or (out_channel, in_channel, x, y), got {dims}.",
                "Use Conv3d for a filter in time.",
            )
        dims = (*dims[:-2], 1, *dims[-2:])
        super().__init__(in_channels, out_channels, dims, bias=bias, pad_space=pad_space, resolution=resolution)

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        """Set the filter; it may have another size than the present one.

        Parameters
        ----------
        weight : array, shape [x, y] or [out_channel, in_channel, x, y]
            The filter.
        normalize : bool
            Whether to scale it to unit sum.
        flip : bool
            True: `weight` is the response to a single bright pixel. False: it is the pattern that
            is answered most strongly.
        """
        tensor = to_tensor(weight)
        super().set_weight(tensor[:, :, None] if tensor.ndim == 4 else tensor, normalize, flip)

    def _check_weight(self, weight: Tensor) -> None:
        if weight.shape[2] != 1:
            raise ShapeError(
                f"A Conv2d works frame by frame, got a weight of {weight.shape[2]} lags.", "Use Conv3d for it."
            )


class Conv1d(Conv3d):
    r"""Convolution in time, the same at every pixel.

    .. math:: y_o(t) = b_o + \sum_{c, l} w_{oc}(l) \; x_c(t - l)

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_dim : int
        Number of lags, or a sequence ``(lag,)`` or ``(out_channel, in_channel, lag)``.
    bias : bool
        Whether to add a bias per output channel.

    Examples
    --------
    >>> conv = Conv1d(kernel_dim=3, bias=False)
    >>> conv.set_weight([3.0, 2.0, 1.0])
    >>> conv.run([0.0, 1.0, 0.0, 0.0]).array().ravel()
    array([0., 3., 2., 1.], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": 4}

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        kernel_dim: int | Sequence[int] = 1,
        *,
        bias: bool = True,
        resolution: Resolution | None = None,
    ) -> None:
        dims = (kernel_dim,) if isinstance(kernel_dim, (int, np.integer)) else tuple(kernel_dim)
        if len(dims) not in (1, 3):
            raise ShapeError(
                f"kernel_dim must be a number of lags or (out_channel, in_channel, lag), got {dims}.",
                "Use Conv3d for a filter in space.",
            )
        super().__init__(in_channels, out_channels, (*dims, 1, 1), bias=bias, resolution=resolution)

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        """Set the filter; it may have another length than the present one.

        Parameters
        ----------
        weight : array, shape [lag] or [out_channel, in_channel, lag]
            The filter. Index 0 acts in the same frame.
        normalize : bool
            Whether to scale it to unit sum.
        flip : bool
            True: `weight` is an impulse response. False: it is the time course that is answered
            most strongly, its last value the most recent one.
        """
        tensor = to_tensor(weight)
        super().set_weight(tensor[..., None, None] if tensor.ndim == 3 else tensor, normalize, flip)

    def _check_weight(self, weight: Tensor) -> None:
        if tuple(weight.shape[3:]) != (1, 1):
            raise ShapeError(
                f"A Conv1d works pixel by pixel, got a weight of {describe_shape(weight.shape[3:])} pixels.",
                "Use Conv3d for it.",
            )
