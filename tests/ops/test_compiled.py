"""Compiling where nothing can be cached, and sharing work between threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numba
import pytest
import torch

from convis_core.ops import compiled
from convis_core.ops.compiled import compile_loop, cut, share_work


def test_without_a_folder_for_the_cache_it_still_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def no_locator(*args: Any, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*args, **options)

    monkeypatch.setattr(numba, "njit", no_locator)
    assert compile_loop(lambda n: n + 1)(2) == 3


def test_an_error_in_a_share_reaches_the_caller() -> None:
    def fail(n: int) -> None:
        if n == 2:
            raise ValueError("share 2")

    with pytest.raises(ValueError, match="share 2"):
        share_work(fail, [(1,), (2,), (3,)])


def test_work_is_done_here_and_on_threads_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    both, names = threading.Barrier(2, timeout=10.0), set()

    def meet() -> None:
        both.wait()  # each of two pieces waits for the other: one thread alone would wait for ever
        names.add(threading.current_thread().name)

    share_work(meet, [(), ()])
    assert threading.current_thread().name in names
    assert any(name.startswith("convis-loop") for name in names)


def test_torch_has_its_part_of_the_threads_in_a_task_and_all_of_them_again_after_it() -> None:
    before, both, seen = torch.get_num_threads(), threading.Barrier(2, timeout=10.0), []

    def meet() -> None:
        both.wait()
        seen.append(torch.get_num_threads())

    try:
        torch.set_num_threads(5)
        share_work(meet, [(), ()])
        assert seen == [2, 2] and torch.get_num_threads() == 5
        newcomer = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        newcomer.start()
        newcomer.join()
        share_work(lambda: seen.append(torch.get_num_threads()), [()])  # alone it has them all
        assert seen[2:] == [5, 5]
    finally:
        torch.set_num_threads(before)


def test_nobody_waits_for_a_thread_that_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    released, done = threading.Event(), []
    busy = [compiled._pool().submit(released.wait, 10.0) for _ in range(compiled._pool()._max_workers)]
    try:
        share_work(done.append, [(k,) for k in range(9)])
        assert done == list(range(9)) and not any(other.done() for other in busy)
    finally:
        released.set()


def test_one_thread_is_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    names = set()
    share_work(lambda _: names.add(threading.current_thread().name), [(k,) for k in range(9)])
    assert names == {threading.current_thread().name}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_makes_threads_of_its_own() -> None:
    code = (
        "import os, sys\n"
        "from convis_core.ops.compiled import share_work\n"
        "done = []\n"
        "share_work(done.append, [(1,), (2,)])\n"
        "child = os.fork()\n"
        "share_work(done.append, [(3,), (4,)])\n"
        "if child == 0:\n"
        "    os._exit(0 if sorted(done) == [1, 2, 3, 4] else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    root = Path(compiled.__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("n", [1, 2, 5, 930])
@pytest.mark.parametrize("planes", [1, 6, 100])
def test_every_cell_belongs_to_exactly_one_piece(n: int, planes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    pieces = cut(n, work=1_000_000, worth=50_000, planes=planes)
    assert [low for low, _ in pieces] == [0, *(high for _, high in pieces[:-1])] and pieces[-1][1] == n
    assert all(low < high for low, high in pieces)
    assert len(pieces) == (min(n, 2) if planes == 1 else 1)


def test_little_work_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert cut(100, work=99_999, worth=50_000) == [(0, 100)] != cut(100, work=100_000, worth=50_000)


def test_work_shared_inside_of_shared_work_is_done_in_place() -> None:
    done: list[tuple[int, int]] = []
    share_work(lambda a: share_work(lambda b: done.append((a, b)), [(k,) for k in range(9)]), [(k,) for k in range(9)])
    assert sorted(done) == [(a, b) for a in range(9) for b in range(9)]


@pytest.mark.parametrize("wanted", [False, True])
def test_numbers_too_small_to_have_all_their_digits_are_0_in_every_task_and_nowhere_else(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    tiny = torch.full((3,), 1e-30)
    both, seen = threading.Barrier(2, timeout=10.0), []

    def multiply() -> None:
        both.wait()
        seen.append(bool((tiny * tiny.new_tensor(1e-10) == 0).all()))

    torch.set_flush_denormal(wanted)
    try:
        share_work(multiply, [(), ()])
        assert seen == [True, True]
        assert bool((tiny * 1e-10 == 0).all()) == wanted, "what the caller had chosen"
        with pytest.raises(ZeroDivisionError):
            share_work(lambda: 1 / 0, [()])  # type: ignore[arg-type]
        assert bool((tiny * 1e-10 == 0).all()) == wanted
    finally:
        torch.set_flush_denormal(False)
