"""Many fits at once: one after the other here, or spread over the workers of a Dask cluster."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from convis_core.errors import FitError
from convis_core.estimation.one_task import FitCopy, run_task
from convis_core.layer import Layer
from convis_core.loops.run import check_steps

__all__ = ["fit_many"]


def fit_many(
    function: Callable[..., Any] | Layer,
    tasks: Iterable[Mapping[str, Any]],
    *,
    shared: Mapping[str, Any] | None = None,
    client: Any = None,
    seed: int = 0,
    threads: int = 1,
) -> list[Any]:
    """Do the same fit for many cells, or with many settings, on one machine or on many.

    The same call runs here without a `client` and on the cluster of one. What comes back does not
    depend on where, in which order, or on how many workers it was done: every task has random numbers
    of its own and as many threads as any other. A worker that dies is replaced by another one, which
    does its unfinished tasks from their start.

    Parameters
    ----------
    function : callable or Layer
        Called with the arguments of each task. A layer stands for fitting a copy of it with `fit` by an
        optimiser like its own; what comes back is a `FittedModel`.
    tasks : iterable of dict
        Arguments by name, one dict a task; for a layer those of `fit`, at least source and target.
    shared : dict, optional
        Arguments that are the same for all tasks, such as a stimulus; sent to a worker only once.
    client : dask.distributed.Client, optional
        Where to work; needs ``pip install "convis-widgets[distributed]"``.
    seed : int
        From it and the number of a task come the seeds of torch and numpy during the task.
    threads : int
        Threads that torch may use for one task.

    Returns
    -------
    list
        What the function returned, in the order of the tasks.

    Raises
    ------
    FitError
        After all tasks are done, if some failed. Its ``output`` holds the list of results, with
        the exception in place of what failed.

    Examples
    --------
    >>> import numpy as np
    >>> import convis_core as convis
    >>> movie = np.random.default_rng(0).standard_normal((1500, 5, 5))
    >>> cells = [{"spikes": np.random.default_rng(k).poisson(np.exp(movie[:, k, k] - 1))} for k in range(3)]
    >>> found = fit_many(convis.fit_receptive_field, cells, shared={"stimulus": movie, "n_lags": 2})
    >>> [tuple(int(i) for i in np.unravel_index(f.filter.argmax(), f.filter.shape)) for f in found]
    [(0, 0, 0), (0, 1, 1), (0, 2, 2)]
    """
    threads = check_steps(threads, "threads", "threads")
    work = FitCopy(function) if isinstance(function, Layer) else function
    if isinstance(tasks, (str, Mapping)) or not isinstance(tasks, Iterable):
        raise FitError(f"Tasks are a list of dicts of arguments, got {tasks!r:.80}.", 'Write e.g. [{"spikes": first}].')
    if shared is not None and not isinstance(shared, Mapping):
        raise FitError(
            f"What tasks share is a dict of arguments, got {shared!r:.80}.", 'Write e.g. {"stimulus": movie}.'
        )
    listed = [_checked(task, number) for number, task in enumerate(tasks)]
    common = dict(shared or {})
    if client is not None and not hasattr(client, "submit"):
        raise FitError(
            f"The client of a cluster has a submit method, got a {type(client).__name__}.",
            "Give a dask.distributed.Client, or none.",
        )
    if client is None:
        results = [run_task(work, common, task, (seed, number), threads) for number, task in enumerate(listed)]
    else:
        results = _on_cluster(client, work, common, listed, seed, threads)
    failed = [number for number, result in enumerate(results) if isinstance(result, Exception)]
    if failed:
        first = results[failed[0]]
        error = FitError(
            f"{len(failed)} of {len(results)} tasks failed, the first of them number {failed[0]}: "
            f"{type(first).__name__}: {first}",
            "The results of the others are in the output attribute of this error.",
        )
        error.output = results
        raise error from first
    return results


def _on_cluster(
    client: Any,
    work: Callable[..., Any],
    common: dict[str, Any],
    tasks: list[dict[str, Any]],
    seed: int,
    threads: int,
) -> list[Any]:
    with warnings.catch_warnings():
        # What is shared goes through the scheduler on purpose: scattered to workers it would die with them.
        warnings.filterwarnings("ignore", message="Sending large graph")
        everywhere = client.submit(_itself, common, pure=False)
        futures = [
            client.submit(run_task, work, everywhere, task, (seed, number), threads, pure=False)
            for number, task in enumerate(tasks)
        ]
    try:
        return [_result(future) for future in futures]
    finally:
        client.cancel([*futures, everywhere])


def _itself(common: dict[str, Any]) -> dict[str, Any]:
    return common


def _result(future: Any) -> Any:
    """What a task returned, or why it could not be done at all, such as a task that kills its workers."""
    try:
        return future.result()
    except Exception as error:
        return error


def _checked(task: Any, number: int) -> dict[str, Any]:
    if not isinstance(task, Mapping) or not all(isinstance(name, str) for name in task):
        raise FitError(
            f"A task is a dict of arguments by name, got {type(task).__name__} as number {number}.",
            'Write e.g. [{"spikes": first}, {"spikes": second}].',
        )
    return dict(task)
