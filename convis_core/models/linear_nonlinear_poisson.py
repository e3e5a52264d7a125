"""Cells that turn a filtered stimulus into spikes, each spike independent of those before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.basis_convolution import BasisRF
from convis_core.filters.receptive_field import RF
from convis_core.layer import Layer
from convis_core.loops.losses import PointwiseLoss, bernoulli_loss, poisson_loss
from convis_core.loops.run import check_steps
from convis_core.ops.kernel_bases import KernelBasis
from convis_core.ops.output_nonlinearity import output_nonlinearity
from convis_core.output import Output
from convis_core.parameters import parameter
from convis_core.resolution import Resolution

__all__ = ["LNP"]


class LNP(Layer):
    r"""Linear filter, nonlinearity, Poisson spikes.

    .. math:: \lambda_c(t) = g\Big(b_c + \sum_{l, p} w_c(l, p) \, x(t - l, p)\Big), \qquad
        y_c(t) \sim \mathrm{Poisson}(\lambda_c(t))

    The response is the conditional intensity :math:`\lambda`, the expected count in each frame. Fit it
    with ``loss_fn=model.likelihood``, to counts of one bin a frame; `simulate` draws the spikes. With the
    ``"sigmoid"`` there is one spike in a frame or none, :math:`y \sim \mathrm{Bernoulli}(\lambda)`.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``. Each cell sees the whole image, as in `convis_core.filters.RF`.
    n_cells : int
        Cells that share the stimulus; they are the channels of the response.
    nonlinearity : str
        :math:`g`: ``"exponential"``, ``"softplus"``, ``"sigmoid"``, ``"rectified"`` or ``"linear"``. For
        the first three and the likelihood that belongs to them, the fit has a single optimum.
    basis : KernelBasis or str, optional
        What the filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the weights of its
        functions are then what is fitted (`convis_core.filters.BasisRF`).

    Raises
    ------
    ShapeError, ParameterError, UnknownNameError
        For a kernel size or number of cells below 1, or another nonlinearity.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> movie = rng.standard_normal((2000, 4, 4)).astype("float32")
    >>> spikes = rng.poisson(np.exp(movie[:, 1, 2] - 1))
    >>> model = LNP(kernel_dim=(1, 4, 4))
    >>> _ = model.set_optimizer.LBFGS()
    >>> losses = model.optimize(movie, spikes, loss_fn=model.likelihood, epochs=3)
    >>> bool(abs(model.kernel()[0, 0, 0, 1, 2] - 1) < 0.1), bool(abs(model.offset + 1) < 0.1)
    (True, True)

    References
    ----------
    Simoncelli E. P., Paninski L., Pillow J. & Schwartz O. (2004), Characterization of neural responses with
    stochastic stimuli, The Cognitive Neurosciences III, 327-338. Paninski L. (2004), Maximum likelihood
    estimation of cascade point-process neural encoding models, Network 15, 243-262,
    doi:10.1088/0954-898X_15_4_002.
    """

    output_names = ("rate",)
    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (3, 4, 3), "n_cells": 2}
    in_channels = 1

    offset = parameter(doc="drive of each cell without a stimulus")

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        n_cells: int = 1,
        nonlinearity: str = "exponential",
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        output_nonlinearity(nonlinearity)
        self.n_cells, self.nonlinearity = check_steps(n_cells, "n_cells", "cells"), nonlinearity
        self.filter: RF | BasisRF
        if basis is None:
            self.filter = RF(1, n_cells, tuple(kernel_dim), bias=False, resolution=self.resolution)
        else:
            self.filter = BasisRF(1, n_cells, tuple(kernel_dim), basis, bias=False, resolution=self.resolution)
        self.offset = torch.zeros(n_cells)

    @property
    def likelihood(self) -> PointwiseLoss:
        """Loss that belongs to the spikes of the model: `bernoulli_loss` with a sigmoid, else `poisson_loss`."""
        return bernoulli_loss if self.nonlinearity == "sigmoid" else poisson_loss

    def drive(self, x: Tensor) -> Tensor:
        """What the stimulus adds to the drive, and the offset, ``[batch, cell, time, 1, 1]``."""
        filtered: Tensor = self.filter(x)
        return filtered + self.offset.reshape(-1, 1, 1, 1)

    def feedback_filters(self) -> Tensor | None:
        """What past spikes add to the drive: nothing."""
        return None

    def forward(self, x: Tensor) -> Tensor:
        return output_nonlinearity(self.nonlinearity)(self.drive(x))

    def simulate(self, stimulus: Any, dt: int | None = None, *, seed: int | None = None) -> Output:
        """Draw spikes, from a fresh start; the model is left as it was.

        Parameters
        ----------
        stimulus : array, tensor or Stream
            As for `run`.
        dt : int, optional
            Chunk length in frames.
        seed : int, optional
            The same seed gives the same spikes.

        Returns
        -------
        Output
            ``spikes``, counts of every frame, and the ``rate`` they were drawn from.
        """
        from convis_core.models.spiking_model import SpikingModel  # which is made of models such as this one

        return SpikingModel(self, seed=seed, resolution=self.resolution).run(stimulus, dt)
