"""Whether a rate leaves something of the spikes to be explained by the stimulus."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from convis_core.estimation.separable import Problem
from convis_core.ops.lags import triggered_sum

__all__ = ["explains_too_little"]

SHIFTS: Final = 5
"""Shifts of the errors against the stimulus, which tell what chance makes of them."""


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
