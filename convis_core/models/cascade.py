"""Cascades of linear-nonlinear stages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.convolution import Conv3d
from convis_core.filters.convolving import Convolving
from convis_core.filters.delays import Delay
from convis_core.filters.receptive_field import RF
from convis_core.layer import Layer
from convis_core.resolution import Resolution

__all__ = ["LNFDLNF", "LNFDSNF", "LNLN", "LNLNLN", "LNLNLNLN", "LNSN", "LNCascade", "start_alive"]


def start_alive(conv: Convolving, *, first: bool) -> None:
    r"""Give a stage weights from which it can learn.

    The first gets random weights of variance :math:`2 / n`, which keep the size of its input
    (He et al. 2015, doi:10.1109/ICCV.2015.123). What comes after a rectification is never negative, so
    later stages get random positive weights of unit sum: no pixel starts silent and without a gradient.
    """
    n = math.prod(conv.weight.shape[1:])
    bound = math.sqrt(6.0 / n)
    with torch.no_grad():
        if first:
            conv.weight.uniform_(-bound, bound)
        else:
            conv.weight.uniform_(0.0, 2.0 / n)


class LNCascade(Layer):
    r"""Stages of a space-time filter and a rectification, one after the other.

    .. math:: r_i = \max(0, \; b_i + w_i * r_{i-1}), \qquad r_0 = x

    The parts are called ``conv1``, ``conv2``, ... They start at weights from which the whole
    cascade can learn.

    Parameters
    ----------
    n : int
        Number of stages.
    kernel_dim : sequence of int
        ``(lag, x, y)`` of every stage, or a sequence of `n` of them.
    population : bool
        True: a response for every pixel. False: the last stage is a single cell that sees the
        whole image (`convis_core.filters.RF`).
    bias : bool
        Whether to add a bias in every stage.

    Examples
    --------
    >>> import numpy as np
    >>> LNCascade(3, kernel_dim=(5, 3, 3)).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 8, 8)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"kernel_dim": (2, 3, 2), "bias": False}

    def __init__(
        self,
        n: int = 3,
        kernel_dim: Sequence[Any] = (1, 1, 1),
        population: bool = True,
        bias: bool = True,
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        dims = list(kernel_dim) if isinstance(kernel_dim[0], Sequence) else [kernel_dim] * n
        if len(dims) != n or n < 1:
            raise ParameterError(f"A cascade of {n} stages needs 1 or {n} kernel sizes, got {len(dims)}.")
        self.n_stages = n
        for i, size in enumerate(dims, 1):
            kind = Conv3d if population or i < n else RF
            conv = kind(kernel_dim=size, bias=bias, resolution=self.resolution)
            start_alive(conv, first=i == 1)
            setattr(self, f"conv{i}", conv)
        self.in_channels = self.get_submodule("conv1").in_channels  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        for i in range(1, self.n_stages + 1):
            x = torch.relu(self.get_submodule(f"conv{i}")(x))
        return x


class _Fixed(LNCascade, register=False):
    stages: ClassVar[int]

    def __init__(
        self,
        kernel_dim: Sequence[Any] = (1, 1, 1),
        population: bool = True,
        bias: bool = True,
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(self.stages, kernel_dim, population, bias, resolution=resolution)


class LNLN(_Fixed):
    """Two linear-nonlinear stages: an `LNCascade` of 2."""

    stages = 2


class LNLNLN(_Fixed):
    """Three linear-nonlinear stages: an `LNCascade` of 3."""

    stages = 3


class LNLNLNLN(_Fixed):
    """Four linear-nonlinear stages: an `LNCascade` of 4."""

    stages = 4


class LNFDLNF(Layer):
    r"""Two linear-nonlinear stages, each inhibited by what it did, with a delay between them.

    .. math:: r_i = \max(0, \; b_i + w_i * u_i), \qquad y_i = r_i - k_i * r_i, \qquad u_2(t) = y_1(t - \Delta)

    The inhibition acts on the rectified response through a filter in time, `feedback1` and
    `feedback2`, which start at 0.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)`` of both stages.
    feedback_length : int
        Lags of the inhibition.
    population : bool
        False: the second stage is a single cell that sees the whole image.
    bias : bool
        Whether to add a bias in every stage.
    delay : float, optional
        Delay between the stages in s, one step if not given.

    Examples
    --------
    >>> import numpy as np
    >>> LNFDLNF(kernel_dim=(5, 3, 3)).run(np.zeros((20, 8, 8))).array().shape
    (1, 1, 20, 8, 8)
    """

    example_arguments: ClassVar[dict[str, Any]] = {
        "kernel_dim": (2, 3, 2),
        "feedback_length": 3,
        "bias": False,
        "delay": 0.0015,
    }

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        feedback_length: int = 8,
        population: bool = True,
        bias: bool = True,
        delay: float | None = None,
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        options: dict[str, Any] = {"resolution": self.resolution}
        self.conv1 = Conv3d(kernel_dim=kernel_dim, bias=bias, **options)
        self.feedback1 = Conv3d(kernel_dim=(feedback_length, 1, 1), bias=False, **options)
        self.delay = Delay(delay=self.resolution.step if delay is None else delay, **options)
        self.conv2 = (Conv3d if population else RF)(kernel_dim=kernel_dim, bias=bias, **options)
        self.feedback2 = Conv3d(kernel_dim=(feedback_length, 1, 1), bias=False, **options)
        start_alive(self.conv1, first=True)
        start_alive(self.conv2, first=False)
        for feedback in (self.feedback1, self.feedback2):
            feedback.weight = 0.0
        self.in_channels = self.conv1.in_channels

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.conv1(x))
        delayed = self.delay(first - self.feedback1(first))
        second = torch.relu(self.conv2(delayed))
        response: Tensor = second - self.feedback2(second)
        return response


LNSN = LNLN
LNFDSNF = LNFDLNF
