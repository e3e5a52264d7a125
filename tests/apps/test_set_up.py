"""The set-up of ``make run`` and ``make test`` tells a newcomer what is missing, without a trace of the shell's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The set-up's own files, alone."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    return tmp_path


def set_up(checkout: Path, python: Path | str = "python3") -> tuple[int, str]:
    """Exit status and what is said on standard error."""
    done = subprocess.run(
        [checkout / ".ci" / "python-environment"],
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def stand_in(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_without_python_it_says_what_to_install(checkout: Path) -> None:
    status, said = set_up(checkout, "no-such-python")
    assert (status, said.splitlines()) == (
        1,
        ["no-such-python was not found. Install Python 3.11 or newer, or name it: make PYTHON=python3.12 ..."],
    )


def test_an_old_python_is_refused_by_its_version(checkout: Path, tmp_path: Path) -> None:
    old = stand_in(tmp_path / "old-python", 'if [ "$1" = -V ]; then echo Python 3.9.18; else exit 1; fi')
    status, said = set_up(checkout, old)
    assert status == 1 and "need Python 3.11 or newer" in said and "is Python 3.9.18" in said


def test_where_packages_cannot_be_had_it_says_that_nothing_is_lost(checkout: Path) -> None:
    stand_in(
        checkout / ".venv" / "bin" / "python",
        'case "$*" in *--version) exit 0;; *) echo "ERROR: no such host" >&2; exit 1;; esac',
    )
    status, said = set_up(checkout)
    assert status == 1
    assert said.splitlines()[0] == "ERROR: no such host", "pip's own words come first"
    assert len(said.splitlines()) == 2 and "needs the network once" in said
