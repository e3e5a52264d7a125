"""All benchmarks in one table: ``python -m benchmarks``; results go to ``benchmarks/results.json`` too."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.harness import Case, main

HERE = Path(__file__).parent


def collect() -> dict[str, Sequence[Case]]:
    """Cases of every file ``bench_*.py``, by its title."""
    modules = [import_module(f"benchmarks.{path.stem}") for path in sorted(HERE.glob("bench_*.py"))]
    return {module.TITLE: module.CASES for module in modules}


if __name__ == "__main__":
    sys.exit(main(collect(), json=HERE / "results.json"))
