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
from convis_widgets.live.front_end import STATIC
from tests.conftest import ROOT
from tests.streams import test_laws as laws


def blocks(document: str, language: str = "python") -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


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
    made = flicker(5)  # the laws of `tests/streams/test_laws.py`
    laws.test_it_says_what_it_holds(made)
    laws.test_after_the_end_there_is_nothing(made)
    laws.test_no_frames_may_be_asked_for_but_not_fewer(made)
    laws.test_places_outside_are_refused(made, -1)
    laws.test_what_was_read_is_not_changed_by_reading_on(made)
    made.seek(1)
    assert made.get(3)[0, 0, :, 4, 4].tolist() == [1.0, 0.0, 1.0]


def test_the_guide_s_view_is_a_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    static = shutil.copytree(STATIC, tmp_path / "static")
    (static / "level.js").write_text("export default {};")
    monkeypatch.setattr("convis_widgets.live.front_end.STATIC", static)
    view = run(blocks("CONTRIBUTING.md")[2])["Level"]()
    for chunk in convis.filters.NLRectify().stream(np.array([1.0, 1.0, 2.0, 4.0]), dt=2):
        view.on_chunk(chunk)
    assert view.snapshot().fields["mean"] == 3.0
    view.close()


def test_the_guide_s_view_is_built_and_its_types_are_right(tmp_path: Path) -> None:
    tools = ROOT / "js" / "node_modules"
    if not tools.is_dir():
        pytest.skip("the front end's tools are not installed")
    front = shutil.copytree(ROOT / "js", tmp_path / "js", ignore=shutil.ignore_patterns("node_modules", "test"))
    (front / "node_modules").symlink_to(tools)
    (front / "src" / "level.ts").write_text(blocks("CONTRIBUTING.md", "typescript")[0], encoding="utf-8")
    build = (front / "build.mjs").read_text()
    (front / "build.mjs").write_text(build.replace('const entries = ["', 'const entries = ["level", "'))
    for command in (["npx", "tsc", "--noEmit"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=front, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "convis_widgets" / "static" / "level.js").is_file()


def test_the_guide_s_filter_and_stream_work_where_it_says_that_they_belong(tmp_path: Path) -> None:
    """A file of the package may not import from the package's top, which imports it."""
    package = tmp_path / "convis_core"
    shutil.copytree(ROOT / "convis_core", package, ignore=shutil.ignore_patterns("__pycache__"))
    for room, name, source in zip(
        ("filters", "streams"), ("LowPass", "Flicker"), blocks("CONTRIBUTING.md")[:2], strict=True
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
