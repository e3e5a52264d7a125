"""In CI nothing is skipped for a missing browser, node or shared folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SKIPPING = """
import pytest

def test_skips():
    pytest.skip({reason!r})

def test_needs_the_folder(shared):
    pass
"""


@pytest.mark.parametrize(
    ("reason", "ci", "outcome"),
    [
        ("no browser: install chromium", "true", "1 failed, 1 error"),
        ("no GPU in this machine", "true", "1 skipped, 1 error"),
        ("no browser: install chromium", "", "2 skipped"),
    ],
)
def test_what_ci_needs_may_not_be_skipped(reason: str, ci: str, outcome: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]")  # not the project's own settings, whose plugins take seconds
    (tmp_path / "test_skipping.py").write_text(SKIPPING.format(reason=reason))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"CI": ci, "CONVIS_SHARED": str(tmp_path / "absent"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert f" {outcome} in" in done.stdout.splitlines()[-1], done.stdout
    assert done.returncode == (1 if "error" in outcome else 0)
