"""Many fits on one and on two workers: ``python -m benchmarks.bench_many``.

Rates are frames of all recordings together; the remark on two workers says how many times one they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Case, run_cases
from convis_core.estimation import ReceptiveField, fit_many, fit_receptive_field

TITLE = "Receptive fields of 8 cells with one stimulus, scaled out by fit_many"
CELLS, FRAMES, SIZE = 8, 3000, 12
KEPT = 2**28
"""Bytes a worker may keep that it does not use."""
_seconds: dict[int, list[float]] = {0: [], 1: [], 2: []}


def recordings() -> tuple[Any, list[dict[str, Any]]]:
    """One stimulus, and spikes of cells that each like another pixel."""
    rng = np.random.default_rng(0)
    movie = rng.standard_normal((FRAMES, SIZE, SIZE))
    return movie, [{"spikes": rng.poisson(np.exp(movie[:, k, k] - 1))} for k in range(2, 2 + CELLS)]


def on(workers: int) -> Callable[[], Callable[[], list[ReceptiveField]]]:
    """Fit all cells on so many workers of a cluster here, or without one."""

    def prepare() -> Callable[[], list[ReceptiveField]]:
        movie, tasks = recordings()
        client = _client(workers) if workers else None

        def work() -> list[ReceptiveField]:
            start = time.perf_counter()
            found = fit_many(fit_receptive_field, tasks, shared={"stimulus": movie, "max_rank": 1}, client=client)
            _seconds[workers].append(time.perf_counter() - start)
            return found

        return work

    return prepare


def _client(workers: int) -> Any:
    import dask

    # As Dask starts them, workers give memory back after every tensor, which costs half of the speed.
    kept = {f"distributed.nanny.pre-spawn-environ.MALLOC_{what}_THRESHOLD_": KEPT for what in ("TRIM", "MMAP")}
    dask.config.set({**kept, "logging.distributed": "critical"})  # read when it is imported
    from distributed import Client, LocalCluster

    options = {"dashboard_address": ":0", "memory_limit": 0}
    return Client(LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **options))


def gain(_: object) -> str:
    """Best time of one worker over best time of two."""
    one, two = (min(_seconds[n], default=float("nan")) for n in (1, 2))
    return f"{one / two:.2f} times one worker (wanted: 1.6)"


CASES = [
    Case("in this process", on(0), CELLS * FRAMES),
    Case("one worker", on(1), CELLS * FRAMES),
    Case("two workers", on(2), CELLS * FRAMES, remark=gain),
]

if __name__ == "__main__":
    run_cases(CASES, TITLE)
