"""Each section measured in a process of its own: threads and memory that one leaves behind must not slow another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import fields
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from benchmarks.case import Case, Timing, measure

__all__ = ["Attempt", "attempt", "attempts_in"]

Attempt = Callable[[Case, float], Timing]


def attempt(case: Case, seconds: float) -> Timing:
    """Measure one case; one that fails must not take the others' results with it."""
    try:
        return measure(case, seconds=seconds)
    except Exception as error:
        return Timing(case, error=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")


@contextmanager
def attempts_in(module: str | None) -> Iterator[Attempt]:
    """Give what measures the cases of a benchmark file, in a new process if its module is named."""
    if module is None:
        yield attempt
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:

        def ask(case: Case, seconds: float) -> Timing:
            try:
                return Timing(case, **process.submit(_numbers, module, case.name, seconds).result())
            except BrokenProcessPool:
                return Timing(case, error="its process died, or that of a case before it")

        yield ask


def _numbers(module: str, name: str, seconds: float) -> dict[str, Any]:
    """Measure the case of that name; what it holds of functions stays in the process."""
    (case,) = [case for case in import_module(module).CASES if case.name == name]
    timing = attempt(case, seconds)
    return {field.name: getattr(timing, field.name) for field in fields(timing) if field.name != "case"}
