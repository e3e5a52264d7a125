"""Cells that add up many small rectified subunits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.convolution import Conv3d
from convis_core.filters.receptive_field import RF
from convis_core.filters.weights import kernel_shape
from convis_core.layer import Layer
from convis_core.loops.run import check_steps
from convis_core.ops.output_nonlinearity import output_nonlinearity
from convis_core.parameters import parameter
from convis_core.resolution import Resolution

__all__ = ["SubunitModel"]


class SubunitModel(Layer):
    r"""A bank of rectified subunits, pooled by each cell with weights of its own.

    .. math:: r_c = g\Big(b_c + \sum_{k, p} v_{ck}(p) \, f\big((w_k * x)(p) + a_k\big)\Big)

    All cells share the subunits. Convolved, each filter :math:`w_k` stands at every pixel :math:`p`;
    independent, each sees the whole image once, and there is no sum over pixels.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)`` of a subunit.
    n_subunits : int
        Filters in the bank.
    n_cells : int
        Cells that share the stimulus; they are the channels of the response.
    size : tuple of int, optional
        Size of the image, that of the first one if not given; for convolved subunits only.
    convolved : bool
        Whether a subunit stands at every pixel.
    rectification, nonlinearity : str
        :math:`f` of the subunits and :math:`g` of the cells: ``"softplus"``, ``"rectified"``,
        ``"exponential"``, ``"sigmoid"`` or ``"linear"``.

    Raises
    ------
    ShapeError, ParameterError, UnknownNameError
        For sizes and counts below 1, a size of independent subunits, or another nonlinearity.

    Examples
    --------
    >>> import numpy as np
    >>> SubunitModel(kernel_dim=(5, 3, 3), n_cells=2).run(np.zeros((50, 8, 8))).array().shape
    (1, 2, 50, 1, 1)

    References
    ----------
    Vintch B., Movshon J. A. & Simoncelli E. P. (2015), A convolutional subunit model for neuronal responses
    in macaque V1, J. Neurosci. 35, 14829-14841, doi:10.1523/JNEUROSCI.2815-13.2015.
    """

    output_names = ("rate",)
    example_arguments: ClassVar[dict[str, Any]] = {
        "kernel_dim": (3, 3, 2),
        "n_subunits": 2,
        "n_cells": 2,
        "size": (6, 7),
    }
    in_channels = 1

    threshold = parameter(doc="added to the drive of each subunit, [subunit]")

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        n_subunits: int = 1,
        n_cells: int = 1,
        size: tuple[int, int] | None = None,
        convolved: bool = True,
        rectification: str = "softplus",
        nonlinearity: str = "softplus",
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        for name in (rectification, nonlinearity):
            output_nonlinearity(name)
        if size is not None and not convolved:
            raise ParameterError("Independent subunits have the size of kernel_dim.", "Leave out size.")
        n_subunits = check_steps(n_subunits, "n_subunits", "filters")
        self.n_cells = check_steps(n_cells, "n_cells", "cells")
        self.rectification, self.nonlinearity = rectification, nonlinearity
        dims = kernel_shape(tuple(kernel_dim), 1, n_subunits)[2:]
        kind = Conv3d if convolved else RF
        self.subunits = kind(1, n_subunits, dims, bias=False, resolution=self.resolution)
        pooled = (size or (None, None)) if convolved else (1, 1)
        self.pooling = RF(n_subunits, n_cells, (1, *pooled), resolution=self.resolution)
        self.threshold = torch.zeros(n_subunits)
        with torch.no_grad():  # the weights of rectified responses start positive, so that no cell starts silent
            self.pooling.weight.abs_()

    def kernel(self) -> Tensor:
        """Return the filters of the subunits, ``[subunit, 1, lag, x, y]``."""
        return self.subunits.kernel()

    def forward(self, x: Tensor) -> Tensor:
        drive = self.subunits(x) + self.threshold.reshape(-1, 1, 1, 1)
        return output_nonlinearity(self.nonlinearity)(self.pooling(output_nonlinearity(self.rectification)(drive)))
