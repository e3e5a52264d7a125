"""The spike-triggered average without what the stimulus's own correlations add to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convis_core.analysis.spike_triggered import LARGEST_WINDOW, sta
from convis_core.errors import ParameterError
from convis_core.tensors import lift

__all__ = ["stimulus_covariance", "whitened_sta"]

_Array = NDArray[np.float64]


def whitened_sta(stimulus: Any, spikes: Any, lags: int = 20, *, ridge: float = 0.01) -> _Array:
    r"""Spike-triggered average of one cell, divided by the covariance of the stimulus.

    .. math:: w = (C + \lambda \, \overline{C_{ii}} \, I)^{-1} (\text{sta} - \bar s)

    For a linear-nonlinear cell and a stimulus with elliptic distribution, such as correlated
    Gaussian noise, it has the direction of the cell's filter as :math:`\lambda \to 0`; a larger
    :math:`\lambda` keeps directions in which the stimulus hardly varies from blowing up noise.

    Parameters
    ----------
    stimulus : array
        ``[time, x, y]`` or ``[batch, 1, time, x, y]``, where the batch holds trials.
    spikes : array
        Spikes in each frame, ``[time]``, or for trials ``[batch, 1, time, 1, 1]``.
    lags : int
        Frames in the window.
    ridge : float
        :math:`\lambda`, a share of the mean variance of the stimulus.

    Returns
    -------
    ndarray, shape [lag, x, y]

    Raises
    ------
    ShapeError, ParameterError
        As of `sta`; for a stimulus that does not vary, or a window of more than 5000 numbers.

    Examples
    --------
    >>> stimulus = np.cumsum(np.random.default_rng(1).normal(size=(20000, 1, 3)), axis=2)
    >>> found = whitened_sta(stimulus, stimulus[:, 0, 1] > 1, lags=1, ridge=0.0)
    >>> (found / found.max()).round(1).ravel() + 0.0
    array([0., 1., 0.])

    References
    ----------
    Theunissen F. E. et al. (2001), Estimating spatio-temporal receptive fields of auditory and visual neurons
    from their responses to natural stimuli, Network 12, 289-316, doi:10.1080/net.12.3.289.316.
    """
    if not ridge >= 0:
        raise ParameterError(f"ridge must be at least 0, got {ridge}.", "Give e.g. 0.01.")
    average = sta(stimulus, spikes, lags)
    covariance, mean = stimulus_covariance(stimulus, lags)
    level = float(covariance.diagonal().mean())
    if level <= 0:
        raise ParameterError("The stimulus does not vary, so nothing can be told from it.", "Give one that changes.")
    covariance[np.diag_indices_from(covariance)] += ridge * level
    away = average.reshape(lags, -1) - mean
    try:
        found = np.linalg.solve(covariance, away.ravel())
    except np.linalg.LinAlgError as error:
        raise ParameterError(
            "The stimulus does not vary in some direction, so the filter cannot be told there.",
            "Give a ridge of more than 0.",
        ) from error
    return np.asarray(found.reshape(average.shape))


def stimulus_covariance(stimulus: Any, lags: int) -> tuple[_Array, _Array]:
    """Covariance of whole windows of a stimulus ``[lag * x * y, lag * x * y]``, and the mean frame ``[x * y]``.

    From one window to the next all but a frame is the same, so only products of the present frame
    with those before are summed over time.

    Examples
    --------
    >>> stimulus_covariance(np.array([1.0, -1.0, 1.0, -1.0])[:, None, None], lags=2)[0].round(2)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    film = lift(stimulus).detach().cpu().double().numpy()[:, 0]
    trials, length, n = film.shape[0], film.shape[1], film.shape[2] * film.shape[3]
    if lags * n > LARGEST_WINDOW:
        raise ParameterError(f"A window of {lags} frames has {lags * n} numbers.", "Choose fewer lags or pixels.")
    if length < lags:
        raise ParameterError(f"A window of {lags} frames is longer than the stimulus, {length}.", "Choose fewer lags.")
    frames = film.reshape(trials, length, n)
    mean = frames.mean(axis=(0, 1))
    frames = frames - mean
    windows = length - lags + 1
    moments = np.empty((lags, n, lags, n))
    now = frames[:, lags - 1 :].reshape(-1, n)
    for lag in range(lags):
        then = frames[:, lags - 1 - lag : length - lag].reshape(-1, n)
        moments[0, :, lag] = now.T @ then
        moments[lag, :, 0] = moments[0, :, lag].T
    for i in range(1, lags):
        for j in range(i, lags):
            entered = frames[:, lags - 1 - i].T @ frames[:, lags - 1 - j]
            left = frames[:, length - i].T @ frames[:, length - j]
            moments[i, :, j] = moments[i - 1, :, j - 1] + entered - left
            moments[j, :, i] = moments[i, :, j].T
    return moments.reshape(lags * n, lags * n) / (trials * windows), mean
