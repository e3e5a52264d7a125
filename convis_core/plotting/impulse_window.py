"""Impulse responses in windows of round sizes, so that models with similar kernels get the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.layer import Layer
from convis_core.output import Output
from convis_core.resolution import Resolution
from convis_core.tensors import TIME

__all__ = ["Impulse", "measured_impulse"]

LENGTHS: Final = (20, 50, 100, 200, 500, 1000)
SIZES: Final = (11, 21, 31, 51, 71, 101)


@dataclass(frozen=True)
class Impulse:
    """Responses to an impulse in the middle of the image.

    Attributes
    ----------
    responses : dict of array
        ``[lag, x, y]`` for each response and channel.
    resolution : Resolution
        Sampling of the layer.
    """

    responses: dict[str, NDArray[Any]]
    resolution: Resolution

    @property
    def lags(self) -> NDArray[Any]:
        """Time after the impulse, in ms."""
        n = next(iter(self.responses.values())).shape[0]
        lags: NDArray[Any] = np.arange(n) * (1e3 * self.resolution.step)
        return lags

    def offsets(self, axis: int) -> NDArray[Any]:
        """Distance from the impulse along axis 0 (x) or 1 (y), in deg."""
        n = next(iter(self.responses.values())).shape[1 + axis]
        offsets: NDArray[Any] = (np.arange(n) - (n - 1) // 2) / self.resolution.pixel_per_degree
        return offsets


def measured_impulse(layer: Any, length: int | None, size: tuple[int, int] | None, **light: Any) -> Impulse:
    """Measure the responses of a layer to an impulse.

    A model with a single time series for the whole image is probed at every pixel: its
    answer to an impulse at distance -d is that of a cell at distance d to one in the middle.
    """
    if not isinstance(layer, Layer):
        raise ParameterError(
            f"An impulse response needs a model, got {type(layer).__name__}.",
            "Use plot_tensor or plot_5d_matshow for arrays and parameters.",
        )
    n_lags, extent = _support(layer)
    length = length or next((n for n in LENGTHS if n >= n_lags), n_lags)
    side = next((n for n in SIZES if n >= extent), extent + 1 - extent % 2)
    size = size or (side, side)
    if length < 1 or min(size) < 1:
        raise ParameterError(f"length and size must be at least 1, got {length} and {size}.")
    output = layer.impulse_response(length, size, **light)
    if output[0].shape[TIME + 1 :] == (1, 1) != tuple(size):
        tensors = _probed(layer, length, size, **light)
    else:
        tensors = [tensor.cpu() for tensor in output]
    responses = {}
    for name, tensor in zip(output.names, tensors, strict=True):
        for channel in range(tensor.shape[1]):
            key = name if tensor.shape[1] == 1 else f"{name}, channel {channel}"
            responses[key] = tensor[0, channel].double().numpy()
    return Impulse(responses, layer.resolution)


def _support(layer: Layer) -> tuple[int, int]:
    """Lags and pixels the linear filter of the layer spans; a common window where it has none."""
    try:
        shape = layer.kernel().shape
    except UnknownNameError:
        return 100, 21
    return int(shape[TIME]), int(max(shape[TIME + 1 :]))


def _probed(
    layer: Layer, length: int, size: tuple[int, int], amplitude: float = 1.0, background: float = 0.0
) -> list[torch.Tensor]:
    """Responses of a single cell to an impulse at each pixel, placed opposite to the pixel.

    The pixels of a row are probed side by side along the batch axis, after a frame of background.
    """
    columns = torch.arange(size[1])
    shape = (size[1], layer.in_channels or 1, length + 1, *size)
    still = torch.full(shape, background, dtype=layer.dtype, device=layer.device)
    rows = []
    layer.push_state()
    try:
        rest = _fresh(layer, still)
        for x in range(size[0]):
            flash = still.clone()
            flash[columns, :, 1, x, columns] += amplitude
            rows.append([f - r for f, r in zip(_fresh(layer, flash), rest, strict=True)])
    finally:
        layer.pop_state()
    # [pixel along y, channel, lag, 1, 1] for each x becomes [1, channel, lag, x, y]
    found = [torch.stack([row[k][:, :, 1:, 0, 0] for row in rows]) for k in range(len(rest))]
    return [tensor.permute(2, 3, 0, 1)[None].flip(3, 4).cpu() for tensor in found]


def _fresh(layer: Layer, frames: torch.Tensor) -> Output:
    layer.clear_state()
    with torch.no_grad():
        return layer.as_output(layer(frames))
