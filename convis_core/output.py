"""What a model gives back: one tensor a population, by index, by name and as an attribute."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convis_core.errors import ShapeError, UnknownNameError
from convis_core.figures import figure
from convis_core.resolution import Resolution, used_resolution
from convis_core.tensors import TIME, describe_shape, to_numpy

__all__ = ["Events", "Output", "join_events"]

Events = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Cells, and when in s each of them spiked."""


class Output:
    """The responses of a model, each ``[batch, channel, time, x, y]``.

    Parameters
    ----------
    tensors : sequence of Tensor
        One tensor per response.
    names : sequence of str, optional
        Their names; ``output`` or ``output_0, output_1, ...`` if not given.
    resolution : Resolution, optional
        Sampling of the responses.
    start : int
        Index of the first frame in the stream it came from.
    events : mapping, optional
        For responses that are spikes at known times: cells and times in s, by name.

    Examples
    --------
    >>> o = Output([torch.ones(1, 1, 3, 2, 2)], names=["rate"])
    >>> o[0] is o.rate, o["rate"] is o[0], o.array().shape
    (True, True, (1, 1, 3, 2, 2))
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        names: Sequence[str] | None = None,
        resolution: Resolution | None = None,
        start: int = 0,
        events: Mapping[str, Events] | None = None,
    ) -> None:
        self.events = dict(events or {})
        self._tensors = tuple(tensors)
        self.names = tuple(names) if names is not None else _default_names(len(self._tensors))
        if len(self.names) != len(self._tensors):
            raise ShapeError(
                f"Got {len(self._tensors)} responses and {len(self.names)} names for them: {', '.join(self.names)}.",
                "A layer must return as many tensors as its output_names.",
            )
        self.resolution = used_resolution(resolution)
        self.start = start

    def __getitem__(self, key: int | str) -> Tensor:
        if isinstance(key, str):
            if key not in self.names:
                raise UnknownNameError(f"There is no output {key!r}.", f"There are: {', '.join(self.names)}.")
            return self._tensors[self.names.index(key)]
        found: Tensor = self._one(self._tensors, key)
        return found

    def _one(self, of: tuple[Any, ...], key: int) -> Any:
        try:
            return of[key]
        except (IndexError, TypeError):
            raise UnknownNameError(
                f"There is no output {key!r}; there are {len(self)}: {', '.join(self.names)}."
            ) from None

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, item: object) -> bool:
        return item in self.names if isinstance(item, str) else any(response is item for response in self)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._tensors)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.array()
        return array if dtype is None else array.astype(dtype)

    @property
    def n_frames(self) -> int:
        """Number of frames along time."""
        return self._tensors[0].shape[TIME] if self._tensors else 0

    @property
    def time(self) -> np.ndarray[Any, Any]:
        """Time of each frame, in s from the start of the stream."""
        return (self.start + np.arange(self.n_frames)) * self.resolution.step

    def array(self, k: int | str = 0) -> np.ndarray[Any, Any]:
        """Return response `k` as a numpy array ``[batch, channel, time, x, y]``."""
        return to_numpy(self[k])

    def mean(self, axis: int | tuple[int, ...] | None = None, k: int | str = 0) -> np.ndarray[Any, Any]:
        """Average response `k` over one or more of the five axes.

        ``o.mean((3, 4))`` is the mean over space: ``[batch, channel, time]``.
        """
        return np.asarray(self.array(k).mean(axis=axis, dtype=np.float64))

    def spike_times(self, k: int | str | None = None) -> Events:
        """Return cell and time in s of every spike, in order of time; of one response or of all that have them.

        Times are counted from the fresh start of the model. Raises `UnknownNameError` where a
        response has no exact times; ``o[k]`` then has the number of spikes in each step.
        """
        name = k if k is None or isinstance(k, str) else self._one(self.names, k)
        if not self.events or (name is not None and name not in self.events):
            raise UnknownNameError(
                f"There are no exact times of spikes of {name or 'any response'}.",
                f"There are those of: {', '.join(self.events) or 'none'}.",
            )
        return _in_order([self.events[name]] if name is not None else list(self.events.values()))

    def plot(self, mode: str = "auto", k: int | str | None = None, **options: Any) -> Any:
        """Draw the responses; see `convis_core.plotting.plot_output` for the modes."""
        return figure("plot_output")(self, mode=mode, k=k, **options)

    def detach(self) -> Output:
        """Return the same responses cut off from the autograd graph."""
        return Output([t.detach() for t in self], self.names, self.resolution, self.start, self.events)

    @classmethod
    def concatenate(cls, parts: Sequence[Output]) -> Output:
        """Join the outputs of successive chunks along time."""
        first = parts[0]
        if len(parts) == 1:
            return first
        joined = [torch.cat([part[k] for part in parts], dim=TIME) for k in range(len(first))]
        return cls(joined, first.names, first.resolution, first.start, join_events([part.events for part in parts]))

    def __repr__(self) -> str:
        listed = ", ".join(f"{name} {describe_shape(t.shape)}" for name, t in zip(self.names, self, strict=True))
        seconds = self.n_frames * self.resolution.step
        return f"Output({listed}; {seconds:g} s at {self.resolution.steps_per_second:g} Hz)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{k}</td><td style='text-align:left'>{html.escape(name)}</td>"
            f"<td>{describe_shape(t.shape)}</td><td>{_summary(t)}</td></tr>"
            for k, (name, t) in enumerate(zip(self.names, self, strict=True))
        )
        head = "<tr><th></th><th>output</th><th>batch, channel, time, x, y</th><th>min, mean, max</th></tr>"
        seconds = self.n_frames * self.resolution.step
        caption = f"{self.n_frames} frames, {seconds:g} s at {self.resolution.steps_per_second:g} Hz"
        return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


def join_events(parts: Sequence[Mapping[str, Events]]) -> dict[str, Events]:
    """Join the events of successive chunks."""
    return {name: _in_order([part[name] for part in parts if name in part]) for name in (parts[0] if parts else ())}


def _in_order(trains: Sequence[Events]) -> Events:
    unit, time = (np.concatenate([train[i] for train in trains]) for i in range(2))
    order = np.argsort(time, kind="stable")
    return unit[order], time[order]


def _default_names(n: int) -> tuple[str, ...]:
    return ("output",) if n == 1 else tuple(f"output_{k}" for k in range(n))


def _summary(tensor: Tensor) -> str:
    if tensor.numel() == 0:
        return "empty"
    values = tensor.detach()
    return f"{float(values.min()):.4g}, {float(values.double().mean()):.4g}, {float(values.max()):.4g}"
