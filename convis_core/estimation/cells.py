"""Cells that were recorded together: those that can be fitted, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.errors import ConvisError, FitError, UnknownNameError
from convis_core.estimation.recording import (
    UntellingError,
    check_cell,
    check_counts,
    check_parts,
    check_varies,
    doubt,
)
from convis_core.tensors import describe_shape, to_tensor
from convis_core.warn import warn

__all__ = ["Cells", "UnfittedCell", "cells_of", "tell_unfitted"]

REMEDY: Final = "Leave such cells out with: for field in found: if field: ..."


@dataclass(frozen=True)
class UnfittedCell:
    """What stands in a list of receptive fields for a cell that could not be fitted.

    It counts as false, so that ``[field for field in found if field]`` has the others. Asked for anything
    that a `ReceptiveField` has, it raises an error that says why there is none.

    Attributes
    ----------
    number : int
        Column of the cell in the spikes.
    reason : str

    Examples
    --------
    >>> silent = UnfittedCell(3, "There are no spikes in the recording.")
    >>> bool(silent), silent
    (False, UnfittedCell(number=3, reason='There are no spikes in the recording.'))
    """

    number: int
    reason: str

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copying and pickling look for, when nothing is known here yet
            raise AttributeError(name)
        raise UnknownNameError(f"Cell {self.number} was not fitted, so it has no {name}. {self.reason}", REMEDY)


@dataclass(frozen=True)
class Cells:
    """The cells of one call.

    Attributes
    ----------
    counts : Tensor, shape [time, cell]
        Of those that can be fitted.
    numbers : list of int
        Their columns in the recording.
    unfitted : list of UnfittedCell
    several : bool
        Whether the recording was one of several cells, of which all but one may be unfitted.
    """

    counts: Tensor
    numbers: list[int]
    unfitted: list[UnfittedCell]
    several: bool

    def in_place(self, fields: Sequence[Any]) -> list[Any]:
        """Results for the cells, and what stands for those left out, in the order of the recording."""
        found = dict(zip(self.numbers, fields, strict=True)) | {cell.number: cell for cell in self.unfitted}
        return [found[number] for number in sorted(found)]


def cells_of(spikes: Any, parts: Sequence[slice]) -> Cells:
    """Check the counts of one cell, or of several; a cell that cannot be fitted is left out if there are others."""
    counts, frames = to_tensor(spikes), parts[-1].stop
    if counts.squeeze().ndim != 2:
        return Cells(check_cell(counts, frames, parts)[:, None], [0], [], several=False)
    numbers, checked, unfitted, doubts = [], [], [], []
    for number, column in enumerate(_columns(counts, frames).unbind(dim=1)):
        try:
            cell = check_counts(column)
            check_varies(cell)
            check_parts(cell, parts)
        except UntellingError as error:
            unfitted.append(UnfittedCell(number, error.message))
            continue
        except ConvisError as error:
            raise type(error)(f"Cell {number}: {error}") from None
        numbers.append(number)
        checked.append(cell)
        if said := doubt(cell):
            doubts.append(f"Cell {number}: {said}")
    tell_unfitted(unfitted, len(numbers) + len(unfitted))
    if doubts:
        warn("\n".join(doubts))
    return Cells(torch.stack(checked, dim=1), numbers, unfitted, several=True)


def _columns(counts: Tensor, frames: int) -> Tensor:
    if len(counts) != frames:
        raise FitError(
            f"The spikes of several cells are [time, cell], got {describe_shape(counts.shape)} for {frames} frames.",
            "Put the time first and the cells last, one bin a frame.",
        )
    if counts.ndim == 3 and counts.shape[2] == 1:
        counts = counts[:, :, 0]
    if counts.ndim != 2 or counts.shape[1] == 0:
        raise FitError(
            f"The spikes of several cells are [time, cell], got {describe_shape(counts.shape)}.",
            "Give a column of counts for each cell.",
        )
    return counts


def tell_unfitted(unfitted: Sequence[UnfittedCell], n_cells: int) -> None:
    """Say once which cells are left out and why; refuse to go on if none is left."""
    reasons: dict[str, list[str]] = {}
    for cell in unfitted:
        reasons.setdefault(cell.reason, []).append(str(cell.number))
    listed = " ".join(
        f"{'Cells' if len(numbers) > 1 else 'Cell'} {', '.join(numbers)}: {reason}"
        for reason, numbers in reasons.items()
    )
    if len(unfitted) == n_cells:
        raise FitError(f"None of the {n_cells} cells can be fitted. {listed}", "Choose other shares, or record longer.")
    if unfitted:
        warn(
            f"{len(unfitted)} of {n_cells} cells are left out. {listed} In the place of each stands an UnfittedCell, "
            "which counts as false."
        )
