"""What all filters with a freely set weight have in common."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.filters.weights import shaped_weight
from convis_core.layer import Layer
from convis_core.ops.kernels import cascade, gaussian
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME, describe_shape

__all__ = ["Convolving"]

_CUT_OFF = math.log(1000.0)  # kernels end where they have fallen to a thousandth


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
        self._check_weight(lifted)
        if lifted.shape != self.weight.shape:
            self.history = None  # another size needs another past
        self.weight.data = lifted

    def _check_weight(self, weight: Tensor) -> None:
        """Refuse a weight that this kind of filter cannot have."""

    def gaussian(self, sigma: float, sigma_y: float | None = None) -> None:
        """Set the filter to a Gaussian in space, of unit sum, in the frame of the input.

        Parameters
        ----------
        sigma : float
            Standard deviation in deg.
        sigma_y : float, optional
            That along y, where it is another one than along x.
        """
        profiles = []
        for value in (sigma, sigma if sigma_y is None else sigma_y):
            pixels = self.resolution.degrees_to_pixels(_above_zero(value, "sigma", "deg"))
            profiles.append(gaussian(torch.tensor(pixels), math.ceil(pixels * math.sqrt(2 * _CUT_OFF))))
        self._set_kernel(torch.outer(*profiles)[None])

    def exponential(self, tau: float, poles: int = 1) -> None:
        r"""Set the filter to a low-pass in time of unit sum, :math:`e^{-t / \tau}` for one pole.

        Parameters
        ----------
        tau : float
            Time constant in s.
        poles : int
            How many such filters are in series.
        """
        self._set_kernel(self._low_pass(tau, poles)[:, None, None])

    def highpass_exponential(self, tau: float, relative_weight: float = 1.0) -> None:
        r"""Set the filter to an impulse less an exponential, :math:`\delta(t) - w \, E_\tau(t)`.

        Parameters
        ----------
        tau : float
            Time constant in s.
        relative_weight : float
            Weight of the exponential; a constant input is answered by ``1 - relative_weight``.
        """
        kernel = -relative_weight * self._low_pass(tau, 1)
        kernel[0] += 1.0
        self._set_kernel(kernel[:, None, None])

    def _low_pass(self, tau: float, poles: int) -> Tensor:
        steps = self.resolution.seconds_to_steps(_above_zero(tau, "tau", "s"))
        return cascade(torch.tensor(steps), 1 + math.ceil(steps * (_CUT_OFF + 3.0 * (poles - 1))), poles)

    def _set_kernel(self, kernel: Tensor) -> None:
        """Set the same kernel ``[lag, x, y]`` for every output, as an average over the input channels."""
        Convolving.set_weight(self, kernel.expand(*self.weight.shape[:TIME], -1, -1, -1) / self.weight.shape[1])


def _above_zero(value: float, name: str, unit: str) -> float:
    if not 0.0 < value < math.inf:
        raise ParameterError(f"{name} must be above 0 {unit}, got {value}.")
    return float(value)
