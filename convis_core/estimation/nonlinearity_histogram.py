"""The nonlinearity as the data show it: mean counts of frames of like drive."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from convis_core.estimation.count_curves import log_likelihood
from convis_core.ops.poisson_interval import poisson_interval

__all__ = ["Histogram", "histogram"]


@dataclass(frozen=True)
class Histogram:
    """Groups of equally many frames in the order of their drive, those of equal drive in one.

    Attributes
    ----------
    edges : Tensor, shape [group + 1]
        Drive at which groups begin and end.
    drive, spikes, errors : Tensor, shape [group]
        Mean drive, number of spikes, and standard error of the mean count from the spread of the counts.
    frames : Tensor, shape [group]
    log_likelihood : float
    """

    edges: Tensor
    drive: Tensor
    frames: Tensor
    spikes: Tensor
    errors: Tensor
    log_likelihood: float

    @property
    def n_parameters(self) -> float:
        """One rate for each group."""
        return float(len(self.frames))

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * (self.n_parameters - self.log_likelihood)

    def rate(self, drive: Tensor) -> Tensor:
        """Mean count of the group in which a drive falls; of the first or last one beyond them."""
        return (self.spikes / self.frames)[self._group(drive)]

    def error(self, drive: Tensor) -> Tensor:
        """Standard error of the mean count."""
        return self.errors[self._group(drive)]

    def interval(self, drive: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Confidence interval of the expected count, exact for Poisson counts."""
        group = self._group(drive)
        low, high = poisson_interval(self.spikes, level)
        return (low / self.frames)[group], (high / self.frames)[group]

    def cautious(self, drive: Tensor) -> Tensor:
        """Rate to score other data by: a group without a spike counts as one with half a spike."""
        return (self.spikes.clamp_min(0.5) / self.frames)[self._group(drive)]

    def _group(self, drive: Tensor) -> Tensor:
        return torch.searchsorted(self.edges[1:-1].contiguous(), drive.contiguous(), right=True)


def histogram(drive: Tensor, counts: Tensor, groups: int) -> Histogram:
    """Group frames by their drive and average their counts.

    Parameters
    ----------
    drive, counts : Tensor, shape [time]
    groups : int
        Groups at most; there are fewer where the drive takes few values.

    References
    ----------
    Chichilnisky (2001) A simple white noise analysis of neuronal light responses. doi:10.1080/713663221

    Examples
    --------
    >>> u = torch.tensor([0.0, 1.0, 2.0, 3.0]).double()
    >>> histogram(u, torch.tensor([0.0, 0.0, 1.0, 3.0]).double(), 2).rate(torch.tensor([0.5, 9.0]).double())
    tensor([0., 2.], dtype=torch.float64)
    """
    ordered = drive.sort().values
    firsts = torch.unique(ordered[torch.arange(groups) * len(drive) // groups])
    edges = torch.cat([firsts, ordered[-1:]])
    group = torch.searchsorted(firsts[1:].contiguous(), drive, right=True)
    frames = torch.bincount(group, minlength=len(firsts)).double()

    def mean(values: Tensor) -> Tensor:
        return torch.zeros_like(frames).index_add(0, group, values) / frames

    rate = mean(counts)
    spread = mean((counts - rate[group]).square()) * frames / (frames - 1).clamp_min(1.0)
    return Histogram(
        edges, mean(drive), frames, rate * frames, (spread / frames).sqrt(), log_likelihood(rate[group], counts)
    )
