"""The cases that `make bench` finds."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.__main__ import HERE, collect
from benchmarks.case import measure
from tests.conftest import ROOT

SECTIONS, MODULES = collect()
LISTED = {title: [f"{title}: {case.name}" for case in cases] for title, cases in SECTIONS.items()}
SMALL = ("Gaussian blur", "FitzHugh-Nagumo", "normal noise", "LN 10x10x10 on 20x20, dt 500", "bipolar cells alone")


def test_every_file_is_collected_and_no_case_is_there_twice() -> None:
    assert len(SECTIONS) == len(MODULES) == len(list(HERE.glob("bench_*.py")))
    names = Counter((title, case.name) for title, cases in SECTIONS.items() for case in cases)
    assert max(names.values()) == 1


@pytest.mark.parametrize("name", SMALL)
def test_a_case_runs(name: str) -> None:
    (case,) = [c for cases in SECTIONS.values() for c in cases if c.name in (name, f"{name}, 50x50")]
    timing = measure(case, seconds=1e-9, warm_up=0, at_least=1)
    assert timing.calls == 1 and timing.best >= timing.median > 0


@pytest.mark.parametrize("path", sorted(HERE.glob("bench_*.py")), ids=lambda path: path.stem)
def test_each_file_runs_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if path.stem == "bench_estimation":
        request.getfixturevalue("shared")
    monkeypatch.setattr(sys, "argv", [path.name, "--list"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(path), run_name="__main__")
    assert stop.value.code == 0
    listed = capsys.readouterr().out
    assert listed.splitlines() == next(lines for title, lines in LISTED.items() if listed.startswith(title))


def test_the_whole_is_one_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == sum(map(len, SECTIONS.values()))
