"""Time what convis does, with warm-up and medians, and print one table.

A benchmark file lists `Case` objects and ends with ``run_cases(cases)``; it then takes
``--only WORD`` and ``--json FILE`` on its command line.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Parameters
    ----------
    name : str
        What the table says.
    prepare : callable
        Makes the data and returns the function to time, so that making it is not timed.
    frames : int
        Frames that one call processes.
    target : float, optional
        Frames per second it should reach.
    """

    name: str
    prepare: Callable[[], Callable[[], object]]
    frames: int
    target: float | None = None


@dataclass(frozen=True)
class Timing:
    """What was measured: seconds per call, and frames per second of the median and the best call."""

    name: str
    median_s: float
    best_s: float
    median_rate: float
    best_rate: float
    target: float | None


def measure(case: Case, *, seconds: float = 2.0, warm_up: int = 2, at_least: int = 5) -> Timing:
    """Call until `seconds` have passed, `at_least` times; the first `warm_up` calls do not count."""
    function = case.prepare()
    for _ in range(warm_up):
        function()
    durations: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(durations) < at_least:
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    median, best = statistics.median(durations), min(durations)
    return Timing(case.name, median, best, case.frames / median, case.frames / best, case.target)


def table(timings: Sequence[Timing]) -> str:
    """Write the timings as a table; a busy machine shows as a wide gap between median and best."""
    width = max(len(t.name) for t in timings)
    lines = [f"{'':{width}}  {'median':>12}  {'best':>12}  {'target':>10}   (frames per second)"]
    for t in timings:
        target = f"{t.target:10,.0f}" if t.target else " " * 10
        verdict = "" if not t.target else ("  reached" if t.median_rate >= t.target else "  below")
        lines.append(f"{t.name:{width}}  {t.median_rate:12,.0f}  {t.best_rate:12,.0f}  {target}{verdict}")
    return "\n".join(lines)


def run_cases(cases: Sequence[Case]) -> None:
    """Measure the cases asked for on the command line, print the table, write JSON if asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="run only the cases whose name contains this")
    parser.add_argument("--json", type=Path, help="also write the timings to this file")
    parser.add_argument("--seconds", type=float, default=2.0, help="time to spend on each case")
    arguments = parser.parse_args()
    chosen = [case for case in cases if arguments.only in case.name]
    if not chosen:
        parser.error(f"no case is called like {arguments.only!r}; there are: {', '.join(c.name for c in cases)}")
    timings = [measure(case, seconds=arguments.seconds) for case in chosen]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor() or platform.machine()}")
    print(table(timings))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(t) for t in timings], indent=2) + "\n")
