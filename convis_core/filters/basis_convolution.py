"""Convolutions whose kernels are sums of few smooth functions, which a fit weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from convis_core.errors import ShapeError
from convis_core.filters.receptive_field import shared_pixels
from convis_core.filters.weights import initial_weight, kernel_shape, shaped_weight
from convis_core.layer import Layer
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.kernel_bases import KernelBasis, kernel_basis
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import describe_shape

__all__ = ["BasisConv3d", "BasisRF"]

FAINTEST: Final = 1e-6
"""Share of the strongest combination of functions below which one is taken for none."""


class BasisConv3d(Layer):
    r"""Causal convolution with a kernel of few smooth functions of time and of space.

    .. math:: w_{oc}(l, x, y) = \sum_{i, j, k} a_{oc, ijk} \, T_i(l) \, X_j(x) \, Y_k(y)

    It answers as `convis_core.filters.Conv3d` with the weight :math:`w`, but what is fitted are the
    coefficients :math:`a`: fewer numbers, and no kernel but a smooth one. The functions of an axis are
    made orthonormal, each changed as little as possible (Löwdin), so that coefficients are to an
    optimiser, and to a penalty on their size, what free weights would be.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of input and output.
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    basis : KernelBasis or str
        ``"raised_cosine"``: along the lags bumps that grow wider, cubic splines in space; ``"spline"``: cubic
        splines along all axes; or `convis_core.estimation.KernelBasis` with other numbers of them.
    bias : bool
        Whether to add a bias per output channel.

    Raises
    ------
    ShapeError, ParameterError, UnknownNameError
        For a kernel size below 1, more functions than points, or a basis that does not exist.

    Examples
    --------
    >>> conv = BasisConv3d(kernel_dim=(20, 9, 9))
    >>> conv.kernel().shape, conv.coefficients.shape
    (torch.Size([1, 1, 20, 9, 9]), torch.Size([1, 1, 11, 6, 6]))

    References
    ----------
    Löwdin P.-O. (1950), On the non-orthogonality problem, J. Chem. Phys. 18, 365-375,
    doi:10.1063/1.1747632. Pillow J. W. et al. (2008), Spatio-temporal correlations and visual signalling
    in a complete neuronal population, Nature 454, 995-999, doi:10.1038/nature07140.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (6, 5, 4)}
    reversed_by_flip: ClassVar[dict[bool, tuple[int, ...]]] = {True: (), False: (2, 3, 4)}

    coefficients = parameter(doc="weight of each function, [out_channel, in_channel, of lag, of x, of y]")
    bias = parameter(doc="added to each output channel")
    history = state_variable("frames before the chunk", shape="[batch, in_channel, lag - 1, x, y]")

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        kernel_dim: Sequence[int] = (1, 1, 1),
        basis: KernelBasis | str = "raised_cosine",
        *,
        bias: bool = True,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        shape = kernel_shape(kernel_dim, in_channels, out_channels)
        self.out_channels, self.in_channels = shape[:2]
        self.basis = basis
        for name, matrix in zip(("_in_time", "_in_x", "_in_y"), kernel_basis(basis, shape[2:]), strict=True):
            self.register_buffer(name, _orthonormal(matrix).to(self.dtype), persistent=False)
        self.coefficients = self._nearest(initial_weight(shape))
        if bias:
            self.bias = torch.zeros(self.out_channels)

    def kernel(self) -> Tensor:
        """Return the kernel that the coefficients make, ``[out_channel, in_channel, lag, x, y]``."""
        return self._along_axes(self.coefficients, *self._matrices())

    def set_weight(self, weight: Any, normalize: bool = False, flip: bool = True) -> None:
        """Set the coefficients to those whose kernel comes closest to a given one (least squares).

        Parameters
        ----------
        weight : array, shape [lag, x, y] or [out_channel, in_channel, lag, x, y]
            Of the size of the kernel.
        normalize : bool
            Whether to scale it to unit sum before.
        flip : bool
            As in `convis_core.filters.Conv3d`, and as in `convis_core.filters.RF` for a `BasisRF`.
        """
        made = self.kernel()
        lifted = shaped_weight(weight, made, normalize=normalize, reverse=self.reversed_by_flip[bool(flip)])
        if lifted.shape != made.shape:
            raise ShapeError(
                f"The kernel of this {type(self).__name__} is {describe_shape(made.shape)}, got a weight of "
                f"{describe_shape(lifted.shape)}.",
                "Build the layer with that kernel_dim.",
            )
        self.coefficients.data = self._nearest(lifted)

    def forward(self, x: Tensor) -> Tensor:
        bias = self._parameters.get("bias")
        y, self.history = causal_conv3d(x, self.kernel(), self.history, bias=bias)
        return y

    def _matrices(self) -> tuple[Tensor, ...]:
        return tuple(self.get_buffer(name) for name in ("_in_time", "_in_x", "_in_y"))

    def _nearest(self, weight: Tensor) -> Tensor:
        """Coefficients of the kernel that is nearest to a weight."""
        return self._along_axes(weight, *(matrix.T for matrix in self._matrices()))

    @staticmethod
    def _along_axes(values: Tensor, in_time: Tensor, in_x: Tensor, in_y: Tensor) -> Tensor:
        return torch.einsum("oclxy,tl,ix,jy->octij", values, in_time, in_x, in_y)


def _orthonormal(functions: Tensor) -> Tensor:
    """Functions ``[point, function]`` that span the same, orthonormal as far as they can be told apart."""
    left, size, right = torch.linalg.svd(functions, full_matrices=False)
    told = size > FAINTEST * size[0]
    spanning: Tensor = left[:, told] @ right[told]
    return spanning


class BasisRF(BasisConv3d):
    r"""Receptive field of few smooth functions of time and of space: one response to the whole image.

    It answers as `convis_core.filters.RF` with the kernel of a `BasisConv3d` as its weight, aligned
    with the image by their middle. Parameters and errors are those of `BasisConv3d`.

    Examples
    --------
    >>> import numpy as np
    >>> BasisRF(kernel_dim=(12, 8, 8), basis="spline").run(np.zeros((30, 8, 8))).array().shape
    (1, 1, 30, 1, 1)
    """

    reversed_by_flip: ClassVar[dict[bool, tuple[int, ...]]] = {True: (3, 4), False: ()}

    def forward(self, x: Tensor) -> Tensor:
        frames, weight = shared_pixels(x, self.kernel())
        bias = self._parameters.get("bias")
        y, self.history = causal_conv3d(frames, weight.flip(3, 4), self.history, bias=bias, pad_space=False)
        return y
