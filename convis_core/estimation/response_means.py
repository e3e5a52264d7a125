"""Mean responses of frames of like drive, for responses that are no counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["ResponseMeans", "response_means"]


@dataclass(frozen=True)
class ResponseMeans:
    """Groups of equally many frames in the order of their drive: mean drive, mean response and its standard error."""

    drive: Tensor
    response: Tensor
    errors: Tensor


def response_means(drive: Tensor, response: Tensor, groups: int) -> ResponseMeans:
    """Group frames by their drive and average their responses.

    Examples
    --------
    >>> found = response_means(torch.tensor([3.0, 0.0, 1.0, 2.0]), torch.tensor([7.0, 1.0, 1.0, 5.0]), 2)
    >>> found.drive, found.response, found.errors
    (tensor([0.5000, 2.5000]), tensor([1., 6.]), tensor([0., 1.]))
    """
    frames = [part for part in drive.argsort().tensor_split(groups) if len(part) > 1]
    means = [torch.stack([values[part].mean() for part in frames]) for values in (drive, response)]
    errors = torch.stack([response[part].std() / len(part) ** 0.5 for part in frames])
    return ResponseMeans(means[0], means[1], errors)
