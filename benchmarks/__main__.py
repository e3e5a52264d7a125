"""All benchmarks in one table: ``python -m benchmarks``; results go to ``benchmarks/results.json`` too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.harness import Case, main

HERE = Path(__file__).parent


def collect() -> tuple[dict[str, Sequence[Case]], dict[str, str]]:
    """Cases of every file ``bench_*.py``, and its module, by its title."""
    modules = [import_module(f"benchmarks.{path.stem}") for path in sorted(HERE.glob("bench_*.py"))]
    return {m.TITLE: m.CASES for m in modules}, {m.TITLE: m.__name__ for m in modules}


if __name__ == "__main__":
    cases, modules = collect()
    sys.exit(main(cases, json=HERE / "results.json", modules=modules))
