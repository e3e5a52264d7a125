"""Every block of Python in the documentation runs, page by page from top to bottom."""

from __future__ import annotations

import ast
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from tests.conftest import ROOT

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```python( +\S+)?\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")
named = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@named
def test_its_code_runs_and_prints_nothing_that_is_hard_to_read(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blocks marked ``python notebook`` need a page in Jupyter and are run by the notebooks."""
    text = path.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "documentation"}
    for block in BLOCK.finditer(text):
        if (block[1] or "").strip() != "notebook":
            above = "\n" * text[: block.start(2)].count("\n")  # so that an error names the line of the page
            exec(compile(above + block[2], str(path), "exec"), names)
    assert "convis" in names, "a page without code that runs"
    assert re.findall(r"\d\.\d{9,}", capsys.readouterr().out) == []


@named
def test_a_cell_shows_all_that_it_makes_to_be_shown(path: Path) -> None:
    """A widget that is made on a line before the last plays on, unseen."""
    for block in BLOCK.finditer(path.read_text(encoding="utf-8")):
        *before, _ = ast.parse(block[2]).body
        calls = [line.value.func for line in before if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)]
        unseen = [ast.unparse(call) for call in calls]
        assert not {"convis_widgets.explore", "convis_widgets.fit_explorer"} & {*unseen}, block[2]


@named
def test_its_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
