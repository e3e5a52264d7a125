"""The portrait of a model that was fitted by gradient, and the recording of the cell that it is about."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convis_core.errors import FitError, ShapeError, UnknownNameError
from convis_core.estimation.portrait import FilterPart, Portrait, ShownFilter
from convis_core.layer import Layer
from convis_core.loops.update import chosen_response
from convis_core.models.generalised_linear import GLM
from convis_core.models.linear import LN, L
from convis_core.models.separable import SeparableLN
from convis_core.models.subunits import SubunitModel
from convis_core.ops.output_nonlinearity import output_nonlinearity
from convis_core.tensors import TIME, cells_as_channels, check_finite, describe_shape, lift, to_tensor

__all__ = ["Cell", "portrait_of_model", "recording_of"]

Array = np.ndarray[Any, Any]
Cell = tuple[int, int, int]
"""Channel and pixel of a response."""


def recording_of(model: Layer, stimulus: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Stimulus and target as ``[1, channel, time, x, y]``, equally long; a target of two axes is ``[time, cell]``."""
    if not isinstance(model, Layer):
        raise FitError(
            f"A model that was fitted is a Layer, got {model!r:.60}.", "For a ReceptiveField there is FitReport.of."
        )
    if any(part.stochastic for part in model.modules() if isinstance(part, Layer)):
        raise FitError(
            f"What {type(model).__name__} answers is drawn by chance, so it predicts no response.",
            "Report on the model that its rate comes from.",
        )
    frames, wanted = lift(stimulus).detach(), to_tensor(target).detach()
    wanted = cells_as_channels(wanted) if wanted.ndim == 2 else lift(wanted)
    for what, signal in (("stimulus", frames), ("target", wanted)):
        if len(signal) != 1:
            raise ShapeError(f"A report is about one {what}, got {len(signal)} trials.", "Give those of one trial.")
        check_finite(signal, f"The {what}")
    if frames.shape[TIME] != wanted.shape[TIME]:
        raise FitError(
            f"Stimulus and target must be equally long, got {frames.shape[TIME]} and {wanted.shape[TIME]} frames.",
            "Bin the response by frame of the stimulus, and cut the longer one.",
        )
    return frames, wanted


def portrait_of_model(
    model: Layer, frames: Tensor, wanted: Tensor, cell: Any, output: int | str | None
) -> tuple[Portrait, Tensor]:
    """Portrait of a model and, ``[time]``, the response that was wanted of the cell; the model is left as it is."""
    fresh = copy.deepcopy(model)
    if isinstance(fresh, GLM):
        fresh.given(wanted)
    response = _answer(fresh, frames, output)
    if response.shape != wanted.shape:
        raise ShapeError(
            f"{type(model).__name__} answers with {describe_shape(response.shape)}, the target is "
            f"{describe_shape(wanted.shape)}.",
            "Give [time] or [time, cell] for a model of cells, [time, x, y] for one with population=True.",
        )
    channel, x, y = chosen = _cell(model, response, cell)
    drive, curve = _drive(fresh, frames, output)
    filters = _filters(model, channel, response.shape[1])
    size = "no filter of its own"
    if filters:
        lags, *pixels = filters[0].values.shape
        several = f"{len(filters)} filters" if len(filters) > 1 else "filter"
        size = f"{several} of {lags} lags x {pixels[0]}x{pixels[1]} pixels"
    which = f", {_name_of(response, chosen)}" if response[:, :, 0].numel() > 1 else ""
    shape = getattr(model, "nonlinearity", None)
    portrait = Portrait(
        name=type(model).__name__,
        title=f"{type(model).__name__}{which}: {size}{f', {shape}' * isinstance(shape, str)}",
        filters=filters,
        after_spikes=_after_spikes(model, channel),
        response=response[0, channel, :, x, y].double(),
        drive=(response if drive is None else drive)[0, channel, :, x, y].double(),
        curve=curve,
        drive_name="predicted response" if drive is None else "drive",
    )
    return portrait, wanted[0, channel, :, x, y].double()


def _answer(model: Layer, frames: Tensor, output: int | str | None) -> Tensor:
    model.clear_state()
    return chosen_response(model.run(frames), output, type(model).__name__).detach().cpu()


def _drive(fresh: Layer, frames: Tensor, output: int | str | None) -> tuple[Tensor | None, Callable[[Tensor], Tensor]]:
    """Response without the last nonlinearity, and this; of a model that has none such, nothing and the identity."""
    name = getattr(fresh, "nonlinearity", None)
    if isinstance(name, str):
        fresh.nonlinearity = "linear"
        return _answer(fresh, frames, output), output_nonlinearity(name)
    if isinstance(fresh, LN):
        fresh.nonlinearity = nn.Identity()  # type: ignore[assignment]
        return _answer(fresh, frames, output), torch.relu
    if isinstance(fresh, L):
        return _answer(fresh, frames, output), output_nonlinearity("linear")
    return None, output_nonlinearity("linear")


def _cell(model: Layer, response: Tensor, cell: Any) -> Cell:
    _, channels, _, *pixels = response.shape
    sizes = (channels, *pixels)
    if cell is None and sizes == (1, 1, 1):
        return 0, 0, 0
    given = tuple(cell) if isinstance(cell, (tuple, list)) else (cell, 0, 0)
    given = (0, *given) if len(given) == 2 else given
    if len(given) != 3 or any(
        not isinstance(k, (int, np.integer)) or isinstance(k, bool) or not 0 <= k < n
        for k, n in zip(given, sizes, strict=True)
    ):
        population = pixels != [1, 1]
        raise FitError(
            f"{type(model).__name__} answers for {channels} cell(s)"
            + (f" at each of {pixels[0]}x{pixels[1]} pixels" if population else "")
            + f"; a report is about one of them, got cell={cell!r:.60}.",
            f"Give e.g. cell=({pixels[0] // 2}, {pixels[1] // 2})." if population else "Give e.g. cell=0.",
        )
    return int(given[0]), int(given[1]), int(given[2])


def _name_of(response: Tensor, cell: Cell) -> str:
    channel, x, y = cell
    names = [f"cell {channel}"] * (response.shape[1] > 1) + [f"pixel ({x}, {y})"] * (response[0, 0, 0].numel() > 1)
    return " at ".join(names)


def _filters(model: Layer, channel: int, n_channels: int) -> tuple[ShownFilter, ...]:
    try:
        kernel = model.kernel().detach().cpu().double().numpy()  # [out, in, lag, x, y]
    except UnknownNameError:
        return ()
    name = "filter"
    if isinstance(model, SubunitModel):
        name = "subunit"
    elif len(kernel) == n_channels:
        kernel = kernel[channel : channel + 1]
    flat = kernel.reshape(-1, *kernel.shape[2:])
    names = [f"{name} {k + 1}" for k in range(len(flat))] if len(flat) > 1 else [name]
    parts = _parts(model, channel) if isinstance(model, SeparableLN) else ()
    unknown = np.full_like(flat[0], np.nan)
    return tuple(ShownFilter(n, values, unknown, parts) for n, values in zip(names, flat, strict=True))


def _parts(model: SeparableLN, cell: int) -> tuple[FilterPart, ...]:
    """Parts of a filter, the strongest first: time courses of unit norm, and maps whose strongest pixel is positive."""
    courses, maps = (values[cell].detach().cpu().double().numpy() for values in (model.time_courses, model.maps))
    courses, maps = courses[:, :, 0, 0], maps[:, 0]
    sizes = np.linalg.norm(courses, axis=1)
    sizes[sizes == 0.0] = 1.0
    flat = maps.reshape(len(maps), -1)
    sizes *= np.where(flat[np.arange(len(flat)), np.abs(flat).argmax(axis=1)] < 0.0, -1.0, 1.0)
    found = [
        FilterPart(course / size, image * size, np.full_like(image, np.nan))
        for course, image, size in zip(courses, maps, sizes, strict=True)
    ]
    return tuple(sorted(found, key=lambda part: -float(np.linalg.norm(part.map))))


def _after_spikes(model: Layer, cell: int) -> dict[str, Array]:
    if not isinstance(model, GLM):
        return {}
    lines = {"own": model.history_filters()[cell]}
    if model.is_coupled:
        lines |= {f"cell {d}": line for d, line in enumerate(model.coupling_filters()[cell]) if d != cell}
    return {name: line.detach().cpu().double().numpy() for name, line in lines.items()}
