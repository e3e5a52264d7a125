"""Spikes drawn independently in each step from a rate."""

from __future__ import annotations

from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.ops.noise import block_uniform
from convis_core.ops.poisson import MOST_EXPECTED, poisson_counts

__all__ = ["Poisson"]


class Poisson(StochasticLayer):
    r"""Poisson spikes: the count in a step is Poisson distributed with mean rate times step.

    .. math:: P(n) = e^{-\lambda} \lambda^n / n!, \qquad \lambda = \max(0, r) \, \Delta t

    The input is a rate in Hz; negative rates give no spikes. Counts come from one uniform
    number a step by inversion of the distribution.

    Parameters
    ----------
    seed : int, optional
        With a seed every fresh start repeats the same spikes.

    Examples
    --------
    >>> import numpy as np
    >>> spikes = Poisson(seed=1).run(np.full((1000, 10, 10), 40.0))
    >>> bool(abs(spikes.mean() * 1000 - 40.0) < 3.0)  # Hz, at 1000 steps a second
    True
    """

    spiking = True

    def forward(self, x: Tensor) -> Tensor:
        expected = (x * self.resolution.step).clamp(min=0.0)
        largest = float(expected.detach().max()) if expected.numel() else 0.0
        if largest > MOST_EXPECTED:
            raise ParameterError(
                f"Poisson expects a rate in Hz, got up to {largest / self.resolution.step:g} Hz, "
                f"which is {largest:g} spikes in a single step.",
                "Check the unit of the rate.",
            )
        return poisson_counts(expected, self.draw(block_uniform, x))
