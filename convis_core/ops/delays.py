"""Delays of whole and broken numbers of steps, one for all pixels or one for each."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.tensors import TIME

__all__ = ["delay_frames"]


def delay_frames(x: Tensor, steps: Tensor, past: Tensor) -> Tensor:
    r"""Answer with what came a while ago, :math:`y(t) = (1 - f) \, x(t - k) + f \, x(t - k - 1)`.

    Here `k` is the whole and `f` the broken part of the delay: between two frames the signal
    is taken to go in a straight line, so the delay has a gradient.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        A chunk.
    steps : Tensor, scalar or shape [x, y]
        Delays in steps, 0 or more.
    past : Tensor, shape [batch, channel, n, x, y]
        Frames before the chunk, `n` more than the whole part of the longest delay.

    Returns
    -------
    Tensor, shape of `x`

    Examples
    --------
    >>> x = torch.tensor([4.0, 8.0, 0.0, 0.0]).reshape(1, 1, 4, 1, 1)
    >>> delay_frames(x, torch.tensor(1.25), torch.zeros(1, 1, 2, 1, 1)).flatten()
    tensor([0., 3., 7., 2.])
    """
    frames = torch.cat([past, x], dim=TIME)
    n, time = past.shape[TIME], x.shape[TIME]
    whole = steps.detach().floor()
    part = steps - whole
    if steps.ndim == 0:
        first = n - int(whole)
        recent, older = (frames[:, :, start : start + time] for start in (first, first - 1))
    else:
        moments = torch.arange(time, device=x.device)[:, None, None] + n - whole.long()
        recent, older = (frames.gather(TIME, at.expand(x.shape)) for at in (moments, moments - 1))
    return recent + part * (older - recent)
