"""How far the expected count may be from a count that was seen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["poisson_interval"]

HALVINGS = 60


def poisson_interval(counts: Tensor, level: float = 0.95) -> tuple[Tensor, Tensor]:
    r"""Exact confidence interval of a Poisson mean.

    The bounds :math:`a, b` at which a count as large, or as small, has probability :math:`\alpha / 2`:

    .. math:: P(N \ge n; a) = P(N \le n; b) = \alpha / 2

    Parameters
    ----------
    counts : Tensor
        In double precision.
    level : float
        :math:`1 - \alpha`, between 0 and 1.

    Returns
    -------
    (Tensor, Tensor)
        Lower and upper bound, of the shape of the counts.

    References
    ----------
    Garwood (1936) Fiducial limits for the Poisson distribution. doi:10.1093/biomet/28.3-4.437

    Examples
    --------
    >>> low, high = poisson_interval(torch.tensor([0.0, 10.0]).double())
    >>> low.round(decimals=3), high.round(decimals=3)
    (tensor([0.0000, 4.7950], dtype=torch.float64), tensor([ 3.6890, 18.3900], dtype=torch.float64))
    """
    tail = (1.0 - level) / 2.0
    most = counts + 40.0 + 12.0 * counts.sqrt()
    low = _root(lambda mean: torch.special.gammainc(counts.clamp_min(1.0), mean) < tail, most)
    high = _root(lambda mean: torch.special.gammaincc(counts + 1.0, mean) > tail, most)
    return torch.where(counts > 0, low, torch.zeros_like(low)), high


def _root(below: Callable[[Tensor], Tensor], most: Tensor) -> Tensor:
    """Where a condition that holds at 0 stops to hold, by halving."""
    low, high = torch.zeros_like(most), most
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        holds = below(middle)
        low, high = torch.where(holds, middle, low), torch.where(holds, high, middle)
    return 0.5 * (low + high)
