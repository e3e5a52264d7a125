"""The linear and the linear-nonlinear model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from convis_core.filters import receptive_field
from convis_core.filters.basis_convolution import BasisConv3d, BasisRF
from convis_core.filters.convolution import Conv3d
from convis_core.filters.nonlinearities import NLRectify
from convis_core.layer import Layer
from convis_core.ops.kernel_bases import KernelBasis
from convis_core.resolution import Resolution

__all__ = ["LN", "RF", "RFN", "L"]


class L(Layer):
    r"""Linear model: one space-time filter.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    population : bool
        True: a response for every pixel, an image (`Conv3d`). False: a single cell that sees
        the whole image, one time series
        (`convis_core.filters.RF`).
    bias : bool
        Whether to add a bias.
    basis : KernelBasis or str, optional
        What the filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the weights of its
        functions are then what is fitted (`convis_core.filters.BasisConv3d`).

    Examples
    --------
    >>> import numpy as np
    >>> L(kernel_dim=(5, 3, 3)).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 8, 8)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (3, 4, 3)}

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        population: bool = True,
        bias: bool = True,
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        options: dict[str, Any] = {"kernel_dim": kernel_dim, "bias": bias, "resolution": self.resolution}
        self.conv: Conv3d | receptive_field.RF | BasisConv3d
        if basis is None:
            self.conv = (Conv3d if population else receptive_field.RF)(**options)
        else:
            self.conv = (BasisConv3d if population else BasisRF)(basis=basis, **options)
        self.in_channels = self.conv.in_channels

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        response: Tensor = self.conv(x)
        return response


class LN(L):
    r"""Linear-nonlinear model: a space-time filter, then rectification.

    .. math:: r = \max(0, \; b + w * x)

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    population : bool
        True: a response for every pixel, an image (`Conv3d`). False: a single cell that sees
        the whole image, one time series
        (`convis_core.filters.RF`).
    bias : bool
        Whether to add a bias.
    basis : KernelBasis or str, optional
        What the filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the weights of its
        functions are then what is fitted (`convis_core.filters.BasisConv3d`).

    Examples
    --------
    >>> import numpy as np
    >>> LN(kernel_dim=(5, 3, 3), population=False).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 1, 1)

    References
    ----------
    Chichilnisky E. J. (2001), A simple white noise analysis of neuronal light responses,
    Network 12, 199-213, doi:10.1080/713663221.
    """

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        population: bool = True,
        bias: bool = True,
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(kernel_dim, population, bias, basis=basis, resolution=resolution)
        self.nonlinearity = NLRectify(resolution=self.resolution)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        response: Tensor = self.nonlinearity(self.conv(x))
        return response


class RF(L):
    r"""Linear model of a single cell that sees the whole image: `L` with ``population=False``.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    bias : bool
        Whether to add a bias.
    basis : KernelBasis or str, optional
        What the filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the weights of its
        functions are then what is fitted (`convis_core.filters.BasisConv3d`).

    Examples
    --------
    >>> import numpy as np
    >>> RF(kernel_dim=(5, 8, 8)).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 1, 1)
    """

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        bias: bool = True,
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(kernel_dim, False, bias, basis=basis, resolution=resolution)


class RFN(LN):
    r"""Linear-nonlinear model of a single cell that sees the whole image: `LN` with ``population=False``.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``, or ``(out_channel, in_channel, lag, x, y)``.
    bias : bool
        Whether to add a bias.
    basis : KernelBasis or str, optional
        What the filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the weights of its
        functions are then what is fitted (`convis_core.filters.BasisConv3d`).

    Examples
    --------
    >>> import numpy as np
    >>> RFN(kernel_dim=(5, 8, 8)).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 1, 1)
    """

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        bias: bool = True,
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(kernel_dim, False, bias, basis=basis, resolution=resolution)
