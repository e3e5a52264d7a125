"""What the reference says is what the declarations say, and nothing public is missing from it."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
from convis_docs.command_line import command_line
from convis_docs.guide import pages, written
from convis_docs.made import write_pages
from convis_docs.parameter_table import declarations, parameter_table, state_table, virtual_retina_keys
from convis_docs.public import namespaces
from convis_docs.reference import reference

import convis_core
from convis_core import filters, models, registered_layers
from tests.conftest import ROOT

SPACES = namespaces()
ENTRIES = {entry.path: entry for space in SPACES for entry in space.entries}


def public(path: str, module: ModuleType) -> set[str]:
    """Walk through ``__all__`` as a reader of the source would."""
    found: set[str] = set()
    for name in module.__all__:
        value = getattr(module, name)
        found |= public(f"{path}.{name}", value) if isinstance(value, ModuleType) else {f"{path}.{name}"}
    return found


@pytest.mark.parametrize("root", ["convis_core", "convis_core.plotting", "convis_widgets"])
def test_every_public_name_has_a_page_or_names_the_page_of_its_other_name(root: str) -> None:
    written_pages = reference()
    for path in public(root, importlib.import_module(root)):
        assert f"api/{ENTRIES[path].home}.rst" in written_pages, path
        assert ENTRIES[path].name in written_pages[f"api/{ENTRIES[path].namespace}.rst"], path


def test_every_layer_is_public() -> None:
    documented = {id(entry.value) for entry in ENTRIES.values()}
    ours = [layer for layer in registered_layers() if layer.__module__.startswith("convis_core.")]
    assert [layer.__name__ for layer in ours if id(layer) not in documented] == []


def test_an_alias_leads_to_the_name_that_the_class_has() -> None:
    assert ENTRIES["convis_core.models.LNSN"].home == "convis_core.models.LNLN"
    assert ENTRIES["convis_core.models.Retina"].home == "convis_core.retina.Retina"
    assert ENTRIES["convis_core.fit_receptive_field"].home == "convis_core.estimation.fit_receptive_field"
    assert not ENTRIES["convis_core.models.RF"].is_alias  # there is another RF among the filters


def test_nothing_public_is_silent() -> None:
    assert [page for page, text in reference().items() if "No documentation." in text] == []


@pytest.mark.parametrize("layer", registered_layers(), ids=lambda layer: layer.__name__)
def test_a_table_has_a_row_for_each_parameter(layer: type[convis_core.Layer]) -> None:
    text = "\n".join(parameter_table(layer))
    declared = declarations(layer)
    assert text.count("   * - ") == len(declared) + bool(declared)
    for name, declaration in declared.items():
        (row,) = [part for part in text.split("   * - ") if part.startswith(f"``{name}``")]
        assert f"- {declaration.doc}" in row
        assert f"     - {declaration.unit}".rstrip() in row.splitlines()
        assert declaration.key in row and declaration.citation in row


def test_a_row_says_all_that_is_declared() -> None:
    lines = [line.strip() for line in parameter_table(filters.CentreSurroundFilter)]
    at = lines.index("* - ``tau_center``")
    assert lines[at + 1 : at + 6] == [
        "- 0.01",
        "- s",
        "- 0.0001 to 1",
        "- 0.002 to 0.02 (log)",
        "- time constant of the centre",
    ]
    assert lines[at + 7] == "| `doi:10.1016/0042-6989(65)90033-7 <https://doi.org/10.1016/0042-6989(65)90033-7>`__"
    assert lines[at + 8] == "| Virtual Retina: ``outer-plexiform-layer.linear-version.center-tau__sec``"


def test_a_model_lists_its_own_parameters_before_those_of_its_parts() -> None:
    names = [*declarations(models.CentreSurround)]
    assert names[:2] == ["amplification", "baseline"]
    assert names[2] == "receptive_field.sigma_center"


def test_state_and_its_shape_are_listed() -> None:
    lines = state_table(filters.CentreSurroundFilter)
    assert "   * - ``history_center``" in lines
    assert "     - ``[batch, 1, lag - 1, x, y]``" in lines
    assert state_table(filters.NLRectify) == []


def test_a_key_of_virtual_retina_leads_to_its_parameters() -> None:
    keys = virtual_retina_keys(registered_layers())
    assert "Bipolar.lambda_amp" in keys["contrast-gain-control.adaptation-feedback-amplification__Hz"]


def test_every_page_of_the_guide_is_in_the_navigation() -> None:
    assert set(pages(ROOT / "docs")) == {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}


def test_notebooks_are_pages() -> None:
    made = written(ROOT)
    page = made["notebooks/quickstart_spikes.md"]
    assert page.startswith("# Generating spikes")
    assert "```ipython3\n" in page
    assert (
        len([name for name in made if name.startswith("notebooks/")])
        == len([*(ROOT / "notebooks").glob("*.ipynb")]) + 1
    )


def test_the_command_line_explains_itself() -> None:
    page = command_line()
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        f"## {name}" for name in ("run", "describe", "convert", "impulse")
    ]
    assert "--record" in page


def test_pages_that_are_none_any_more_go_and_those_that_stayed_the_same_stay(tmp_path: pytest.TempPathFactory) -> None:
    folder = tmp_path / "made"
    write_pages(folder, {"api/a.rst": "one", "b.md": "two"})
    before = (folder / "api" / "a.rst").stat().st_mtime_ns
    write_pages(folder, {"api/a.rst": "one"})
    assert [path.name for path in folder.rglob("*.*")] == ["a.rst"]
    assert (folder / "api" / "a.rst").stat().st_mtime_ns == before
