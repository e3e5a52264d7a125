"""Estimators of a receptive field by name: one question, one kind of answer, many ways to get there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from convis_core.analysis import sta, whitened_sta
from convis_core.errors import FitError, UnknownNameError
from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.nonlinearity import Nonlinearity, nonlinearity_named
from convis_core.estimation.posterior_fits import Data, Posterior, fit_ald, fit_ard, fit_asd, fit_ridge
from convis_core.estimation.receptive_field import fit_receptive_field
from convis_core.estimation.recording import Recording, check_parts, three_parts
from convis_core.loops.metrics import bits_per_spike, correlation
from convis_core.loops.run import check_steps
from convis_core.ops.kernel_bases import KernelBasis, kernel_basis
from convis_core.ops.lags import filtered

__all__ = ["ESTIMATORS", "estimate_filter"]

RIDGES: Final = (0.001, 0.01, 0.1, 1.0)
"""Shares of the stimulus's variance among which the validation part chooses that of a whitened average."""

MOST_WEIGHTS: Final = 4000
"""Weights beyond which an estimate without a basis takes minutes and gigabytes."""

_POSTERIORS: Final[dict[str, tuple[Callable[[Data], Posterior], str | None]]] = {
    "ridge": (fit_ridge, None),
    "ard": (fit_ard, None),
    "asd": (fit_asd, None),
    "ald": (fit_ald, None),
    "spline": (fit_ridge, "spline"),
    "raised_cosine": (fit_ridge, "raised_cosine"),
}

ESTIMATORS: Final = ("sta", "whitened_sta", *_POSTERIORS, "separable")
"""Names that `estimate_filter` knows."""


def estimate_filter(
    stimulus: Any,
    spikes: Any,
    method: str = "ald",
    *,
    basis: KernelBasis | str | None = None,
    n_lags: int = 10,
    nonlinearity: str = "softplus",
    split: Sequence[float] = (0.7, 0.1, 0.2),
) -> ReceptiveField:
    r"""Estimate the filter of a cell by a method of choice.

    All but the first two and the last are posterior means of a Poisson model
    :math:`y_t \sim \mathrm{Poisson}(g(b + \sum_{l, x} w_{lx} s_{t - l, x}))` under a Gaussian prior
    whose hyper-parameters maximise the evidence (Laplace's approximation at each Newton step):

    =================  ==============================================================================
    ``sta``            spike-triggered average (doi:10.1088/0954-898X/12/2/306)
    ``whitened_sta``   the same without the correlations of the stimulus (doi:10.1080/net.12.3.289.316)
    ``ridge``          independent weights of one variance (doi:10.1162/neco.1992.4.3.415)
    ``ard``            independent weights, most of them 0 (doi:10.1007/978-94-015-8729-7_18)
    ``asd``            smooth in time and in space (Sahani & Linden 2002, NIPS 15)
    ``ald``            smooth, local, perhaps striped (doi:10.1371/journal.pcbi.1002219)
    ``spline``         ridge over cubic splines (doi:10.1016/0021-9045(72)90080-9)
    ``raised_cosine``  ridge over raised cosines in time and splines in space (doi:10.1038/nature07140)
    ``separable``      few separable parts, as `fit_receptive_field`, here without a spike history
    =================  ==============================================================================

    Parameters
    ----------
    stimulus : array or tensor, shape [time, x, y]
    spikes : array or tensor, shape [time]
        Spike counts.
    method : str
    basis : KernelBasis or str, optional
        What the filter is a sum of, to be combined with any prior: ``"spline"``, ``"raised_cosine"``
        or one with counts of its own. Smoothness and place are then those among its coefficients.
    n_lags : int
    nonlinearity : str
        :math:`g`: ``"softplus"`` or ``"exponential"``.
    split : (float, float, float)
        Shares of training, validation and test part. The averages take their gain from the validation part;
        the others learn from training and validation part together. The test part is for the scores alone.

    Returns
    -------
    ReceptiveField
        For all but ``separable`` with a time course for every lag, so that its maps are the filter.
        Its errors take the hyper-parameters as known: where ``ard`` or ``ald`` have decided that a
        weight is 0, they leave no doubt, and are too small.

    Raises
    ------
    FitError, ShapeError
        As of `fit_receptive_field`; for a basis where there is none, or too many weights.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> stimulus = rng.standard_normal((2000, 6, 6))
    >>> spikes = rng.poisson(np.exp(stimulus[:, 2, 3] - 1))
    >>> for method in ("sta", "ridge", "ald"):
    ...     found = estimate_filter(stimulus, spikes, method, n_lags=3)
    ...     print(method, [int(i) for i in np.unravel_index(found.filter.argmax(), found.filter.shape)])
    sta [0, 2, 3]
    ridge [0, 2, 3]
    ald [0, 2, 3]
    """
    began = time.perf_counter()
    if not isinstance(method, str) or method not in ESTIMATORS:
        raise UnknownNameError(f"There is no estimator called {method!r}.", f"There are: {', '.join(ESTIMATORS)}.")
    if basis is not None and method not in _POSTERIORS:
        raise FitError(f"{method} takes no basis.", f"Use one of {', '.join(_POSTERIORS)} with it.")
    if method == "separable":
        found: ReceptiveField = fit_receptive_field(
            stimulus, spikes, n_lags=n_lags, n_history=0, nonlinearity=nonlinearity, split=split
        )
        return found
    n_lags, shape = check_steps(n_lags, "n_lags"), nonlinearity_named(nonlinearity)
    recording = Recording.of(stimulus, spikes, n_lags)
    parts = three_parts(len(recording.counts), split)
    check_parts(recording.counts, parts)
    mean, scale = recording.stimulus[parts[0]].mean(), recording.stimulus[parts[0]].std()
    if float(scale) == 0.0:
        raise FitError("The stimulus is constant in the training part.", "Give one that changes from the start.")
    seen = Recording((recording.stimulus - mean) / scale, recording.counts, recording.size)
    with torch.no_grad():
        if method in _POSTERIORS:
            fit, usual = _POSTERIORS[method]
            weights, errors, offset = _posterior(fit, seen, parts, usual if basis is None else basis, n_lags, shape)
        else:
            weights, errors, offset = _average(method, seen, parts, n_lags, shape)
        rate = shape.rate(filtered(seen.stimulus, weights) + offset)
    test = parts[2]
    return ReceptiveField(
        time_courses=torch.eye(n_lags).double().numpy(),
        maps=(weights / scale).reshape(n_lags, *seen.size).numpy(),
        map_errors=(errors / scale).reshape(n_lags, *seen.size).numpy(),
        history=weights.new_zeros(0).numpy(),
        offset=offset,
        stimulus_mean=float(mean),
        nonlinearity=shape.name,
        split=tuple(parts),
        scores={
            "test bits/spike": bits_per_spike(rate[test], seen.counts[test]),
            "test correlation": correlation(rate[test], seen.counts[test]),
        },
        seconds=time.perf_counter() - began,
        method=method,
        settings={"method": method, "basis": basis, "n_lags": n_lags, "nonlinearity": nonlinearity},
    )


def _posterior(
    fit: Callable[[Data], Posterior],
    seen: Recording,
    parts: Sequence[slice],
    basis: KernelBasis | str | None,
    n_lags: int,
    shape: Nonlinearity,
) -> tuple[Tensor, Tensor, float]:
    over_time, over_x, over_y = kernel_basis(basis, (n_lags, *seen.size))
    over_space = torch.kron(over_x, over_y)
    grid = (over_time.shape[1], over_x.shape[1], over_y.shape[1])
    if grid[0] * grid[1] * grid[2] > MOST_WEIGHTS:
        raise FitError(
            f"A filter of {grid[0]} x {grid[1]} x {grid[2]} weights is too large, at most {MOST_WEIGHTS} can be found.",
            "Give a basis of fewer functions, fewer lags, or use method='separable'.",
        )
    known = slice(0, parts[1].stop)
    found = fit(Data(seen.stimulus[known] @ over_space, seen.counts[known], over_time, grid, shape))
    weights = over_time @ found.coordinates.whole(found.weights) @ over_space.T
    errors = found.coordinates.variances(found.covariance, over_time, over_space).sqrt()
    return weights, errors, found.offset


def _average(
    method: str, seen: Recording, parts: Sequence[slice], n_lags: int, shape: Nonlinearity
) -> tuple[Tensor, Tensor, float]:
    """Filter, its errors (not known of a whitened average), and offset; gain and offset from the validation part.

    On the frames that made an average it fits too well.
    """
    train, rest, _ = parts
    film = seen.stimulus[train].reshape(-1, *seen.size).numpy()
    counts = seen.counts[train].numpy()
    if method == "sta":
        tried = [torch.from_numpy(sta(film, counts, n_lags)).flatten(1) - seen.stimulus[train].mean(dim=0)]
        error = float(seen.stimulus[train].std()) / float(counts.sum()) ** 0.5  # of a mean over so many spikes
    else:
        tried = [torch.from_numpy(whitened_sta(film, counts, n_lags, ridge=ridge)).flatten(1) for ridge in RIDGES]
        error = math.nan
    found = []
    for weights in tried:
        drive = filtered(seen.stimulus, weights)[rest]
        gain, offset = shape.gain_and_offset(drive, seen.counts[rest])
        found.append((shape.log_likelihood(gain * drive + offset, seen.counts[rest]), weights, gain, offset))
    _, weights, gain, offset = max(found, key=lambda one: one[0])
    return gain * weights, torch.full_like(weights, abs(gain) * error), offset
