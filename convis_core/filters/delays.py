"""Delays, the same at every pixel or each with its own."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.layer import Layer
from convis_core.ops.delays import delay_frames
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME, describe_shape, to_tensor

__all__ = ["Delay", "VariableDelay"]

Start = Literal["zeros", "first_frame"]
LONGEST = 100.0  # seconds


class _Delaying(Layer, register=False):
    history = state_variable("frames before the chunk", shape="[batch, channel, longest delay, x, y]")

    def __init__(self, start: Start, resolution: Resolution | None, **values: Any) -> None:
        if start not in ("zeros", "first_frame"):
            raise ParameterError(f"start must be 'zeros' or 'first_frame', got {start!r}.")
        super().__init__(resolution=resolution, **values)
        self.start = start

    def _delayed(self, x: Tensor, seconds: Tensor) -> Tensor:
        steps = seconds * self.resolution.steps_per_second
        past = self._past(x, int(steps.detach().max()) + 1)
        self.history = torch.cat([past, x], dim=TIME)[:, :, x.shape[TIME] :].clone()
        return delay_frames(x, steps, past)

    def _past(self, x: Tensor, n: int) -> Tensor:
        """Return `n` frames from before the chunk; a delay that grew sees the oldest one for longer."""
        if self.history is None:
            first = x[:, :, :1]
            return (torch.zeros_like(first) if self.start == "zeros" else first).expand(-1, -1, n, -1, -1)
        past: Tensor = self.history[:, :, -n:]
        oldest = past[:, :, :1].expand(-1, -1, n - past.shape[TIME], -1, -1)
        return torch.cat([oldest, past], dim=TIME)


class Delay(_Delaying):
    r"""Delay of the whole image, :math:`y(t) = x(t - \Delta)`.

    A delay of a broken number of steps is interpolated linearly, so that it can be fitted.

    Parameters
    ----------
    start : {"zeros", "first_frame"}
        What comes out before the first frame does.
    **values
        Initial value of the parameter below.

    Examples
    --------
    >>> Delay(delay=0.002).run([1.0, 2.0, 3.0, 4.0]).array().ravel()
    array([0., 0., 1., 2.], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"delay": 0.0035}

    delay = parameter(
        0.001, unit="s", bounds=(0.0, LONGEST), slider=(0.0, 0.1), doc="how much later the input comes out"
    )

    def __init__(self, *, start: Start = "zeros", resolution: Resolution | None = None, **values: Any) -> None:
        super().__init__(start, resolution, **values)

    def forward(self, x: Tensor) -> Tensor:
        return self._delayed(x, self.delay)


class VariableDelay(_Delaying):
    r"""Delay of every pixel by a time of its own, :math:`y(t, p) = x(t - \Delta_p, p)`.

    Parameters
    ----------
    delays : array, shape [x, y]
        Delays in s; they decide how large the image is.
    start : {"zeros", "first_frame"}
        What comes out before the first frame does.

    Raises
    ------
    ShapeError
        If the image has another size than the delays.

    Examples
    --------
    >>> layer = VariableDelay([[0.0, 0.001, 0.002]])
    >>> layer.run(np.arange(1.0, 4.0).reshape(3, 1, 1).repeat(3, axis=2)).array()[0, 0, :, 0]
    array([[1., 0., 0.],
           [2., 1., 0.],
           [3., 2., 1.]], dtype=float32)
    """

    example_arguments: ClassVar[dict[str, Any]] = {"delays": np.arange(42).reshape(6, 7) / 6100.0 + 1e-4}
    fixed_size: ClassVar[bool] = True

    delays = parameter(unit="s", bounds=(0.0, LONGEST), doc="how much later each pixel comes out, [x, y]")

    def __init__(self, delays: Any, *, start: Start = "zeros", resolution: Resolution | None = None) -> None:
        super().__init__(start, resolution)
        tensor = to_tensor(delays)
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ShapeError(f"delays must be a map [x, y] in s, got shape {describe_shape(tensor.shape)}.")
        self.delays = tensor

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[3:] != self.delays.shape:
            raise ShapeError(
                f"This VariableDelay has delays for {describe_shape(self.delays.shape)} pixels, "
                f"got frames of {describe_shape(x.shape[3:])}.",
                "Build it with a map of delays as large as the image.",
            )
        return self._delayed(x, self.delays)
