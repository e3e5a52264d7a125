"""Compiling where nothing can be cached, and sharing work between threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numba
import pytest
import torch

from convis_core.ops import compiled, integrate_and_fire_compiled
from convis_core.ops.compiled import compile_loop, share_work


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


def test_one_share_is_done_here_and_the_others_on_threads_of_their_own() -> None:
    seen: dict[int, str] = {}

    def note(share: int) -> None:
        seen[share] = threading.current_thread().name

    share_work(note, [(1,), (2,), (3,)])
    assert seen[1] == threading.current_thread().name
    assert all(seen[share].startswith("convis-loop") for share in (2, 3))


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


@pytest.mark.parametrize(("batch", "channels", "x", "y"), [(1, 1, 1, 1), (1, 1, 30, 31), (2, 3, 20, 20)])
def test_every_cell_belongs_to_exactly_one_share(batch: int, channels: int, x: int, y: int) -> None:
    borders = integrate_and_fire_compiled._borders(torch.empty(batch, channels, 1000, x, y, device="meta"))
    assert borders[0] == 0 and borders[-1] == x * y
    assert all(low < high for low, high in pairwise(borders))


def test_work_shared_inside_of_shared_work_is_done_in_place() -> None:
    done: list[tuple[int, int]] = []
    share_work(lambda a: share_work(lambda b: done.append((a, b)), [(k,) for k in range(9)]), [(k,) for k in range(9)])
    assert sorted(done) == [(a, b) for a in range(9) for b in range(9)]
