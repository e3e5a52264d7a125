"""Run benchmarks from the command line: those of one file, or all of them in one table.

A benchmark file has a ``TITLE``, a list ``CASES``, and ends with ``run_cases(CASES, TITLE)``.
``python -m benchmarks`` finds it by its name, ``bench_*.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.apart import attempts_in
from benchmarks.case import Case, Timing
from benchmarks.results import machine, write_json
from benchmarks.table import Table

__all__ = ["Case", "main", "run_cases"]


def run_cases(cases: Sequence[Case], title: str) -> None:
    """Run the cases of one file as the command line says, and exit."""
    sys.exit(main({title: cases}))


def main(
    sections: Mapping[str, Sequence[Case]],
    arguments: Sequence[str] | None = None,
    *,
    json: Path | None = None,
    modules: Mapping[str, str] | None = None,
) -> int:
    """Measure what the command line asks for, print the table, write JSON; 1 where a case failed.

    Parameters
    ----------
    sections : mapping of title to cases
        All there is.
    arguments : sequence of str, optional
        Those of the program if not given.
    json : path, optional
        Where results go if the command line does not say.
    modules : mapping of title to module, optional
        Sections that are measured in a process of their own, which imports that module.
    """
    parser = argparse.ArgumentParser(description="Time what convis does; rates are frames per second.")
    parser.add_argument("--list", action="store_true", help="name the cases and run none")
    parser.add_argument("--only", default="", metavar="WORDS", help="run only the cases with this in name or title")
    parser.add_argument("--seconds", type=float, default=2.0, help="time to spend on each case (default 2)")
    parser.add_argument("--json", type=Path, default=json, metavar="FILE", help="write the results to this file")
    options = parser.parse_args(arguments)
    if not options.seconds > 0:
        parser.error(f"--seconds must be above 0, got {options.seconds:g}")
    chosen = matching(sections, options.only)
    if not chosen:
        parser.error(f"no case is called like {options.only!r}; --list shows all there are")
    if options.list:
        print(*(f"{title}: {case.name}" for title, cases in chosen.items() for case in cases), sep="\n")
        return 0
    return _run(chosen, options.seconds, options.json, modules or {})


def matching(sections: Mapping[str, Sequence[Case]], words: str) -> dict[str, list[Case]]:
    """Cases with these words in their name or their section's title, whatever the capitals."""
    wanted = words.lower()
    found = {
        title: [case for case in cases if wanted in f"{title}: {case.name}".lower()]
        for title, cases in sections.items()
    }
    return {title: cases for title, cases in found.items() if cases}


def _run(sections: Mapping[str, Sequence[Case]], seconds: float, json: Path | None, modules: Mapping[str, str]) -> int:
    where = machine()
    table = Table([case for cases in sections.values() for case in cases])
    print(f"{where['processor']}, {where['threads']} threads, torch {where['torch']}, load {where['load']}\n")
    print(table.header(), flush=True)
    done: dict[str, list[Timing]] = {}
    try:
        for title, cases in sections.items():
            print(table.section(title), flush=True)
            with attempts_in(modules.get(title)) as attempt:
                for case in cases:
                    timing = attempt(case, seconds)
                    done.setdefault(title, []).append(timing)
                    print(table.line(timing), flush=True)
    except KeyboardInterrupt:
        print("\nInterrupted; what was measured is kept.")
    timings = [timing for some in done.values() for timing in some]
    print(f"\n{table.summary(timings)}")
    if json:
        write_json(json, done, where)
        print(f"Written to {json}.")
    return int(any(timing.error for timing in timings))
