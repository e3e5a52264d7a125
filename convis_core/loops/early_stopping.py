"""End a fit when it no longer gets better on data it does not see, with the parameters that were best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from convis_core.errors import FitError
from convis_core.loops.bookmark import BestEpoch, Bookmark, check_bookmark
from convis_core.loops.fit import FitStep, check_score, steps_of_a_fit
from convis_core.loops.protocol import FittableModel
from convis_core.loops.run import check_steps
from convis_core.loops.values import copy_values, put_values

__all__ = ["stop_early"]


def stop_early(
    steps: Iterable[FitStep],
    model: FittableModel,
    score: Callable[[], float],
    *,
    patience: int = 5,
    resume: Bookmark | None = None,
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
    resume : Bookmark, optional
        That of a step passed on before, with which the fit is resumed, too: the best score up to there and
        the epochs waited go on to count.

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
    check_bookmark(resume)
    return _until_no_better(steps, model, score, patience, None if resume is None else _known(resume))


def _known(resume: Bookmark) -> BestEpoch:
    if resume.stopping is None:
        raise FitError(
            "The bookmark is of a step that stop_early had not passed on, so it knows of no best epoch.",
            "Save the steps that come out of stop_early, or stop early from here on, without resume=.",
        )
    return resume.stopping


def _until_no_better(
    steps: Iterable[FitStep], model: FittableModel, score: Callable[[], float], patience: int, best: BestEpoch | None
) -> Iterator[FitStep]:
    best = best or BestEpoch(float(score()), copy_values(model))
    try:
        for step in () if best.waited >= patience else steps_of_a_fit(steps, "bookmark"):
            if step.ends_epoch:
                now = float(score())
                better = now < best.score or (math.isnan(best.score) and not math.isnan(now))
                best = BestEpoch(now, copy_values(model)) if better else replace(best, waited=best.waited + 1)
            yield replace(step, bookmark=replace(step.bookmark, stopping=best))
            if best.waited >= patience:
                return
    finally:
        put_values(model, best.values)
