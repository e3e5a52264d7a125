"""A filter in space and time whose time courses are smooth by construction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.weights import initial_weight, kernel_shape, shaped_weight
from convis_core.layer import Layer
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.recursive_time import exponential_filter
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import CHANNEL

__all__ = ["SmoothConv"]


class SmoothConv(Layer):
    r"""Sum of ever later low-passed images, each seen through a spatial filter of its own.

    .. math:: y = \sum_{m=1}^{n} w_m * (\underbrace{E_\tau * \cdots * E_\tau}_{m \text{ times}} * x)

    with the exponential low-pass `E` of `convis_core.ops.recursive_time`: few weights describe a
    long filter that is smooth in time. Before the first frame the image is taken to have been 0.

    Parameters
    ----------
    n : int
        Number of components.
    kernel_dim : sequence of int
        Size ``(x, y)`` of the spatial filters.
    **values
        Initial value of the time constant.

    Examples
    --------
    >>> import numpy as np
    >>> layer = SmoothConv(n=2, kernel_dim=(1, 1), tau=0.01)
    >>> layer.set_weight([[[1.0]], [[0.0]]])
    >>> layer.run(np.ones(1000)).array()[0, 0, -1].round(3)
    array([[1.]], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"n": 2, "kernel_dim": (2, 3)}
    in_channels = 1

    tau = parameter(
        0.02,
        unit="s",
        bounds=(1e-4, 10.0),
        slider=(0.001, 0.1),
        scale="log",
        doc="time constant of each low-pass filter",
    )
    weight = parameter(doc="filter in space of each component, [1, component, 1, x, y]")
    last = state_variable("last image of each component", shape="[batch, component, x, y]")

    def __init__(
        self, n: int = 3, kernel_dim: Sequence[int] = (5, 5), *, resolution: Resolution | None = None, **values: Any
    ) -> None:
        super().__init__(resolution=resolution, **values)
        self.weight = initial_weight(kernel_shape((1, n, 1, *kernel_dim), n, 1))

    def set_weight(self, weight: Any) -> None:
        """Set the spatial filters, ``[component, x, y]``, each the response to a single bright pixel."""
        lifted = shaped_weight(weight, self.weight, normalize=False, reverse=()).transpose(1, 2)
        if lifted.shape[:3] != self.weight.shape[:3]:
            raise ParameterError(
                f"This SmoothConv has {self.weight.shape[1]} spatial filters, got {lifted.shape[1]}.",
                "Give an array [component, x, y], or build the layer with another n.",
            )
        self.weight.data = lifted.contiguous()

    def components(self, x: Tensor) -> Tensor:
        """Low-passed images, ``[batch, component, time, x, y]``."""
        n = self.weight.shape[1]
        start = x.new_zeros(x.shape[0], n, *x.shape[3:]) if self.last is None else self.last
        images, lasts = [], []
        for m in range(n):
            x, last = exponential_filter(x, self.tau, self.resolution.step, start[:, m : m + 1])
            images.append(x)
            lasts.append(last)
        self.last = torch.cat(lasts, dim=CHANNEL)
        return torch.cat(images, dim=CHANNEL)

    def forward(self, x: Tensor) -> Tensor:
        return causal_conv3d(self.components(x), self.weight)[0]
