"""Nonlinearities without memory, each applied to every value on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.layer import Layer
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.tensors import describe_shape

__all__ = [
    "NLRectify",
    "NLRectifyScale",
    "NLRectifySquare",
    "NLSquare",
    "Nonlinearity",
    "Power",
    "Sigmoid",
    "SoftPlus",
]


class NLRectify(Layer):
    r"""Half-wave rectification, :math:`y = \max(0, x)`.

    Examples
    --------
    >>> NLRectify().run([-1.0, 0.0, 2.0]).array().ravel()
    array([0., 0., 2.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


class _Scaled(Layer, register=False):
    scale = parameter(1.0, bounds=(-1e4, 1e4), slider=(-5.0, 5.0), doc="factor of the input")
    bias = parameter(0.0, bounds=(-1e4, 1e4), slider=(-5.0, 5.0), doc="added to the scaled input")

    def _scaled(self, x: Tensor) -> Tensor:
        return self.scale * x + self.bias


class NLRectifyScale(_Scaled):
    r"""Rectification above a threshold, :math:`y = \max(0, \; s x + b)`.

    Examples
    --------
    >>> NLRectifyScale(scale=2.0, bias=-1.0).run([-1.0, 0.0, 2.0]).array().ravel()
    array([0., 0., 3.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self._scaled(x))


class NLSquare(_Scaled):
    r"""Square, :math:`y = (s x + b)^2`, as of a cell that does not care for the sign of contrast.

    Examples
    --------
    >>> NLSquare(scale=2.0).run([-1.0, 0.0, 2.0]).array().ravel()
    array([ 4.,  0., 16.], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        return self._scaled(x).square()


class NLRectifySquare(_Scaled):
    r"""Square of what is above a threshold, :math:`y = \max(0, \; s x + b)^2`.

    Examples
    --------
    >>> NLRectifySquare(scale=2.0).run([-1.0, 0.0, 2.0]).array().ravel()
    array([ 0.,  0., 16.], dtype=float32)

    References
    ----------
    Heeger D. J. (1992), Half-squaring in responses of cat striate cells, Vis. Neurosci. 9, 427-443,
    doi:10.1017/S095252380001124X.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self._scaled(x)).square()


class SoftPlus(_Scaled):
    r"""Rectification with a round corner, :math:`y = \log(1 + e^{\beta (s x + b)}) / \beta`.

    Its gradient is nowhere 0, so that a cell that is silent can still be fitted.

    Examples
    --------
    >>> SoftPlus(sharpness=10.0).run([-1.0, 0.0, 2.0]).array().ravel().round(3)
    array([0.   , 0.069, 2.   ], dtype=float32)
    """

    sharpness = parameter(1.0, bounds=(1e-3, 1e3), slider=(0.1, 20.0), scale="log", doc="sharpness of the corner")

    def forward(self, x: Tensor) -> Tensor:
        y = self.sharpness * self._scaled(x)
        return (torch.relu(y) + torch.log1p(torch.exp(-y.abs()))) / self.sharpness


class Sigmoid(_Scaled):
    r"""Saturation at both ends, :math:`y = a / (1 + e^{-(s x + b)})`.

    Examples
    --------
    >>> Sigmoid(amplitude=100.0).run([-20.0, 0.0, 20.0]).array().ravel().round(3)
    array([  0.,  50., 100.], dtype=float32)
    """

    amplitude = parameter(1.0, bounds=(0.0, 1e4), slider=(0.0, 200.0), doc="largest response")

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.sigmoid(self._scaled(x))


class Power(_Scaled):
    r"""Power of what is above a threshold, :math:`y = \max(0, \; s x + b)^n`.

    Examples
    --------
    >>> Power(exponent=3.0).run([-1.0, 0.0, 2.0]).array().ravel()
    array([0., 0., 8.], dtype=float32)

    References
    ----------
    Miller K. D. & Troyer T. W. (2002), Neural noise can explain expansive, power-law nonlinearities in
    neural response functions, J. Neurophysiol. 87, 653-659, doi:10.1152/jn.00425.2001.
    """

    exponent = parameter(2.0, bounds=(1e-2, 20.0), slider=(0.5, 5.0), doc="exponent of the rectified input")

    def forward(self, x: Tensor) -> Tensor:
        y = self._scaled(x)
        positive = torch.where(y > 0, y, torch.ones_like(y))  # a root has no slope at 0
        return torch.where(y > 0, positive.pow(self.exponent), torch.zeros_like(y))


class Nonlinearity(Layer):
    """Any function of a tensor as a layer.

    Parameters
    ----------
    function : callable
        Takes and returns a tensor ``[batch, channel, time, x, y]``, treating every frame on its own.
        To save the layer it must be picklable, which a lambda is not.

    Raises
    ------
    ParameterError
        If it is no function.
    ShapeError
        If it returns something else than a tensor with as many frames.

    Examples
    --------
    >>> Nonlinearity(torch.abs).run([-1.0, 0.0, 2.0]).array().ravel()
    array([1., 0., 2.], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"function": torch.tanh}

    def __init__(self, function: Callable[[Tensor], Tensor], *, resolution: Resolution | None = None) -> None:
        super().__init__(resolution=resolution)
        if not callable(function):
            raise ParameterError(f"A nonlinearity is a function of a tensor, got {function!r}.")
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        y = self.function(x)
        if not isinstance(y, Tensor) or y.ndim != 5 or y.shape[2] != x.shape[2]:
            got = describe_shape(y.shape) if isinstance(y, Tensor) else type(y).__name__
            raise ShapeError(
                f"The function must return a tensor [batch, channel, time, x, y] of {x.shape[2]} frames, got {got}."
            )
        return y
