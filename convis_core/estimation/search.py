"""Search for the settings of a fit, such as the strength of its penalties, that predict unseen data best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convis_core.errors import FitError
from convis_core.estimation.many import fit_many
from convis_core.estimation.one_task import FitCopy
from convis_core.estimation.resampling import folds
from convis_core.layer import Layer
from convis_core.loops.losses import Loss, sum_squared_error
from convis_core.loops.run import check_steps
from convis_core.scalars import is_number
from convis_core.tensors import TIME, lift

__all__ = ["Candidate", "search_settings"]


@dataclass(frozen=True)
class Candidate:
    """Settings that were tried.

    Attributes
    ----------
    settings : dict
        Arguments of the fit or of its optimiser, by name.
    loss : float
        Loss on data that were not fitted, over all folds, by their frames; infinite where a fit failed.
    losses : tuple of float
        That of each fold.
    epochs : int
        Passes over the data after which it was judged.
    problem : str
        What went wrong, if anything did.
    """

    settings: dict[str, Any]
    loss: float
    losses: tuple[float, ...]
    epochs: int
    problem: str = ""


def search_settings(
    model: Layer,
    source: Any,
    target: Any,
    settings: Mapping[str, Sequence[Any]],
    *,
    epochs: int | Sequence[int] = 10,
    keep: float = 1 / 3,
    n_folds: int = 3,
    gap: int = 0,
    loss_fn: Loss = sum_squared_error,
    client: Any = None,
    seed: int = 0,
    threads: int = 1,
    **options: Any,
) -> list[Candidate]:
    """Try all combinations of some settings by cross-validation and rank them.

    The recording is cut into contiguous blocks. Each is predicted by a copy of the model that was
    fitted to the others, `gap` frames away from it. With rising numbers of `epochs` the search is one
    by successive halving: all combinations are judged after the first number, and only the best share
    of them is fitted again, and judged, with the next.

    Parameters
    ----------
    model : Layer
        With an optimiser chosen; left as it is.
    source, target : array
        Equally long in time; ``[time, x, y]`` or as `fit` takes them.
    settings : mapping
        Values to try, by the name of an argument of `fit` such as ``penalties``, or of an option of
        the optimiser such as ``lr``.
    epochs : int or sequence of int
        Passes over the data; several, rising, for successive halving.
    keep : float
        Share of the combinations that goes on to the next number of epochs.
    n_folds, gap : int
        How the data are cut; let the gap be as long as the kernel.
    loss_fn : callable
        What is fitted and what is judged. Penalties are not part of the judgement.
    client, seed, threads
        Where and how to work, as of `fit_many`.
    **options
        Further arguments of `fit`, the same for all.

    Returns
    -------
    list of Candidate
        The best one first; those judged after more epochs come before the others.

    Raises
    ------
    FitError
        If there is nothing to try, or every combination failed.

    Examples
    --------
    >>> import convis_core as convis
    >>> inp, out = convis.samples.generate_sample_data(size=(150, 6, 6), seed=1)
    >>> m = convis.models.L(kernel_dim=(4, 3, 3))
    >>> _ = m.set_optimizer.Adam(lr=0.01)
    >>> smooth = convis.estimation.regularisers.Smoothness
    >>> tried = search_settings(m, inp, out, {"lr": [1e-6, 0.02], "penalties": [(), (smooth(1e4),)]}, epochs=[2, 8])
    >>> tried[0].settings, [c.epochs for c in tried]
    ({'lr': 0.02, 'penalties': ()}, [8, 8, 2, 2])

    References
    ----------
    Jamieson K., Talwalkar A. (2016), Non-stochastic best arm identification and hyperparameter
    optimization, AISTATS, doi:10.48550/arXiv.1502.07943.
    """
    if not isinstance(settings, Mapping) or any(
        isinstance(v, str) or not isinstance(v, Sequence) for v in settings.values()
    ):
        raise FitError(
            f"Settings are lists of values by the name of the argument, got {settings!r}.",
            'Give e.g. {"lr": [0.001, 0.01]}.',
        )
    validation = _Validation(model, loss_fn)
    rungs = [
        check_steps(n, "epochs", "passes over the data")
        for n in (epochs if isinstance(epochs, (list, tuple)) else [epochs])
    ]
    if (
        not settings
        or not all(settings.values())
        or not rungs
        or rungs != sorted(set(rungs))
        or not is_number(keep)
        or not 0 < keep < 1
    ):
        raise FitError(
            f"There is nothing to search: got settings {dict(settings)!r}, epochs {epochs!r}, keep {keep!r}.",
            'Give values by name, e.g. {"lr": [0.001, 0.01]}, rising epochs, and a share to keep between 0 and 1.',
        )
    if "weights" in {*settings, *options}:
        raise FitError("A search does not weight points.", "Cut away what should not count.")
    combinations = [dict(zip(settings, values, strict=True)) for values in itertools.product(*settings.values())]
    shared = {"source": lift(source), "target": lift(target)}
    n_folds, gap = check_steps(n_folds, "n_folds", "folds"), check_steps(gap, "gap", least=0)
    cuts = folds(shared["source"].shape[TIME], n_folds, gap)
    ranked: list[Candidate] = []
    for rung, passes in enumerate(rungs):
        tasks = [
            {"blocks": blocks, "tested": tested, "gap": gap, "settings": {**options, **chosen}, "epochs": passes}
            for chosen in combinations
            for blocks, tested in cuts
        ]
        results = _all_results(validation, tasks, shared, client, seed, threads)
        parts = [results[k : k + n_folds] for k in range(0, len(results), n_folds)]
        lengths = [tested.stop - tested.start for _, tested in cuts]
        tried = [_judged(chosen, part, lengths, passes) for chosen, part in zip(combinations, parts, strict=True)]
        tried.sort(key=lambda candidate: candidate.loss)
        if tried[0].loss == math.inf:
            raise FitError(f"Every combination failed, one of them with: {tried[0].problem}")
        sound = sum(candidate.loss < math.inf for candidate in tried)
        kept = min(math.ceil(keep * len(tried)), sound) if rung + 1 < len(rungs) else 0
        ranked = [*tried[kept:], *ranked]
        combinations = [candidate.settings for candidate in tried[:kept]]
    return ranked


class _Validation:
    """Fits a copy of a layer to some blocks of a recording and returns its loss on another."""

    def __init__(self, model: Layer, loss_fn: Loss) -> None:
        self.copies, self.loss_fn = FitCopy(model), loss_fn

    def __call__(
        self,
        source: Any,
        target: Any,
        blocks: Iterable[slice],
        tested: slice,
        gap: int,
        settings: Mapping[str, Any],
        epochs: int,
    ) -> float:
        of_optimizer = {name: value for name, value in settings.items() if name in self.copies.options}
        of_fit = {name: value for name, value in settings.items() if name not in of_optimizer}
        inputs, outputs = ([whole[:, :, block] for block in blocks] for whole in (source, target))
        of_fit |= {"source": inputs, "target": outputs, "epochs": epochs, "loss_fn": self.loss_fn}
        model = self.copies.fitted(of_fit, **of_optimizer).model
        before = min(gap, tested.start)  # the stimulus of the gap is the past of the first frames that count
        seen = slice(tested.start - before, tested.stop)
        judged = {"loss_fn": self.loss_fn, "t_skip": before, "output": settings.get("output")}
        losses = model.compute_loss(source[:, :, seen], target[:, :, seen], **judged)
        return float(losses.sum())


def _all_results(work: Callable[..., float], tasks: list[dict[str, Any]], *rest: Any) -> list[Any]:
    shared, client, seed, threads = rest
    try:
        return fit_many(work, tasks, shared=shared, client=client, seed=seed, threads=threads)
    except FitError as error:
        if not isinstance(error.output, list):
            raise
        return error.output


def _judged(settings: dict[str, Any], results: list[Any], lengths: list[int], epochs: int) -> Candidate:
    problems = [str(result) for result in results if isinstance(result, Exception)]
    problems += [f"a loss of {result}" for result in results if isinstance(result, float) and not math.isfinite(result)]
    if problems:
        return Candidate(settings, math.inf, (math.inf,) * len(results), epochs, problems[0])
    each = tuple(result / n for result, n in zip(results, lengths, strict=True))
    return Candidate(settings, sum(results) / sum(lengths), each, epochs)
