"""The code in the README and the guide runs as it stands there."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convis_core as convis
from tests.conftest import ROOT


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL)


def run(*sources: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "document"}
    for source in sources:
        exec(compile(source, "document", "exec"), names)
    return names


def test_the_readme_s_tour_of_the_core_runs(capsys: pytest.CaptureFixture[str]) -> None:
    core = [block for block in blocks("README.md") if "convis_widgets" not in block]
    assert len(core) == 4
    run(*core)
    shown = capsys.readouterr().out
    assert "spikes a second" in shown
    assert "sigma_center" in shown.splitlines()[-1]


def test_the_guide_s_filter_is_a_filter() -> None:
    low_pass = run(blocks("CONTRIBUTING.md")[0])["LowPass"]
    example = doctest.DocTestFinder().find(low_pass, "LowPass", module=False, globs={"LowPass": low_pass})[0]
    assert doctest.DocTestRunner().run(example).failed == 0
    frames = np.random.default_rng(0).normal(size=(30, 3, 2))
    np.testing.assert_allclose(low_pass().run(frames, dt=7).array(), low_pass().run(frames).array(), rtol=1e-5)


def test_the_guide_s_stream_is_a_stream() -> None:
    flicker = run(blocks("CONTRIBUTING.md")[1])["Flicker"]
    shown = convis.filters.NLRectify().run(flicker(), dt=3, max_t=10)
    assert shown.array()[0, 0, :, 0, 0].tolist() == [0.0, 1.0] * 5


def test_the_guide_s_filter_and_stream_work_where_it_says_that_they_belong(tmp_path: Path) -> None:
    """A file of the package may not import from the package's top, which imports it."""
    package = tmp_path / "convis_core"
    shutil.copytree(ROOT / "convis_core", package, ignore=shutil.ignore_patterns("__pycache__"))
    for room, name, source in zip(
        ("filters", "streams"), ("LowPass", "Flicker"), blocks("CONTRIBUTING.md"), strict=True
    ):
        (package / room / f"{name.lower()}.py").write_text(source)
        exports = package / room / "__init__.py"
        exports.write_text(f"{exports.read_text()}\nfrom convis_core.{room}.{name.lower()} import {name}\n")
    use = (
        "import convis_core as convis\n"
        "shown = convis.filters.LowPass().run(convis.streams.Flicker(), max_t=4)\n"
        "print(shown.array().shape, convis.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", use], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split(") ") == ["(1, 1, 4, 20, 20", f"{package / '__init__.py'}\n"], done.stderr
