"""What changes from frame to frame, and what several signals add up to."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.layer import Layer
from convis_core.ops.padding import last_frames, past_frames
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import AXES, TIME, describe_shape, lift

__all__ = ["Diff", "Sum"]


class Diff(Layer):
    r"""Change since the frame before, :math:`y(t) = x(t) - x(t - 1)`.

    The first frame is taken to have lasted for ever, so it is answered with 0.

    Examples
    --------
    >>> Diff().run([1.0, 3.0, 2.0]).array().ravel()
    array([ 0.,  2., -1.], dtype=float32)
    """

    last = state_variable("the frame before the chunk", shape="[batch, channel, 1, x, y]")

    def forward(self, x: Tensor) -> Tensor:
        past = past_frames(x, self.last, 1)
        self.last = last_frames(past, x)
        return x - torch.cat([past, x[:, :, :-1]], dim=TIME)


class Sum(Layer):
    r"""Sum of several signals, or of one along an axis, which stays with length 1.

    Parameters
    ----------
    dim : int
        Axis to add up along, of ``[batch, channel, time, x, y]``, by default the channels. Several
        signals are first put side by side along it, so they may differ in its length only.

    Examples
    --------
    >>> Sum()(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])).flatten()
    tensor([11., 22.])
    """

    combines_channels: ClassVar[bool] = True
    example_arguments: ClassVar[dict[str, Any]] = {"dim": 1}

    def __init__(self, dim: int = 1, *, resolution: Resolution | None = None) -> None:
        super().__init__(resolution=resolution)
        if dim not in range(-len(AXES), len(AXES)):
            raise ParameterError(f"dim must be an axis from 0 to 4 of [{', '.join(AXES)}], got {dim!r}.")
        self.dim = dim % len(AXES)

    def __call__(self, *signals: Any) -> Any:
        """Add signals up."""
        lifted = [lift(signal, dtype=self.dtype, device=self.device) for signal in signals]
        shapes = [(*s.shape[: self.dim], *s.shape[self.dim + 1 :]) for s in lifted]
        if not lifted or any(shape != shapes[0] for shape in shapes):
            raise ShapeError(
                f"Sum(dim={self.dim}) expects signals that differ in their {AXES[self.dim]} axis only, got "
                f"{', '.join(describe_shape(s.shape) for s in lifted) or 'none'}."
            )
        return super().__call__(torch.cat(lifted, dim=self.dim))

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=self.dim, keepdim=True)
