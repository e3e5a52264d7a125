"""The shape of the sources: small files, tests beside them, a core without Jupyter."""

from __future__ import annotations

import importlib.metadata
import itertools
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PYTHON = [path for package in ("convis_core", "convis_widgets") for path in sorted((ROOT / package).rglob("*.py"))]
VITEST = [*sorted((ROOT / "js" / "src").rglob("*.test.ts")), *sorted((ROOT / "js" / "test").rglob("*.ts"))]
FRONT = sorted(set((ROOT / "js" / "src").rglob("*.ts")) - set(VITEST))
TESTS = [*sorted((ROOT / "tests").rglob("*.py")), *VITEST]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()

BLOCKED = (
    *("IPython", "anywidget", "bqplot", "convis_widgets", "ipykernel", "ipyvolume", "ipywidgets", "matplotlib"),
    *("notebook", "traitlets", "voila"),
)
WITHOUT_JUPYTER = f"""
import sys
import tomllib
for name in {BLOCKED!r}:
    sys.modules[name] = None  # importing it now raises ModuleNotFoundError
import convis_core
convis_core.models.LN(kernel_dim=(3, 3, 3)).run(convis_core.samples.moving_grating(20), dt=10)
"""


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", [*PYTHON, *FRONT, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_purpose_and_at_most_500_lines(path: Path) -> None:
    assert lines(path) <= 500


def test_most_files_are_short() -> None:
    assert statistics.median(map(lines, [*PYTHON, *FRONT])) < 150


def test_there_are_enough_tests() -> None:
    assert sum(map(lines, TESTS)) >= 0.6 * sum(map(lines, [*PYTHON, *FRONT]))


def test_the_core_runs_without_jupyter_and_matplotlib() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_JUPYTER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pins_satisfy_what_is_declared() -> None:
    """Every dependency of the project is pinned, none to a build of one machine."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", CONSTRAINTS, flags=re.MULTILINE))
    assert not [name for name, version in pins.items() if "+" in version]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]:
        requirement = Requirement(text)
        pin = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin), f"{requirement} is pinned to {pin}"


def test_pins_suit_the_oldest_python_they_are_meant_for() -> None:
    """Debian 12 has Python 3.11.2, and some releases ask for a later 3.11."""
    refused = [
        f"{package.name} {package.version} needs Python {wanted}"
        for package in importlib.metadata.distributions()
        if f"{canonicalize_name(package.name)}=={package.version.split('+')[0]}" in CONSTRAINTS.splitlines()
        and (wanted := package.metadata.get("Requires-Python"))
        and not SpecifierSet(wanted).contains("3.11.2")
    ]
    assert refused == []


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "js" / "package-lock.json").read_text()


def test_a_source_distribution_has_all_that_the_project_keeps() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing tells what the project keeps")
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packed = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    added_by_itself = {".gitignore", "LICENSE", "README.md", "pyproject.toml"}
    assert sorted(set(kept.split("\0")) - {""} - packed - added_by_itself) == []


def test_the_wheel_carries_what_the_packages_read() -> None:
    packed = {Path(file.path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    kept = {path for path in (ROOT / "convis_widgets").rglob("*") if path.suffix in {".ipynb", ".j2", ".typed"}}
    assert len(kept) >= 3 and kept <= packed
