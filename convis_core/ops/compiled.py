"""Compiled loops over time: how they are built, and how they share the processor.

Kernels run without Python's lock and are spread over threads of our own. Numba's own
parallel loops are avoided: they take several times longer to compile, and some of their
thread pools abort the process when two threads start one, as a live view beside a
notebook cell does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import numba
import torch

__all__ = ["compile_loop", "compile_sums", "cut", "share_work"]

_inside = threading.local()
_TINY = 1e-160  # its square has no digits left


def compile_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop on its first call; keep the machine code on disk where that is possible.

    Examples
    --------
    >>> @compile_loop
    ... def triangle(n):
    ...     total = 0
    ...     for i in range(n):
    ...         total += i
    ...     return total
    >>> triangle(5)
    10
    """
    return _compile(function)


def compile_sums(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop that adds up numbers, in whatever order is fastest.

    Examples
    --------
    >>> @compile_sums
    ... def total(values):
    ...     result = 0.0
    ...     for value in values:
    ...         result += value
    ...     return result
    >>> total(torch.ones(3).numpy())
    3.0
    """
    return _compile(function, fastmath={"contract", "nsz", "reassoc"})


def _compile(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:  # neither the package nor the user has a folder to write to
        compiled = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return compiled


def share_work(function: Callable[..., object], tasks: Sequence[tuple[Any, ...]]) -> None:
    """Call a function that releases Python's lock for every tuple of arguments, side by side.

    Whichever thread is free takes the next, and nobody waits for one that has not begun. What torch computes in a
    task gets its part of the threads only, for more threads than processors wait for one another. Numbers too small
    to have all their digits (below 1e-38 in single precision) count as 0: what a cell remembers fades to them in the
    dark, and many processors calculate with them thirty times as slowly.

    Examples
    --------
    >>> done = []
    >>> share_work(lambda n: done.append(n), [(1,), (2,)])
    >>> sorted(done)
    [1, 2]
    """
    left = iter(tasks)  # of a list: it hands out each of them once, whichever thread asks
    threads = torch.get_num_threads()
    alone = getattr(_inside, "a_task", False)  # a task that waited for others could wait for ever
    n_others = 0 if alone else min(len(tasks), threads) - 1

    def work() -> None:
        if n_others > 0:
            torch.get_num_threads()  # a thread's first question sets its number to the default
            torch.set_num_threads(threads // (n_others + 1))
        flushes = _TINY * _TINY == 0.0  # a setting of each thread, and the caller's own in this one
        torch.set_flush_denormal(True)
        try:
            for task in left:
                function(*task)
        finally:
            torch.set_flush_denormal(flushes)

    others = [_pool().submit(work) for _ in range(n_others)]
    try:
        work()  # here, for this thread would only wait
    finally:
        begun = [other for other in others if not other.cancel()]
        wait(begun)
        if n_others > 0:
            torch.set_num_threads(threads)  # also the default for threads made from now on, which `work` changed
    for other in begun:
        other.result()


def cut(n: int, work: int, worth: int, planes: int = 1) -> list[tuple[int, int]]:
    """Cut `n` cells into pieces for `share_work`: one for each thread, if there is enough to do.

    Not more, for the loops go through memory step by step, and the slower the narrower a piece is.

    Parameters
    ----------
    n : int
        Cells of a plane.
    work : int
        Cell-steps of all planes.
    worth : int
        Cell-steps for which it is worth to wake a thread.
    planes : int
        Planes that are cut alike.

    Returns
    -------
    list of (int, int)
        First cell of each piece and the one after its last.

    Examples
    --------
    >>> cut(10, work=1_000, worth=50_000)
    [(0, 10)]
    """
    threads = min(torch.get_num_threads(), work // worth)
    pieces = 1 if threads < 2 else max(1, min(-(-threads // planes), n))
    return [(n * k // pieces, n * (k + 1) // pieces) for k in range(pieces)]


@cache
def _pool() -> ThreadPoolExecutor:
    others = max(1, torch.get_num_threads() - 1)  # besides the one that shares its work
    return ThreadPoolExecutor(others, "convis-loop", lambda: setattr(_inside, "a_task", True))


if hasattr(os, "register_at_fork"):  # the threads stay behind in the parent
    os.register_at_fork(after_in_child=_pool.cache_clear)
