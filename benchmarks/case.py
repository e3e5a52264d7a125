"""One thing to time, and how it is timed: warmed up, many times, with the median and the best."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["MOST_OVERHEAD", "Case", "Timing", "measure"]

MOST_OVERHEAD = 0.1
"""How much longer a run in chunks may take than one in one call."""

Prepare = Callable[[], Callable[[], Any]]


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
    wanted : float, optional
        Frames per second it should reach.
    convis, virtual_retina : str
        Frames per second of the original convis and of the C++ Virtual Retina on such a machine,
        as the table shows them.
    by_hand : callable, optional
        As `prepare`, for the same work written by hand with torch's own operations; it is timed
        in turns with the case, so that what else the machine does weighs on both alike.
    one_call : callable, optional
        As `prepare`, for the same work without chunks, timed in turns too. The case is then to take
        at most `MOST_OVERHEAD` longer.
    remark : callable, optional
        Makes a line on quality of what the function returned.
    slow : bool
        A call takes so long that one has to do.
    """

    name: str
    prepare: Prepare
    frames: int
    wanted: float | None = None
    convis: str = ""
    virtual_retina: str = ""
    by_hand: Prepare | None = None
    one_call: Prepare | None = None
    remark: Callable[[Any], str] | None = None
    slow: bool = False


@dataclass(frozen=True)
class Timing:
    """What was measured, in frames per second of the median and of the best call; `error` where it failed."""

    case: Case
    median: float = 0.0
    best: float = 0.0
    by_hand: float | None = None
    one_call: float | None = None
    calls: int = 0
    remark: str = ""
    error: str = ""

    @property
    def overhead(self) -> float | None:
        """Share that the case takes longer than one call; None where there is no such comparison."""
        return self.one_call / self.median - 1.0 if self.one_call and self.median else None

    @property
    def reached(self) -> bool | None:
        """Whether the median is what is wanted; None where nothing is."""
        if self.case.one_call:
            return self.overhead is not None and self.overhead <= MOST_OVERHEAD
        return None if self.case.wanted is None else not self.error and self.median >= self.case.wanted


def measure(case: Case, *, seconds: float = 2.0, warm_up: int = 2, at_least: int = 5) -> Timing:
    """Call until `seconds` have passed, `at_least` times; the first `warm_up` calls do not count.

    A slow case is called once.
    """
    if case.slow:
        seconds, warm_up, at_least = 0.0, 0, 1
    makers = {"median": case.prepare, "by_hand": case.by_hand, "one_call": case.one_call}
    functions = {name: make() for name, make in makers.items() if make}
    for function in [*functions.values()] * warm_up:
        function()
    durations: dict[str, list[float]] = {name: [] for name in functions}
    answer: Any = None
    until = time.perf_counter() + seconds * len(functions)
    while time.perf_counter() < until or len(durations["median"]) < at_least:
        for name, function in functions.items():
            start = time.perf_counter()
            result = function()
            durations[name].append(time.perf_counter() - start)
            answer = result if name == "median" else answer
    return Timing(
        case,
        **{name: case.frames / statistics.median(times) for name, times in durations.items()},
        best=case.frames / min(durations["median"]),
        calls=len(durations["median"]),
        remark=case.remark(answer) if case.remark else "",
    )
