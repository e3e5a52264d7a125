"""What a report shows of a fit, whatever it is a fit of: filters, what follows a spike, drive and response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.nonlinearity import nonlinearity_named

__all__ = ["FilterPart", "Portrait", "ShownFilter", "portrait_of_field"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class FilterPart:
    """A space-time separable part of a filter: time course ``[lag]``, map and its errors ``[x, y]``."""

    time_course: Array
    map: Array
    map_error: Array


@dataclass(frozen=True)
class ShownFilter:
    """A filter, ``[lag, x, y]``, with the errors of its weights, NaN where they are not known.

    `parts` are those it is a sum of, if any.
    """

    name: str
    values: Array
    errors: Array
    parts: tuple[FilterPart, ...] = ()

    @property
    def strongest(self) -> tuple[int, int, int]:
        """Lag and pixel of the weight that is farthest from 0."""
        lag, x, y = np.unravel_index(np.abs(self.values).argmax(), self.values.shape)
        return int(lag), int(x), int(y)

    @property
    def errors_are_known(self) -> bool:
        """Whether every weight has an error."""
        return bool(np.isfinite(self.errors).all())

    def confidence(self) -> str:
        """The strongest weight, with its error, and how many weights are surely not 0, if that is known."""
        lag, x, y = self.strongest
        strongest, where = f"strongest weight {self.values[lag, x, y]:.3g}", f"at lag {lag}, pixel ({x}, {y})"
        if not self.errors_are_known:
            return f"{strongest} {where}"
        sure = int((np.abs(self.values) > 2.0 * self.errors).sum())
        return (
            f"{strongest} ± {self.errors[lag, x, y]:.2g} {where}; "
            f"{sure} of {self.values.size} weights are 2 errors away from 0"
        )


@dataclass(frozen=True)
class Portrait:
    """What a report shows of a fit.

    Attributes
    ----------
    name, title : str
        What its row in the table of scores is called; what it is, in a line.
    filters : tuple of ShownFilter
    after_spikes : mapping
        Drive that a spike adds in the bins after it, ``[lag]``, by whose spike it is.
    response : Tensor, shape [time]
        What it predicts.
    drive : Tensor, shape [time]
        What comes before its nonlinearity; the response itself if there is no such thing.
    curve : callable
        From drive to response.
    drive_name : str
    """

    name: str
    title: str
    filters: tuple[ShownFilter, ...]
    after_spikes: Mapping[str, Array]
    response: Tensor
    drive: Tensor
    curve: Callable[[Tensor], Tensor]
    drive_name: str = "drive"

    def confidence(self) -> str:
        """How sure the weights of each filter are, as text."""
        several = len(self.filters) > 1
        lines = [f"{shown.name}: " * several + shown.confidence() for shown in self.filters]
        unknown = not all(shown.errors_are_known for shown in self.filters)
        return "\n".join(lines) + "; the errors of the weights are not known" * unknown


def portrait_of_field(field: ReceptiveField, stimulus: Any, spikes: Any) -> Portrait:
    """Portrait of a receptive field on a recording."""
    separable = field.method == "separable"  # else each "part" is one lag of the filter
    parts = tuple(map(FilterPart, field.time_courses, field.maps, field.map_errors)) if separable else ()
    history = f", spike history of {len(field.history)} bins" if len(field.history) else ""
    drive = torch.from_numpy(field.drive(stimulus, spikes))
    curve = nonlinearity_named(field.nonlinearity).rate
    return Portrait(
        name="receptive field",
        title=f"Receptive field of {field.outline}{history}",
        filters=(ShownFilter("filter", field.filter, field.filter_error, parts),),
        after_spikes={"own": field.history} if len(field.history) else {},
        response=curve(drive),
        drive=drive,
        curve=curve,
    )
