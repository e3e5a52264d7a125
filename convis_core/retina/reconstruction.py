"""The stimulus as the spikes of ganglion cells tell it: each leaves a spot, which fades."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.output import Events, Output
from convis_core.resolution import Resolution, default_resolution
from convis_core.retina.log_polar import LogPolarScheme
from convis_core.retina.spots import NEARLY, Positions, cells_per_pixel, one_per_pixel, spots_of_cells
from convis_core.scalars import is_number
from convis_core.spikes import Spikes, check_spikes
from convis_core.streams.checks import check_choice, check_count, check_size
from convis_core.warn import warn

__all__ = ["reconstruct"]

_CUT = 5  # time constants after which a spike is forgotten


def reconstruct(
    spikes: Output | Events,
    size: tuple[int, int],
    n_frames: int,
    *,
    positions: Any = None,
    numbers: Any = None,
    width: float | None = None,
    spot: Literal["disc", "square"] = "disc",
    memory: float | None = None,
    kernel: Literal["exponential", "box"] = "exponential",
    normalise: Literal["coverage", "density", "none"] = "coverage",
    density: float | None = None,
    log_polar: LogPolarScheme | None = None,
    resolution: Resolution | None = None,
) -> Tensor:
    r"""Reconstruct a stimulus from spikes: the local firing rate of the cells as a movie.

    .. math::

        r(t, p) = \frac{1}{n(p)} \sum_{\text{cells } c} s_c(p)
        \sum_{\text{spikes } t_i \text{ of } c} k\left(t - \lceil t_i / \Delta t \rceil\right)

    with a spot :math:`s_c` around each cell, of unit sum within the image, and a causal kernel `k`
    of unit integral over time: :math:`e^{-t / \tau}` to :math:`5 \tau`, or a box of length
    :math:`\tau`. A spike shows from the first frame that begins after it.

    Parameters
    ----------
    spikes : Output or pair of arrays
        Number of the cell and time in s of each spike, as `Output.spike_times` returns them; of an
        Output all that it has. Give those of one layer, or of layers of one sign, where an
        ON and an OFF layer would cancel in meaning: the difference of two reconstructions
        is a picture of the contrast.
    size : tuple of int
        Rows and columns of the image.
    n_frames : int
        Frames to reconstruct, from time 0, the fresh start of the model; later spikes are left out.
    positions : array, shape [cell, 2], optional
        Where the cells are, in deg from the centre of the image to the right and down, as
        `Retina.unit_positions` returns them. By default there is a cell at each pixel, and layers
        are as many cells one after another.
    numbers : array, shape [cell], optional
        Numbers of the cells at these positions; by default 0, 1, 2, ...
    width : float, optional
        Radius of the disc or side of the square, in deg; one pixel by default.
    spot : {"disc", "square"}
        Discs grow as the density of a log-polar scheme falls.
    memory : float, optional
        :math:`\tau`, in s; 10 frames by default.
    kernel : {"exponential", "box"}
        How a spike is forgotten.
    normalise : {"coverage", "density", "none"}
        What to divide by: the sum :math:`n(p)` of the spots there, so that the result is the mean
        rate of the cells around, in Hz; their theoretical `density`; or nothing, so that it is the
        rate of spikes per pixel. Where no spot reaches, it is 0.
    density : float, optional
        Cells per deg (of the fovea); needed for "density" only.
    log_polar : LogPolarScheme, optional
        How density falls from the centre of the image.
    resolution : Resolution, optional
        Frames and pixels; of an Output its own, else the default.

    Returns
    -------
    Tensor, shape [1, 1, time, x, y]
        In Hz, in double precision.

    Raises
    ------
    ParameterError
        If a spike is of a cell that is not there, or a number makes no sense.
    ShapeError
        If the positions are not pairs, or not as many as the numbers; if an Output is not of one
        film with a cell at each pixel of the image, and no positions are given.
    StreamError
        If the size, the number of frames or the name of a choice is none.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> retina = convis.retina.Retina(seed=1)
    >>> o = retina.run(convis.samples.moving_bar(200))
    >>> on, off = (reconstruct(o.spike_times(k), (20, 20), 200, resolution=o.resolution) for k in (0, 1))
    >>> (on - off).shape
    torch.Size([1, 1, 200, 20, 20])

    Two cells, of which one fires every 10 ms:

    >>> regular = np.zeros(20, dtype=int), np.arange(20) * 0.01 + 0.0005
    >>> reconstruct(regular, (2, 4), 200, positions=[[-0.1, 0], [0.1, 0]], kernel="box")[0, 0, -1].round().tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 100.0, 0.0, 0.0]]

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """
    here = resolution or (spikes.resolution if isinstance(spikes, Output) else default_resolution())
    size, frames = check_size(size), check_count(n_frames, "n_frames", least=1)
    width_px = 1.0 if width is None else _positive(width, "width") * here.pixel_per_degree
    memory_steps = 10.0 if memory is None else _positive(memory, "memory") * here.steps_per_second
    check_choice(spot, ("disc", "square"), "spot")
    check_choice(kernel, tuple(_KERNELS), "kernel")
    check_choice(normalise, ("coverage", "density", "none"), "normalise")
    places = one_per_pixel(size, here) if positions is None else _pairs(positions)
    events = _events(spikes)
    if positions is None:
        if isinstance(spikes, Output):
            _check_one_per_pixel(spikes, size)
        events = Spikes(events.unit % len(places), events.time)

    counts = _counts(events, _indices(numbers, len(places)), len(places), frames, here)
    rate = _remember(counts, _KERNELS[kernel](memory_steps, frames) * here.steps_per_second)
    weights = spots_of_cells(places, size, width_px, spot, log_polar, here)
    movie: Tensor = torch.sparse.mm(weights, rate)
    if normalise != "none":
        cells = torch.sparse.mm(weights, torch.ones(len(places), 1, dtype=torch.float64))
        if normalise == "density":
            if density is None:
                raise ParameterError("To divide by the density of cells, it is needed.", "Add density=..., per deg.")
            cells = cells_per_pixel(_positive(density, "density"), log_polar, size, here)
        movie = torch.where(cells > 0, movie / cells.clamp(min=1e-300), 0.0)
    return movie.T.reshape(1, 1, frames, *size)


def _positive(value: float, name: str) -> float:
    if not is_number(value) or not 0 < value < math.inf:
        raise ParameterError(f"{name} must be a finite number above 0, got {value!r}.")
    return float(value)


def _events(spikes: Any) -> Spikes:
    if isinstance(spikes, Output):
        return check_spikes(*spikes.spike_times())
    if not isinstance(spikes, (tuple, list)) or len(spikes) != 2:
        raise ParameterError(
            f"Expected an Output or units and times of spikes, got {type(spikes).__name__}.", "Give o.spike_times()."
        )
    return check_spikes(*spikes)


def _check_one_per_pixel(output: Output, size: tuple[int, int]) -> None:
    """Refuse spikes whose cells would be taken for those of other pixels, or of other films."""
    for shape in (tuple(output[name].shape) for name in output.events):
        if shape[3:] != size:
            raise ShapeError(
                f"The cells are {shape[3]}x{shape[4]}, not one at each of {size[0]}x{size[1]} pixels.",
                "Give their size, or positions=retina.unit_positions()[layer] of cells in an array.",
            )
        if shape[:2] != (1, 1):
            raise ShapeError(
                f"Spikes of {shape[0]} batches and {shape[1]} channels make no single film.",
                "Choose those of one, by their numbers.",
            )


def _pairs(positions: Any) -> Positions:
    try:
        places = np.asarray(positions, dtype=np.float64)
    except (TypeError, ValueError):
        places = np.asarray(math.nan)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise ShapeError(
            f"Expected positions [cell, 2] in deg to the right and down, all finite, got {places.shape}.",
            "Give retina.unit_positions()[layer].",
        )
    return places


def _indices(numbers: Any, n_cells: int) -> NDArray[np.int64]:
    """Numbers of the cells in the order of their positions."""
    if numbers is None:
        return np.arange(n_cells)
    given = np.asarray(numbers)
    whole = given.dtype.kind in "iu" or (given.dtype.kind == "f" and bool((given == np.floor(given)).all()))
    named = given.astype(np.int64) if whole else np.empty(0, np.int64)
    if named.shape != (n_cells,) or len(np.unique(named)) != n_cells:
        raise ShapeError(f"Expected one whole number for each of {n_cells} cells, no two the same, got {numbers!r}.")
    return named


def _counts(events: Spikes, named: NDArray[np.int64], n_cells: int, frames: int, here: Resolution) -> Tensor:
    """Spikes ``[cell, frame]``, each in the first frame that begins after it."""
    missing = np.setdiff1d(events.unit, named)
    if len(missing):
        raise ParameterError(
            f"There are spikes of cell {missing[0]}, which has no position.",
            "Give the positions of all cells, and their numbers where these do not count from 0.",
        )
    order = np.argsort(named)
    frame = np.ceil(events.time * here.steps_per_second - NEARLY)
    seen = (frame >= 0) & (frame < frames)
    if len(seen) and not seen.any():
        warn(
            f"None of the {len(seen)} spikes, from {events.time[0]:g} to {events.time[-1]:g} s, is in the {frames} "
            "frames to reconstruct. Times count from the fresh start of a model: take off what it had seen before."
        )
    found = order[np.searchsorted(named, events.unit[seen], sorter=order)]
    counts = np.bincount(found * frames + frame[seen].astype(np.int64), minlength=n_cells * frames)
    return torch.from_numpy(counts.reshape(n_cells, frames).astype(np.float64))


def _exponential(steps: float, most: int) -> Tensor:
    """Weights of the first lags, at most so many; the sum of all of them is 1."""
    n = max(1, round(_CUT * steps))
    total = math.expm1(-n / steps) / math.expm1(-1 / steps)
    return torch.exp(-torch.arange(min(n, most), dtype=torch.float64) / steps) / total


def _box(steps: float, most: int) -> Tensor:
    n = max(1, round(steps))
    return torch.full((min(n, most),), 1.0 / n, dtype=torch.float64)


_KERNELS: dict[str, Callable[[float, int], Tensor]] = {"exponential": _exponential, "box": _box}


def _remember(counts: Tensor, kernel: Tensor) -> Tensor:
    """Convolve the counts of each cell with a causal kernel: rates ``[cell, frame]``."""
    past = torch.nn.functional.pad(counts[:, None], (len(kernel) - 1, 0))
    return torch.nn.functional.conv1d(past, kernel.flip(0)[None, None])[:, 0]
