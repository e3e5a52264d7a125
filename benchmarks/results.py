"""What was measured as JSON, with the machine it was measured on."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.case import Timing
from convis_core.files import atomic_path

__all__ = ["machine", "write_json"]


def machine() -> dict[str, Any]:
    """Describe where and when; `load` is the number of other programs that were running."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def processor() -> str:
    """Name the processor; Linux alone does not tell Python its model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def write_json(path: Path, sections: Mapping[str, Sequence[Timing]], where: Mapping[str, Any]) -> None:
    """Write every case with its rates in frames per second."""
    cases = [_entry(title, timing) for title, timings in sections.items() for timing in timings]
    with atomic_path(path) as draft:
        draft.write_text(json.dumps({"machine": where, "cases": cases}, indent=2) + "\n", encoding="utf-8")


def _entry(section: str, timing: Timing) -> dict[str, Any]:
    case = timing.case
    return {
        "section": section,
        "case": case.name,
        "frames": case.frames,
        "median": timing.median,
        "best": timing.best,
        "wanted": case.wanted,
        "reached": timing.reached,
        "calls": timing.calls,
        "one_call": timing.one_call,
        "overhead": timing.overhead,
        "others": {
            "convis": case.convis or None,
            "virtual_retina": case.virtual_retina or None,
            "torch_by_hand": timing.by_hand,
        },
        "remark": timing.remark,
        "error": timing.error,
    }
