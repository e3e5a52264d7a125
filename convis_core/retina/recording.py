"""The stages of a retina by name, and a view of the retina that answers with those asked for too."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor

from convis_core.errors import UnknownNameError
from convis_core.loops.protocol import RunnableModel
from convis_core.output import Output

__all__ = ["Recording", "check_stages"]


def check_stages(record: str | Iterable[str], available: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the stages to record, or raise for one that the retina does not have."""
    names = (record,) if isinstance(record, str) else tuple(dict.fromkeys(record))
    unknown = [name for name in names if name not in available]
    if unknown:
        raise UnknownNameError(
            f"This retina has no stage {', '.join(map(repr, unknown))} to record.",
            f"There are: {', '.join(available)}.",
        )
    return names


class _Recordable(RunnableModel, Protocol):
    def recording(self, record: tuple[str, ...]) -> AbstractContextManager[None]: ...


class Recording:
    """A retina that answers with its outputs and with recorded stages: what the run loop asks of a model."""

    def __init__(self, retina: _Recordable, record: tuple[str, ...]) -> None:
        self._retina = retina
        self.stands_for = type(retina).__name__  # in messages
        self.resolution = retina.resolution
        self._record = record

    @property
    def dtype(self) -> torch.dtype:
        return self._retina.dtype

    @property
    def device(self) -> torch.device:
        return self._retina.device

    def __call__(self, x: Any) -> tuple[Tensor, ...]:
        with self._retina.recording(self._record):
            answer: tuple[Tensor, ...] = self._retina(x)
        return answer

    def as_output(self, result: Any, start: int = 0) -> Output:
        with self._retina.recording(self._record):
            return self._retina.as_output(result, start)
