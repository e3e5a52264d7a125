"""How well a prediction does, in the field's numbers. Each takes a prediction and what was measured."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from convis_core.errors import FitError, ShapeError
from convis_core.scalars import is_number
from convis_core.tensors import describe_shape, to_tensor

__all__ = ["bits_per_spike", "correlation", "explained_variance", "poisson_deviance", "r_squared"]


def correlation(prediction: Any, measured: Any) -> float:
    """Pearson's correlation; NaN where one of the two does not vary.

    Examples
    --------
    >>> round(correlation([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), 6)
    0.5
    """
    a, b = _pair(prediction, measured)
    if a.numel() == 0 or bool((a == a[0]).all()) or bool((b == b[0]).all()):
        return math.nan  # whose difference from the mean would be the error of rounding
    a, b = a - a.mean(), b - b.mean()
    size = float(a.norm() * b.norm())
    return float(a @ b) / size if size > 0 else math.nan


def r_squared(prediction: Any, measured: Any) -> float:
    r"""Coefficient of determination, :math:`1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2`.

    Below 0 where the mean of the data would have been the better prediction.

    Examples
    --------
    >>> r_squared([1.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    0.5
    """
    a, b = _pair(prediction, measured)
    total = float((b - b.mean()).square().sum())
    return 1.0 - float((a - b).square().sum()) / total if total > 0 else math.nan


def explained_variance(prediction: Any, trials: Any) -> float:
    r"""Share of the explainable variance of repeated trials that a prediction explains.

    The power of the signal is what trials share, the ceiling that noise leaves:
    :math:`S = (n \, \mathrm{Var}(\bar y) - \overline{\mathrm{Var}(y_i)}) / (n - 1)`; returned is
    :math:`(\mathrm{Var}(\bar y) - \mathrm{Var}(\bar y - \hat y)) / S`.

    Parameters
    ----------
    prediction : array, shape [time]
    trials : array, shape [trial, time]
        At least two trials.

    References
    ----------
    Sahani & Linden (2003) How linear are auditory cortical responses? NIPS 15.

    Examples
    --------
    >>> explained_variance([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    1.0
    """
    wanted = to_tensor(trials).double()
    if wanted.ndim != 2 or wanted.shape[0] < 2:
        raise ShapeError(
            f"The noise ceiling needs [trial, time] with at least 2 trials, got {describe_shape(wanted.shape)}.",
            "Use r_squared for a single trial.",
        )
    mean = wanted.mean(dim=0)
    guess, _ = _pair(prediction, mean)
    n = wanted.shape[0]
    shared = float(mean.var(correction=0))
    signal = (n * shared - float(wanted.var(dim=1, correction=0).mean())) / (n - 1)
    if signal <= 0:
        return math.nan
    return (shared - float((mean - guess).var(correction=0))) / signal


def poisson_deviance(rate: Any, counts: Any) -> float:
    r"""Poisson deviance, :math:`2 \sum y \log (y / r) - (y - r)`; 0 for a perfect prediction.

    Examples
    --------
    >>> round(poisson_deviance([1.0, 1.0], [2.0, 0.0]), 4)  # 2 (2 log 2 - 1 + 1)
    2.7726
    """
    expected, seen = _pair(rate, counts)
    _check_rates(expected, seen)
    return 2.0 * float((torch.special.xlogy(seen, seen) - torch.special.xlogy(seen, expected) - seen + expected).sum())


def bits_per_spike(rate: Any, counts: Any, baseline: float | None = None) -> float:
    r"""Information a rate gives about each spike beyond a constant rate, in bits.

    :math:`\sum (y \log_2 (r / b) - (r - b) / \ln 2) / \sum y`, with the mean count as baseline
    :math:`b` unless one is given.

    Raises
    ------
    FitError
        If there is no spike, a rate is negative or no number, or the baseline is no rate.

    References
    ----------
    Pillow et al. (2008) doi:10.1038/nature07140

    Examples
    --------
    >>> round(bits_per_spike([1.0, 0.5, 0.5], [2.0, 0.0, 0.0]), 4)  # log2(1.5) with 2 spikes in 3 bins
    0.585
    """
    expected, seen = _pair(rate, counts)
    _check_rates(expected, seen)
    spikes = float(seen.sum())
    if spikes == 0:
        raise FitError("Bits per spike cannot be told: there is no spike.", "Score a part with spikes in it.")
    level = spikes / len(seen) if baseline is None else baseline
    if not is_number(level) or not 0 < level < math.inf:
        raise FitError(f"The baseline must be a finite rate above 0, got {level!r:.80}.", "Give e.g. the mean count.")
    gain = torch.special.xlogy(seen, expected) - seen * math.log(level) - (expected - level)
    return float(gain.sum()) / spikes / math.log(2)


def _pair(prediction: Any, measured: Any) -> tuple[Tensor, Tensor]:
    a, b = to_tensor(prediction).detach().double(), to_tensor(measured).detach().double()
    if a.shape != b.shape:
        raise ShapeError(
            f"Prediction and data differ in shape: {describe_shape(a.shape)} and {describe_shape(b.shape)}.",
            "Compare equally many bins.",
        )
    return a.flatten(), b.flatten()


def _check_rates(rate: Tensor, counts: Tensor) -> None:
    if not bool(torch.isfinite(rate).all() and torch.isfinite(counts).all()):
        raise FitError("A rate or a count is NaN or infinite, so there is nothing to score.", "Leave such frames out.")
    if bool((rate < 0).any()) or bool((counts < 0).any()):
        raise FitError(
            "A rate and a count cannot be negative, the smallest are "
            f"{float(rate.min()):g} and {float(counts.min()):g}.",
            "Use correlation or r_squared for signals of either sign.",
        )
