"""Joining the outputs of a run while they are still in the processor's cache."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import RunError, ShapeError
from convis_core.output import Events, Output, join_events
from convis_core.tensors import TIME, describe_shape

__all__ = ["Collector"]


class Collector:
    """Takes the outputs of successive chunks and gives them back in one piece.

    Each is copied to its place at once where the length of the run is known, which costs half
    the memory, and less time, than keeping all of them until the end.

    Parameters
    ----------
    expected : int or None
        Frames to come; None where it is not known. More or fewer may come.
    keep_graph : bool
        Whether gradients are to flow back through what is joined.
    """

    def __init__(self, expected: int | None, keep_graph: bool) -> None:
        self._expected = None if keep_graph else expected
        self._first: Output | None = None
        self._whole: list[Tensor] = []
        self._filled = 0
        self._parts: list[Output] = []
        self._events: list[dict[str, Events]] = []

    def add(self, output: Output) -> None:
        """Append the output of the next chunk."""
        n = output.n_frames
        if self._first is None:
            if self._expected is not None and n < self._expected:
                self._whole = [_longer(response, self._expected) for response in output]
            self._first = output
        else:
            _check_alike(self._first, output)
        if output.events:
            self._events.append(output.events)
        if self._whole and not self._parts and self._fits(output):
            for whole, response in zip(self._whole, output, strict=True):
                _copy(response, whole[:, :, self._filled : self._filled + n])
            self._filled += n
        else:
            self._parts.append(output)

    def output(self) -> Output | None:
        """All that came so far; None if nothing did."""
        if self._first is None:
            return None
        parts = self._parts
        if self._filled:
            begun = [whole[:, :, : self._filled] for whole in self._whole]
            parts = [Output(begun, self._first.names, self._first.resolution, self._first.start), *parts]
        output = Output.concatenate(parts)
        output.events = join_events(self._events)
        return output

    def _fits(self, output: Output) -> bool:
        return all(self._filled + r.shape[TIME] <= w.shape[TIME] for w, r in zip(self._whole, output, strict=True))


def _check_alike(first: Output, later: Output) -> None:
    """Refuse a response that has changed its size in the middle of a run."""
    for name, a, b in zip(first.names, first, later, strict=True):
        if (*a.shape[:TIME], *a.shape[TIME + 1 :]) != (*b.shape[:TIME], *b.shape[TIME + 1 :]):
            raise ShapeError(
                f"{name} was {describe_shape(a.shape)} in the first chunk of this run and is {describe_shape(b.shape)} "
                f"from frame {later.start} on.",
                "Only the time axis of a response may differ from chunk to chunk.",
            )


def _longer(response: Tensor, n: int) -> Tensor:
    shape = (*response.shape[:TIME], n, *response.shape[TIME + 1 :])
    try:
        return response.new_empty(shape)
    except (RuntimeError, MemoryError) as error:
        raise RunError(
            f"There is no memory for a response of {describe_shape(shape)}, "
            f"{math.prod(shape) * response.element_size() / 2**30:.3g} GiB.",
            "Iterate over model.stream(...) and keep what is needed of each chunk, or give a smaller max_t.",
        ) from error


def _copy(response: Tensor, place: Tensor) -> None:
    """Copy with one thread where that does: others of torch's would spin on beside the compiled loops."""
    if response.device.type == "cpu" and response.dtype in (torch.float32, torch.float64):
        np.copyto(place.numpy(), response.detach().numpy())
    else:
        place.copy_(response)
