"""How a fit goes wrong: the loss explodes, or has no slope to go down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import FitError
from convis_core.loops.bookmark import BestPass
from convis_core.loops.protocol import FittableModel

__all__ = ["STUCK", "DivergedError", "check_not_exploded", "check_values", "is_stuck"]

EXPLODED: Final = 1e5
"""Factor of a loss that is beyond any detour: for squared errors a response that is 300 times too large."""


STUCK: Final = (
    "A whole pass over the data has changed no parameter, for the loss has no slope here. So it is where a response is "
    "0 everywhere, e.g. after steps that were too long. Start from other parameters, with a smaller learning rate."
)
"""What to say of a fit that cannot move."""


class DivergedError(FitError):
    """The loss, or a parameter, is no longer finite, or is far beyond where it was."""


def check_values(values: Tensor) -> None:
    """Refuse a loss or parameters that are not finite."""
    if not bool(torch.isfinite(values.detach()).all()):
        raise _diverged("the loss or a parameter is no longer finite")


def check_not_exploded(loss: float, least: float, silent: Callable[[], float]) -> None:
    """Refuse a loss that is far larger than the least one before it, and than that of no response at all.

    Either alone can be: a fit may start far off, and frames of silence have a small loss. What silence
    would have had is asked only where the first is true.

    Examples
    --------
    >>> check_not_exploded(1e9, least=1.0, silent=lambda: 1e6)
    >>> check_not_exploded(1e9, least=1.0, silent=lambda: 2.0)
    Traceback (most recent call last):
    ...
    convis_core.loops.divergence.DivergedError: The fit diverged: the loss is 1e+09, was 1, and 2 would be ...
    """
    if loss > EXPLODED * abs(least) and loss > EXPLODED * (nothing := abs(silent())) > 0.0:
        raise _diverged(f"the loss is {loss:.3g}, was {least:.3g}, and {nothing:.3g} would be that of no response")


def is_stuck(model: FittableModel, optimizer: Optimizer, passes: BestPass) -> bool:
    """Whether a pass has left all parameters to the last bit as they were, with a loss left and steps to go."""
    if passes.total == 0.0 or all(group["lr"] == 0.0 for group in optimizer.param_groups):
        return False
    return all(torch.equal(now, then) for now, then in zip(model.parameters(), passes.began, strict=True))


def _diverged(how: str) -> DivergedError:
    return DivergedError(
        f"The fit diverged: {how}. The parameters are the best ones so far, with which the pass of the smallest loss "
        "began.",
        "Try a smaller learning rate, or scale the input and the target to order 1.",
    )
