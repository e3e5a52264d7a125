"""The variance of independent weights that makes data most probable, in few looks at a large matrix."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from convis_core.estimation.evidence import PseudoData

__all__ = ["best_ridge", "ridge_at", "top_of_hill"]


def best_ridge(seen: PseudoData, place: float, step: float) -> tuple[float, Tensor, Tensor]:
    """Logarithm of the best variance, sought from a place in steps; with mean and root as of `ridge_at`."""
    place = top_of_hill(lambda log_rho: ridge_at(seen, log_rho)[0], place, step)
    return place, *ridge_at(seen, place)[1:]


def ridge_at(seen: PseudoData, log_rho: float) -> tuple[float, Tensor, Tensor]:
    """Log evidence of weights of one variance, their mean, and the lower root of the inverse of their covariance.

    One Cholesky factor gives all three; the eigenvectors, with which every further variance would be
    free, take as long as fifteen of them.
    """
    sharp = seen.information.clone()
    sharp.diagonal().add_(math.exp(-log_rho))
    root = torch.linalg.cholesky(sharp)
    weights = torch.cholesky_solve(seen.pull[:, None], root)[:, 0]
    return 0.5 * float(seen.pull @ weights - len(weights) * log_rho) - float(root.diagonal().log().sum()), weights, root


def top_of_hill(height: Callable[[float], float], place: float, step: float, *, most: int = 10) -> float:
    """Top of a smooth hill over a line: steps of one length until it is passed, then parabolas within a step or so.

    Examples
    --------
    >>> round(top_of_hill(lambda x: -((x - 1.3) ** 2), place=-2.0, step=1.0), 6)
    1.3
    """
    found = {at: height(at) for at in (place - step, place, place + step)}
    for _ in range(most):
        best = max(found, key=found.__getitem__)
        if min(found) < best < max(found):
            break
        at = best + math.copysign(step, best - place)
        found[at] = height(at)
    for _ in range(most):
        best = max(found, key=found.__getitem__)
        below, above = (at for at in found if at < best), (at for at in found if at > best)
        left, right = max(below, default=best - step), min(above, default=best + step)
        if left not in found or right not in found:
            break  # it rises for ever
        rise, fall = (found[best] - found[left]) / (best - left), (found[right] - found[best]) / (right - best)
        top = 0.5 * (left + best) + 0.5 * (right - left) * rise / (rise - fall) if fall < rise else best
        wider = right - best if right - best > best - left else left - best
        narrow = right - left <= 1.5 * step
        if not narrow and abs(top - best) < 0.1 * abs(wider):
            top = best + 0.3 * wider  # the parabola is at its top already: make it narrower
        if top in found:
            break
        found[top] = height(top)
        if narrow:
            break
    return max(found, key=found.__getitem__)
