"""The past in front of every chunk, for filters of one's own that look back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from convis_core.errors import ParameterError, StateError
from convis_core.layer import Layer
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["TimePadding"]

Mode = Literal["first_frame", "mirror", "full_copy", "mean", "zeros", "ones"]
_Start = Callable[[Tensor, int], Tensor]


class TimePadding(Layer, register=False):
    """Put the frames before a chunk in front of it; the chunk comes out longer by `length`.

    In a run these are the last frames of what came before, however short the chunks are. What is
    in front of the very first chunk is the choice of `mode`.

    Parameters
    ----------
    length : int
        Frames to put in front.
    mode : str
        Before the first chunk comes

        * ``"first_frame"``: its first frame, as if it had lasted for ever;
        * ``"mirror"``: its frames 1, 2, 3, ... backwards in time, frame 0 being the mirror;
        * ``"full_copy"``: its own last frames, as if it repeated itself;
        * ``"mean"``: the mean of its frames;
        * ``"zeros"`` or ``"ones"``: an image of nothing but 0 or 1.

        "mirror", "full_copy" and "mean" depend on how much the first chunk shows.

    Examples
    --------
    >>> padding = TimePadding(2, mode="mirror")
    >>> padding(torch.tensor([1.0, 2.0, 3.0])).flatten(), padding(torch.tensor([4.0])).flatten()
    (tensor([3., 2., 1., 2., 3.]), tensor([2., 3., 4.]))
    """

    history = state_variable("frames before the chunk", shape="[batch, channel, length, x, y]")

    def __init__(self, length: int = 0, mode: Mode = "first_frame", *, resolution: Resolution | None = None) -> None:
        super().__init__(resolution=resolution)
        if mode not in get_args(Mode):
            raise ParameterError(f"mode must be one of {', '.join(get_args(Mode))}, got {mode!r}.")
        if not isinstance(length, int) or length < 0:
            raise ParameterError(f"length is a whole number of frames of at least 0, got {length!r}.")
        self.length, self.mode = length, mode

    def forward(self, x: Tensor) -> Tensor:
        past = _STARTS[self.mode](x, self.length) if self.history is None else self.history
        padded = torch.cat([past, x], dim=TIME)
        self.history = padded[:, :, padded.shape[TIME] - self.length :].clone()
        return padded


def _lasting(frame: Tensor, length: int) -> Tensor:
    return frame.expand(-1, -1, length, -1, -1)


def _mirror(x: Tensor, length: int) -> Tensor:
    return _long_enough(x, length + 1, "mirror")[:, :, 1 : length + 1].flip(TIME)


def _full_copy(x: Tensor, length: int) -> Tensor:
    return _long_enough(x, length, "full_copy")[:, :, x.shape[TIME] - length :]


def _long_enough(x: Tensor, needed: int, mode: str) -> Tensor:
    if x.shape[TIME] < needed:
        raise StateError(
            f"TimePadding(mode={mode!r}) needs a first chunk of at least {needed} frames, got {x.shape[TIME]}.",
            "Begin with a longer chunk, or use mode='first_frame'.",
        )
    return x


_STARTS: dict[str, _Start] = {
    "first_frame": lambda x, n: _lasting(x[:, :, :1], n),
    "mirror": _mirror,
    "full_copy": _full_copy,
    "mean": lambda x, n: _lasting(x.mean(dim=TIME, keepdim=True), n),
    "zeros": lambda x, n: _lasting(torch.zeros_like(x[:, :, :1]), n),
    "ones": lambda x, n: _lasting(torch.ones_like(x[:, :, :1]), n),
}
