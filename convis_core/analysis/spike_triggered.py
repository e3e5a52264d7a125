"""What the stimulus was like before a spike: its average and its covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convis_core.errors import ParameterError, ShapeError
from convis_core.tensors import check_finite, lift

__all__ = ["sta", "stc"]

_Array = NDArray[np.float64]
LARGEST_WINDOW = 5000
"""Numbers in a window beyond which a covariance would take 200 MB."""


def sta(stimulus: Any, spikes: Any, lags: int = 20, size: tuple[int, int] | None = None) -> _Array:
    r"""Spike-triggered average: the mean stimulus in a window that ends with the frame of a spike.

    .. math:: \text{sta}[k, i, j] = \frac{\sum_{t, x, y} n(t, x, y) \, s(t - k, x + i - c_i, y + j - c_j)}
        {\sum_{t, x, y} n(t, x, y)}

    The sums run over the spikes for which this element of the window lies inside the stimulus,
    each element having its own, so that neither the start of the recording nor the border of
    the image bias it. Index 0 of the first axis is the frame of the spike, as in the kernel of
    a layer. In space it is the pattern around the cell, which is the kernel of a convolution
    turned by 180 degrees.

    Parameters
    ----------
    stimulus : array
        ``[time, x, y]`` or ``[batch, 1, time, x, y]``, where the batch holds trials.
    spikes : array
        Spikes in each frame, of one cell: ``[time]``, or of a cell at each pixel, then with `size`.
    lags : int
        Frames in the window.
    size : tuple of int, optional
        Rows and columns of a window around each cell; the whole image if None, for one cell.

    Returns
    -------
    ndarray, shape [lag, x, y]
        NaN where no spike has a stimulus.

    Raises
    ------
    ShapeError
        If stimulus and spikes do not fit one another.
    ParameterError
        If there is not a single spike, or `lags` or `size` are not positive.

    Examples
    --------
    >>> stimulus = np.random.default_rng(1).normal(size=(5000, 4, 4))
    >>> spikes = np.roll(stimulus[:, 2, 1] > 1, 3)
    >>> average = sta(stimulus, spikes, lags=6)
    >>> [int(i) for i in np.unravel_index(average.argmax(), average.shape)]
    [3, 2, 1]

    References
    ----------
    Chichilnisky E. J. (2001), A simple white noise analysis of neuronal light responses,
    Network 12, 199-213, doi:10.1088/0954-898X/12/2/306.
    """
    film, counts, window = _checked(stimulus, spikes, lags, size)
    average = np.full((lags, *window), np.nan)
    for k in range(min(lags, film.shape[1])):
        seen, fired = film[:, : film.shape[1] - k], counts[:, k:]
        if size is None:
            number, total = fired.sum(), np.tensordot(fired[..., 0, 0], seen, axes=2)
            if number > 0:
                average[k] = total / number
            continue
        for i, j in np.ndindex(window):
            (cell_x, seen_x), (cell_y, seen_y) = (
                _overlap(offset - (n - 1) // 2, length)
                for offset, n, length in zip((i, j), window, film.shape[2:], strict=True)
            )
            weights = fired[:, :, cell_x, cell_y]
            number = weights.sum()
            if number > 0:
                average[k, i, j] = (weights * seen[:, :, seen_x, seen_y]).sum() / number
    return average


def stc(stimulus: Any, spikes: Any, lags: int = 20, size: tuple[int, int] | None = None) -> _Array:
    r"""Spike-triggered covariance: how the stimuli before spikes scatter around their mean.

    .. math:: C = \frac{\sum_k (s_k - \bar s)(s_k - \bar s)^T}{n - 1}

    over the windows `s` of the spikes whose window lies inside the stimulus as a whole. Its
    eigenvectors with an eigenvalue above or below the variance of the stimulus are directions
    that excite or suppress.

    Parameters
    ----------
    stimulus, spikes, lags, size
        As of `sta`.

    Returns
    -------
    ndarray, shape [n, n]
        With ``n = lags * x * y`` in the order of a flattened `sta`.

    Raises
    ------
    ShapeError
        If stimulus and spikes do not fit one another.
    ParameterError
        If fewer than two spikes have a whole window, or a window has more than 5000 numbers.

    Examples
    --------
    >>> stimulus = np.random.default_rng(1).normal(size=(20000, 1, 1))
    >>> spikes = np.roll(np.abs(stimulus[:, 0, 0]) > 1.5, 2)
    >>> bool(stc(stimulus, spikes, lags=4).diagonal().argmax() == 2)  # excited by either sign, 2 frames before
    True

    References
    ----------
    Schwartz O., Pillow J. W., Rust N. C., Simoncelli E. P. (2006), Spike-triggered neural characterization,
    J. Vis. 6, 484-507, doi:10.1167/6.4.13.
    """
    film, counts, window = _checked(stimulus, spikes, lags, size)
    n = lags * window[0] * window[1]
    if n > LARGEST_WINDOW:
        raise ParameterError(
            f"A window of {lags}x{window[0]}x{window[1]} has {n} numbers.", "Choose fewer lags or pixels."
        )
    if film.shape[1] < lags or film.shape[2] < window[0] or film.shape[3] < window[1]:
        raise ParameterError("No spike has a whole window inside the stimulus.", "Choose a smaller window.")
    windows = sliding_window_view(film, (lags, *window), axis=(1, 2, 3))
    before = [(m - 1) // 2 for m in window] if size is not None else [0, 0]
    inner = counts[:, lags - 1 :]
    if size is not None:
        inner = inner[:, :, before[0] :, before[1] :][:, :, : windows.shape[2], : windows.shape[3]]
    at = np.nonzero(inner)
    weights = inner[at]
    if weights.sum() < 2:
        raise ParameterError(f"{weights.sum():g} spikes have a whole window inside the stimulus; it takes two.")
    chosen = windows[at][:, ::-1].reshape(len(weights), n)  # the window ends with the spike: lag 0 comes last in it
    apart = chosen - np.average(chosen, axis=0, weights=weights)
    return np.asarray((apart * weights[:, None]).T @ apart / (weights.sum() - 1))


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """Cells along an axis that have a pixel `shift` further on, and these pixels."""
    return slice(max(0, -shift), max(0, length - max(0, shift))), slice(max(0, shift), max(0, length + min(0, shift)))


def _checked(
    stimulus: Any, spikes: Any, lags: int, size: tuple[int, int] | None
) -> tuple[_Array, _Array, tuple[int, int]]:
    """Stimulus and spikes as ``[trial, time, x, y]``, and the size of a window in space."""
    arrays = []
    for name, value in (("stimulus", stimulus), ("spikes", spikes)):
        tensor = lift(value).detach().cpu().double()
        if tensor.shape[1] != 1:
            raise ShapeError(f"The {name} should have one channel, got {tensor.shape[1]}.", "Choose or average them.")
        if name == "stimulus":
            check_finite(tensor, "The stimulus")
        arrays.append(tensor[:, 0].numpy())
    film, counts = arrays
    if film.shape[:2] != counts.shape[:2]:
        raise ShapeError(
            f"The stimulus has {film.shape[1]} frames in {film.shape[0]} trials, the spikes {counts.shape[1]} "
            f"in {counts.shape[0]}.",
            "Both should be [time, ...] or [batch, 1, time, x, y] of the same length.",
        )
    if lags < 1 or (size is not None and min(size) < 1):
        raise ParameterError(f"A window has at least one frame and pixel, got {lags=}, {size=}.")
    if size is None and counts.shape[2:] != (1, 1):
        raise ShapeError(
            f"There are {counts.shape[2]}x{counts.shape[3]} cells.",
            "Choose one, spikes[:, x, y], or give the size=(rows, columns) of a window around each.",
        )
    if size is not None and counts.shape[2:] != film.shape[2:]:
        raise ShapeError(
            f"With a window around each cell there is a cell at each pixel; got {counts.shape[2]}x{counts.shape[3]} "
            f"cells and {film.shape[2]}x{film.shape[3]} pixels."
        )
    if bool((counts < 0).any()) or not counts.sum() > 0:
        raise ParameterError("Spikes are counts, and there must be at least one.")
    return film, counts, size or (film.shape[2], film.shape[3])
