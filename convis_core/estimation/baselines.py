"""What simpler models predict, which a fit has to do better than."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.estimation.nonlinearity import NONLINEARITIES
from convis_core.ops.lags import filtered, triggered_sum

__all__ = ["baselines"]


def baselines(
    stimulus: Tensor, wanted: Tensor, parts: tuple[slice, slice], n_lags: int, *, counted: bool
) -> dict[str, Tensor]:
    """Predictions ``[time]`` of an average model and of a constant, by name.

    The average of the stimulus before responses, weighted by them, is that of the first part; its gain and offset
    come from the second one: on the frames that made the average it fits too well.

    Parameters
    ----------
    stimulus : Tensor, shape [time, pixel]
    wanted : Tensor, shape [time]
    parts : (slice, slice)
        Training and validation part.
    n_lags : int
    counted : bool
        Whether what is wanted are spike counts: then the average model has a softplus, else it is linear.

    Examples
    --------
    >>> movie = torch.randn(600, 4, generator=torch.Generator().manual_seed(0)).double()
    >>> found = baselines(movie, 2 * movie[:, 1] + 1, (slice(0, 400), slice(400, 500)), 1, counted=False)
    >>> {name: round(float((rate[500:] - 2 * movie[500:, 1] - 1).std()), 1) for name, rate in found.items()}
    {'response-weighted average': 0.2, 'constant response': 1.8}
    """
    train, rest = parts
    seen, known = stimulus - stimulus[train].mean(), wanted[train]
    drive = filtered(seen, triggered_sum(known - known.mean(), seen[train], n_lags))
    level = wanted[slice(train.start, rest.stop)].mean()
    if counted:
        shape = NONLINEARITIES["softplus"]
        gain, offset = shape.gain_and_offset(drive[rest], wanted[rest])
        return {
            "spike-triggered average": shape.rate(gain * drive + offset),
            "constant rate": torch.full_like(wanted, float(level)),
        }
    design = torch.stack([drive[rest], torch.ones_like(drive[rest])], dim=1)
    weights = torch.linalg.pinv(design, rtol=1e-9) @ wanted[rest]
    return {
        "response-weighted average": weights[0] * drive + weights[1],
        "constant response": torch.full_like(wanted, float(level)),
    }
