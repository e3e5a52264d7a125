"""End a fit when it no longer gets better on data it does not see, with the parameters that were best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch

from convis_core.loops.fit import FitStep, check_score, steps_of_a_fit
from convis_core.loops.protocol import FittableModel
from convis_core.loops.run import check_steps

__all__ = ["stop_early"]


def stop_early(
    steps: Iterable[FitStep], model: FittableModel, score: Callable[[], float], *, patience: int = 5
) -> Iterator[FitStep]:
    """Pass the steps of a fit on until the score has not fallen for some epochs.

    However it ends, by patience, by its last epoch, by an error, an interrupt or a caller who
    has seen enough, the model then has the parameters of its best epoch.

    Parameters
    ----------
    steps : iterator of FitStep
        A fit of the model.
    model : Layer
    score : callable
        Loss on the validation part, e.g. ``lambda: model.compute_loss(inp, out).sum()``.
        Asked once before the first step and after every epoch.
    patience : int
        Epochs without a better score after which to end.

    Examples
    --------
    >>> import convis_core as convis
    >>> inp, out = convis.samples.generate_sample_data(size=(80, 6, 6), seed=1)
    >>> m = convis.models.LN(kernel_dim=(4, 3, 3))
    >>> _ = m.set_optimizer.Adam(lr=0.01)
    >>> steps = convis.fit(m, inp[:50], out[:50], epochs=3)
    >>> len(list(stop_early(steps, m, lambda: m.compute_loss(inp[55:], out[55:]).sum()))) > 0
    True
    """
    patience = check_steps(patience, "patience", "epochs")
    check_score(score)
    best, kept = float(score()), _copy(model)
    waited = 0
    try:
        for step in steps_of_a_fit(steps, "ends_epoch"):
            if step.ends_epoch:
                now = float(score())
                waited += 1
                if now < best or (math.isnan(best) and not math.isnan(now)):
                    best, kept, waited = now, _copy(model), 0
            yield step
            if waited >= patience:
                return
    finally:
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), kept, strict=True):
                parameter.copy_(value)


def _copy(model: FittableModel) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]
