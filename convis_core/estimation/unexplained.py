"""What a rate leaves unexplained: something that the stimulus could explain, or a drift of the cell."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.separable import Problem
from convis_core.ops.lags import triggered_sum

__all__ = ["drift_of", "explains_too_little"]

SHIFTS: Final = 5
"""Shifts of the errors against the stimulus, which tell what chance makes of them."""

DRIFT: Final = 2.0
"""Ratio of expected and counted spikes from which on a cell is no longer in the state in which it was fitted."""

BLOCK: Final = 50
SURE: Final = 5.0
"""Frames of a block, and standard errors of a difference that chance makes in none of a thousand cells."""


def drift_of(rate: Tensor, counts: Tensor) -> str:
    """Say if a cell fires at another mean rate than the one expected, by more than blocks of frames differ.

    Examples
    --------
    >>> counts = torch.tensor([0.0, 1.0, 0.0]).repeat(200)
    >>> drift_of(torch.full((600,), 0.4), counts)
    ''
    >>> drift_of(torch.full((600,), 0.9), counts)[:75]
    'The cell fires 0.333 spikes a bin in the test part, where 0.9 were expected'
    """
    whole = len(counts) // BLOCK * BLOCK
    blocks = (counts - rate)[:whole].reshape(-1, BLOCK).mean(dim=1)
    expected, fired = float(rate.mean()), float(counts.mean())
    unsure = SURE * float(blocks.std()) / math.sqrt(len(blocks)) if len(blocks) > 1 else math.inf
    if max(expected, fired) < DRIFT * min(expected, fired) or abs(expected - fired) < unsure:
        return ""
    return (
        f"The cell fires {fired:.3g} spikes a bin in the test part, where {expected:.3g} were expected, so that the "
        "scores say more of a drift than of the filter. Cut the recording to where the rate is steady."
    )


def explains_too_little(problem: Problem, rate: Tensor) -> bool:
    """Say whether the errors of a rate have a larger separable filter than errors that were shifted in time.

    The largest singular value of the stimulus averaged by the errors is compared with those after
    shifts by sixths of the recording, which no filter of a few lags survives.
    """
    errors, length = problem.counts - rate, len(rate)
    shifted = torch.stack([errors.roll(k * length // (SHIFTS + 1)) for k in range(SHIFTS + 1)])
    averages = triggered_sum(shifted.float(), problem.stimulus.float(), problem.n_lags)  # which one is larger is all
    strengths = torch.linalg.eigvalsh(averages @ averages.mT)[:, -1]  # squares of the largest singular values
    return bool(strengths[0] > strengths[1:].max())
