"""A linear-nonlinear model whose filter is a sum of few parts that separate in space and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.receptive_field import shared_pixels
from convis_core.filters.weights import initial_weight, kernel_shape
from convis_core.layer import Layer
from convis_core.loops.run import check_steps
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.output_nonlinearity import output_nonlinearity
from convis_core.ops.padding import last_frames, past_frames
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["SeparableLN"]


class SeparableLN(Layer):
    r"""Linear-nonlinear model of a space-time filter of low rank.

    .. math:: r_c = g\Big(b_c + \sum_{k=1}^{n} T_{ck} *_t (S_{ck} *_{xy} x)\Big)

    With `n` parts of `L` lags and `P` pixels a cell has :math:`n (L + P)` weights instead of
    :math:`L P`. Only the product of a time course and its map is determined, not the size of either.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``.
    rank : int
        Parts :math:`n` of each filter.
    n_cells : int
        Cells that share the stimulus; they are the channels of the response.
    population : bool
        False: each cell sees the whole image, one time series; a map is a map of the image, as in
        `convis_core.filters.RF`. True: a response for every pixel, an image; a map is an impulse
        response, as in `convis_core.filters.Conv3d`.
    nonlinearity : str
        :math:`g`: ``"softplus"``, ``"exponential"``, ``"sigmoid"``, ``"rectified"`` or ``"linear"``.

    Raises
    ------
    ShapeError, ParameterError, UnknownNameError
        For a kernel size, rank or number of cells below 1, or another nonlinearity.

    Examples
    --------
    >>> import numpy as np
    >>> model = SeparableLN(kernel_dim=(10, 8, 8), rank=2, n_cells=3)
    >>> model.run(np.zeros((50, 8, 8))).array().shape
    (1, 3, 50, 1, 1)
    >>> model.kernel().shape
    torch.Size([3, 1, 10, 8, 8])

    References
    ----------
    Linden J. F. et al. (2003), Spectrotemporal structure of receptive fields in areas AI and AAF of mouse
    auditory cortex, J. Neurophysiol. 90, 2660-2675, doi:10.1152/jn.00751.2002.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (3, 4, 3), "rank": 2, "n_cells": 2}
    in_channels = 1

    time_courses = parameter(doc="time course of every part, [cell, part, lag, 1, 1]; lag 0 is the present frame")
    maps = parameter(doc="map in space of every part, [cell, part, 1, x, y]")
    offset = parameter(doc="drive of each cell without a stimulus")
    history = state_variable("frames before the chunk", shape="[batch, 1, lag - 1, x, y]")

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        rank: int = 1,
        n_cells: int = 1,
        population: bool = False,
        nonlinearity: str = "softplus",
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        self.rank, self.n_cells = check_steps(rank, "rank", "parts"), check_steps(n_cells, "n_cells", "cells")
        self.population, self.nonlinearity = population, nonlinearity
        output_nonlinearity(nonlinearity)
        _, _, n_lags, x, y = kernel_shape(tuple(kernel_dim)[-3:], 1, n_cells)
        scale = rank**-0.5  # parts that add up are as large together as one would be
        self.time_courses = initial_weight((n_cells * rank, 1, n_lags, 1, 1)).reshape(n_cells, rank, n_lags, 1, 1)
        self.maps = initial_weight((n_cells * rank, 1, 1, x, y)).reshape(n_cells, rank, 1, x, y) * scale
        self.offset = torch.zeros(n_cells)

    def kernel(self) -> Tensor:
        """Return the filters of all cells, ``[cell, 1, lag, x, y]``."""
        return (self.time_courses * self.maps).sum(dim=1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        past = past_frames(x, self.history, self.time_courses.shape[TIME] - 1)
        self.history = last_frames(past, x)
        drive = self._in_time(self._in_space(torch.cat([past, x], dim=TIME)), x.shape[TIME])
        drive = drive + self.offset.reshape(-1, 1, 1, 1)
        return output_nonlinearity(self.nonlinearity)(drive)

    def _in_space(self, frames: Tensor) -> Tensor:
        """Every part's map applied to every frame, ``[batch, cell * part, time, x, y]``."""
        maps = self.maps.flatten(0, 1)[:, None]
        if not self.population:
            frames, maps = shared_pixels(frames, maps)
            maps = maps.flip(3, 4)
        return causal_conv3d(frames, maps, pad_space=self.population)[0]

    def _in_time(self, mapped: Tensor, n_steps: int) -> Tensor:
        """Every part's time course applied to what its map made, summed over the parts."""
        courses = self.time_courses.flatten(0, 1)
        n_lags = courses.shape[1]
        filtered = torch.zeros_like(mapped[:, :, :n_steps])
        for lag in range(n_lags):
            start = n_lags - 1 - lag
            filtered = torch.addcmul(filtered, mapped[:, :, start : start + n_steps], courses[:, lag, None])
        return filtered.reshape(-1, self.n_cells, self.rank, *filtered.shape[2:]).sum(dim=2)
