"""A small convolutional network as a model of a population of retinal ganglion cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.convolution import Conv3d
from convis_core.filters.receptive_field import RF
from convis_core.layer import Layer
from convis_core.models.cascade import start_alive
from convis_core.resolution import Resolution

__all__ = ["McIntosh"]


class McIntosh(Layer):
    r"""Two layers of space-time filters with rectification, and a linear readout of the whole image.

    .. math:: y_o = b_o + \sum_{c, p} v_{oc}(p) \; h_c(p), \qquad h = \max(0, w_2 * \max(0, w_1 * x))

    The readout is a `convis_core.filters.RF` without memory: its channels are the cells.

    Parameters
    ----------
    filter_size, filter_2_size : sequence of int
        ``(lag, x, y)`` of the filters of either layer.
    out_channels : int
        Number of cells.
    layer_1_channels, layer_2_channels : int
        Number of filters in either layer.
    size : tuple of int, optional
        Size of the image; that of the first one if not given.
    bias : bool
        Whether each filter and each cell has a bias.

    Examples
    --------
    >>> import numpy as np
    >>> McIntosh(out_channels=3).run(np.zeros((20, 8, 9))).array().shape
    (1, 3, 20, 1, 1)

    References
    ----------
    McIntosh L. et al. (2016), Deep learning models of the retinal response to natural scenes, Advances in
    Neural Information Processing Systems 29.
    """

    example_arguments: ClassVar[dict[str, Any]] = {
        "filter_size": (3, 2, 3),
        "layer_1_channels": 2,
        "layer_2_channels": 3,
        "size": (6, 7),
        "bias": False,
    }
    in_channels = 1

    def __init__(
        self,
        filter_size: Sequence[int] = (5, 3, 3),
        filter_2_size: Sequence[int] = (2, 3, 3),
        out_channels: int = 1,
        layer_1_channels: int = 8,
        layer_2_channels: int = 16,
        size: tuple[int, int] | None = None,
        bias: bool = True,
        *,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        options: dict[str, Any] = {"bias": bias, "resolution": self.resolution}
        self.layer1 = Conv3d(1, layer_1_channels, filter_size, **options)
        self.layer2 = Conv3d(layer_1_channels, layer_2_channels, filter_2_size, **options)
        self.readout = RF(layer_2_channels, out_channels, (1, *(size or (None, None))), **options)
        for layer in (self.layer1, self.layer2):
            start_alive(layer, first=True)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.layer2(torch.relu(self.layer1(x))))
        response: Tensor = self.readout(hidden)
        return response
