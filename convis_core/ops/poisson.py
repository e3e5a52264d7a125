"""Poisson counts from uniform numbers."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from convis_core.errors import ParameterError

__all__ = ["MOST_EXPECTED", "most_counts", "poisson_counts"]

MOST_EXPECTED: Final = 80.0
"""Spikes a step beyond which the probability of none is no longer a normal float32."""


def most_counts(expected: float) -> int:
    """Count beyond which lies less probability than a float can tell.

    Examples
    --------
    >>> most_counts(0.0), most_counts(4.0)
    (11, 39)
    """
    return int(expected + 12.0 * expected**0.5) + 11


def poisson_counts(expected: Tensor, uniform: Tensor) -> Tensor:
    r"""Invert the distribution :math:`P(n) = e^{-\lambda} \lambda^n / n!`.

    Parameters
    ----------
    expected : Tensor
        :math:`\lambda`, from 0 to 80.
    uniform : Tensor, shape of `expected`
        Numbers in [0, 1).

    Raises
    ------
    ParameterError
        Where more than 80 are expected in a step.

    Examples
    --------
    >>> poisson_counts(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.3, 0.5, 0.99]))
    tensor([0., 1., 4.])
    """
    largest = float(expected.detach().max()) if expected.numel() else 0.0
    if not largest <= MOST_EXPECTED:
        raise ParameterError(f"At most {MOST_EXPECTED:g} spikes can be expected in a step, got {largest:g}.")
    probability = torch.exp(-expected)
    cumulative = probability.clone()
    counts = torch.zeros_like(expected)
    for n in range(1, most_counts(largest) + 1):
        above = uniform >= cumulative
        if not bool(above.any()):
            break
        counts = counts + above.to(expected.dtype)
        probability = probability * expected / n
        cumulative = cumulative + probability
    return counts
