"""The past of a signal as columns, and a bumpy basis to describe a response to it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["delayed_sum", "filtered", "lagged", "raised_cosines", "triggered_sum"]


def lagged(signal: Tensor, n_lags: int, first: int = 0) -> Tensor:
    """Columns of a signal `first`, `first` + 1, ... steps ago; zero before its start.

    Parameters
    ----------
    signal : Tensor, shape [time]
    n_lags : int
    first : int
        Lag of the first column.

    Returns
    -------
    Tensor, shape [time, n_lags]

    Examples
    --------
    >>> lagged(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([[1., 0.],
            [2., 1.],
            [3., 2.]])
    """
    rows = functional.pad(signal, (n_lags + first - 1, 0)).unfold(0, len(signal), 1)[:n_lags]  # oldest first
    return rows.flip(0).T.contiguous()


def delayed_sum(signals: Tensor, weights: Tensor) -> Tensor:
    """Filter every column in time, ``y[t] = sum over lag of weights[lag] * x[t - lag]``.

    Parameters
    ----------
    signals : Tensor, shape [time, n]
    weights : Tensor, shape [lag]

    Returns
    -------
    Tensor, shape [time, n]

    Examples
    --------
    >>> delayed_sum(torch.tensor([[1.0], [0.0], [2.0]]), torch.tensor([1.0, 0.5])).ravel()
    tensor([1.0000, 0.5000, 2.0000])
    """
    length = signals.shape[0]
    total = torch.zeros_like(signals)
    for lag in range(min(len(weights), length)):
        total[lag:].add_(signals[: length - lag], alpha=float(weights[lag]))
    return total


def filtered(signals: Tensor, weights: Tensor) -> Tensor:
    """Response of a filter of time and place, ``y[t] = sum over lag and n of weights[lag, n] * x[t - lag, n]``.

    Parameters
    ----------
    signals : Tensor, shape [time, n]
    weights : Tensor, shape [lag, n]

    Returns
    -------
    Tensor, shape [time]

    Examples
    --------
    >>> filtered(torch.tensor([[1.0], [0.0], [2.0]]), torch.tensor([[1.0], [0.5]]))
    tensor([1.0000, 0.5000, 2.0000])
    """
    along = signals @ weights.T
    return torch.stack([lagged(along[:, lag], len(weights))[:, lag] for lag in range(len(weights))]).sum(dim=0)


def triggered_sum(events: Tensor, signals: Tensor, n_lags: int) -> Tensor:
    """Sum of the signals before events, ``s[lag, n] = sum over t of events[t] * x[t - lag, n]``.

    Parameters
    ----------
    events : Tensor, shape [..., time]
        How much each step counts.
    signals : Tensor, shape [time, n]
    n_lags : int

    Returns
    -------
    Tensor, shape [..., lag, n]

    Examples
    --------
    >>> triggered_sum(torch.tensor([0.0, 1.0]), torch.tensor([[3.0], [5.0]]), 2)
    tensor([[5.],
            [3.]])
    """
    later = functional.pad(events, (0, n_lags - 1)).unfold(-1, len(signals), 1)  # [..., lag, time]
    return later @ signals


def raised_cosines(n_lags: int, count: int, *, dtype: torch.dtype = torch.float64) -> Tensor:
    r"""Bumps that are narrow right after an event and wide later, to describe a response to it.

    With :math:`z = \log(\mathrm{lag} + 1)` and centres :math:`c_k` spread evenly over it,
    :math:`b_k = \tfrac12 (1 + \cos \mathrm{clip}(\pi (z - c_k) / 2 \Delta c, -\pi, \pi))`.

    Parameters
    ----------
    n_lags : int
        Lags 1 to `n_lags` are described.
    count : int
        Number of bumps, at least 2.

    Returns
    -------
    Tensor, shape [n_lags, count]

    References
    ----------
    Pillow et al. (2008) Spatio-temporal correlations and visual signalling in a complete neuronal
    population. doi:10.1038/nature07140

    Examples
    --------
    >>> raised_cosines(20, 8).sum(dim=1)[4:7].round(decimals=3)  # a plateau away from both ends
    tensor([2., 2., 2.], dtype=torch.float64)
    """
    z = torch.log1p(torch.arange(1, n_lags + 1, dtype=dtype))
    centres = torch.linspace(float(z[0]), float(z[-1]), count, dtype=dtype)
    spacing = max(float(centres[1] - centres[0]), torch.finfo(dtype).eps)
    phase = (z[:, None] - centres) * (math.pi / (2 * spacing))
    return 0.5 * (1 + torch.cos(phase.clamp(-math.pi, math.pi)))
