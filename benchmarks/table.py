"""The one table of what was measured, a line at a time, beside what others reach."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.case import MOST_OVERHEAD, Case, Timing

__all__ = ["Table"]

NUMBERS = ("median", "best", "wanted")
OTHERS = ("convis 0.6", "Virtual Retina", "torch by hand")


class Table:
    """Columns wide enough for all the cases; a busy machine shows as a gap between median and best."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.width = max([len("case"), *(len(case.name) + 2 for case in cases)])

    def header(self) -> str:
        """Name the columns; every number is in frames per second."""
        numbers = "".join(f"{name:>10}" for name in NUMBERS)
        others = "".join(f"{name:>15}" for name in OTHERS)
        above = f"{'':{self.width}}{'frames per second':>30}{'':10}{'what others reach':>45}"
        names = f"{'case':{self.width}}{numbers}{'':10}{others}"
        return f"{above}\n{names}\n{'-' * len(names)}"

    def section(self, title: str) -> str:
        """Set a title above some lines."""
        return f"\n{title}"

    def line(self, timing: Timing) -> str:
        """Tell one case, with a second line where there is something to say on its quality."""
        case, name = timing.case, f"  {timing.case.name}"
        if timing.error:
            return f"{name:{self.width}}  failed: {timing.error}"
        numbers = "".join(f"{grouped(rate):>10}" for rate in (timing.median, timing.best, case.wanted))
        verdict = {None: "", True: "reached", False: "below"}[timing.reached]
        others = "".join(f"{text:>15}" for text in (case.convis, case.virtual_retina, grouped(timing.by_hand)))
        text = f"{name:{self.width}}{numbers}  {verdict:8}{others}".rstrip()
        remarks = [timing.remark] if timing.remark else []
        if timing.overhead is not None:
            longer = "longer" if timing.overhead >= 0.0 else "shorter"
            remarks.append(
                f"{abs(timing.overhead):.1%} {longer} than in one call (wanted: at most {MOST_OVERHEAD:.0%})"
            )
        return "\n    ".join([text, *remarks])

    def summary(self, timings: Sequence[Timing]) -> str:
        """Count what was reached, and name what was not."""
        wanted = [timing for timing in timings if timing.reached is not None]
        below = [timing.case.name for timing in wanted if not timing.reached]
        failed = [timing.case.name for timing in timings if timing.error]
        reached = len(wanted) - len(below)
        lines = [f"{reached} of {len(wanted)} cases are as fast as wanted."] if wanted else []
        lines += [f"Below: {', '.join(below)}."] if below else []
        lines += [f"Failed: {', '.join(failed)}."] if failed else []
        return "\n".join(lines)


def grouped(rate: float | None) -> str:
    """Write a rate with its thousands apart: 12 345; nothing where there is none."""
    return "" if rate is None else f"{rate:,.0f}".replace(",", " ")
