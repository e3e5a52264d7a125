"""The documentation builds without a warning, and its pages need nothing from elsewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from convis_docs.mathml import mathml
from convis_docs.public import namespaces
from docutils import nodes

from convis_core import registered_layers
from convis_core.parameter_tree import handles
from tests.conftest import ROOT

OUTSIDE = re.compile(r"<(?:script|link|img|iframe|source)[^>]+(?:src|href)=[\"']?(?:https?:)?//[^>]+>")
TAGS = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-j", "auto", "-d", str(folder / "doctrees")]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


def text(page: Path) -> str:
    return " ".join(html.unescape(TAGS.sub(" ", page.read_text(encoding="utf-8"))).split())


def test_every_public_name_can_be_found_and_linked_to(site: Path) -> None:
    for space in namespaces():
        overview = (site / "made" / "api" / f"{space.name}.html").read_text(encoding="utf-8")
        for entry in space.entries:
            page = (site / "made" / "api" / f"{entry.home}.html").read_text(encoding="utf-8")
            assert f'id="{entry.home}"' in page
            assert f'href="{entry.home}.html"' in overview


def test_layers_have_their_parameters_on_their_pages(site: Path) -> None:
    homes = {id(entry.value): entry.home for space in namespaces() for entry in space.entries}
    for layer in registered_layers():
        if id(layer) in homes:
            shown = text(site / "made" / "api" / f"{homes[id(layer)]}.html")
            for name, handle in handles(layer(**layer.example_arguments)).items():
                assert name in shown and handle.doc in shown, (layer, name)


def test_a_parameter_is_rendered_with_its_source_and_its_key(site: Path) -> None:
    shown = text(site / "made" / "api" / "convis_core.filters.CentreSurroundFilter.html")
    row = "sigma_center 0.05 deg 0.001 to 10 0.02 to 0.2 (log) standard deviation of the centre Gaussian"
    origin = "doi:10.1016/0042-6989(65)90033-7 Virtual Retina: outer-plexiform-layer.linear-version.center-sigma__deg"
    assert f"{row} {origin}" in shown


def test_equations_are_drawn_by_the_browser_alone(site: Path) -> None:
    page = (site / "made" / "api" / "convis_core.retina.Bipolar.html").read_text(encoding="utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert "mathjax" not in page.lower()


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert OUTSIDE.findall(page.read_text(encoding="utf-8")) == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_the_guide_leads_everywhere(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.stem == "index" or f'href="{path.stem}.html"' in front
    for place in (
        "made/notebooks/index",
        "made/notebooks/stimuli",
        "made/api/index",
        "made/api/convis_core.filters",
        "made/changelog",
    ):
        assert f'href="{place}.html"' in front


def test_names_in_a_text_are_links(site: Path) -> None:
    page = (site / "made" / "api" / "convis_core.filters.CentreSurroundFilter.html").read_text(encoding="utf-8")
    assert 'href="convis_core.Layer.html#convis_core.Layer"' in page
    assert 'href="convis_core.Resolution.html#convis_core.Resolution"' in page


def test_variables_of_an_equation_are_no_links(site: Path) -> None:
    page = (site / "made" / "api" / "convis_core.filters.spiking.HodgkinHuxley.html").read_text(encoding="utf-8")
    assert "#convis_core.Layer.m" not in page  # its gate m is not the tree of parts


def test_an_equation_that_cannot_be_drawn_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'docs')!r})\n"
        "extensions, html_math_renderer = ['convis_docs.mathml'], 'mathml'\nhtml_theme = 'basic'\n"
    )
    (tmp_path / "index.rst").write_text("Title\n=====\n\n.. math:: \\nosuchcommand{x}\n")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", str(tmp_path), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode != 0
    assert "cannot be read" in built.stderr and "index.rst:4" in built.stderr


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\Big(x\big)", "<mo>(</mo>"),
        (r"x_1, \dots", "…"),
        (r"\begin{aligned}a &= b\\ c &= d\end{aligned}", 'class="ams-align"'),
        (r"\bigcup_k A_k", "⋃"),
    ],
)
def test_what_authors_like_to_write_is_understood(tex: str, shown: str) -> None:
    assert shown in "".join(mathml(nodes.math_block(tex, tex), block=True).split("\n")).replace(' stretchy="false"', "")
