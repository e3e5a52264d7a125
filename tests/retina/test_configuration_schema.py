"""The schema of a configuration is that of the reference: every element, attribute, default, unit and bound."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.retina import RetinaConfiguration
from convis_core.retina.configuration.schema import RETINA, SACCADES, Attribute, Element, unit_of

ELEMENTS: dict[str, Element] = {}


def collect(tag: str, element: Element) -> None:
    ELEMENTS[tag] = element
    for name, child in element.children.items():
        collect(name, child)
    for listed in element.lists.values():
        collect(listed.tag, listed.element)


collect("retina", RETINA)


def documented(shared: Path) -> Iterator[tuple[str, str, float | None]]:
    """Tag, attribute and default of every line of the reference's table; None where it gives no number."""
    text = (shared / "reference" / "virtualretina" / "README.md").read_text(encoding="utf-8")
    table = text.split("## 7. XML elements")[1].split("## 8.")[0]
    for tag, _, cell in re.findall(r"^\| ([a-z/ -]+?) (\(.*?\) )?\| (.*) \|$", table, flags=re.MULTILINE):
        for name, default in re.findall(r"([a-zA-Z][\w-]*[a-zA-Z])(?:: (-?[\d.]+))?", cell):
            if re.search(r"__|-|^sign$|noise_pos", name):
                yield tag.split("/")[-1].strip(), name, float(default) if default else None


def test_every_attribute_of_the_reference_has_its_default(shared: Path) -> None:
    found = [row for row in documented(shared) if row[0] in ELEMENTS and row[1] in ELEMENTS[row[0]].attributes]
    assert len(found) >= 60
    for tag, name, default in found:
        if default is not None:
            assert ELEMENTS[tag].attributes[name].default == default, (tag, name)


def test_the_reference_has_no_attribute_that_the_schema_lacks(shared: Path) -> None:
    spoken = {"linear-version", "luminance-gain-control-version", "outer-plexiform-layer", "log-polar", "one-child"}
    overwritten = {(SACCADES, "temporal-step__sec"), (SACCADES, "pixels-per-degree")}
    missing = {
        (tag, name)
        for tag, name, _ in documented(shared)
        if tag in ELEMENTS and name not in (*ELEMENTS[tag].names, *spoken) and "__" in name
    }
    assert missing <= overwritten


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("center-sigma__deg", "deg"),
        ("center-tau__sec", "s"),
        ("g-leak__Hz", "Hz"),
        ("fovea-density__inv-deg", "1/deg"),
        ("angular-noise__pi-radians", "pi rad"),
        ("center-n__uint", ""),
        ("sigma-V", ""),
    ],
)
def test_units_stand_in_the_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit


# Every number, by its path ------------------------------------------------------------------

WHOLE = {
    SACCADES: {},
    "log-polar-scheme": {},
    "outer-plexiform-layer.linear-version.undershoot": {"relative-weight": 0.5, "tau__sec": 0.1},
    "ganglion-layers.0.spiking-channel.square-array": {},
    "ganglion-layers.0.spiking-channel.all-units": [{"mvaspike-id": 4}],
}


@pytest.fixture
def config() -> RetinaConfiguration:
    """One with nearly everything in it."""
    return RetinaConfiguration(WHOLE)


def paths(element: Element, tree: dict[str, object], before: str = "") -> Iterator[tuple[str, Attribute]]:
    for name, attribute in element.attributes.items():
        yield before + name, attribute
    for name, child in element.children.items():
        if isinstance(inside := tree.get(name), dict):
            yield from paths(child, inside, f"{before}{name}.")
    for name, listed in element.lists.items():
        if isinstance(items := tree.get(name), list):
            for i, item in enumerate(items):
                yield from paths(listed.element, item, f"{before}{name}.{i}.")


def test_every_number_is_set_and_read_by_its_path(config: RetinaConfiguration, tmp_path: Path) -> None:
    every = list(paths(RETINA, config.as_dict()))
    assert len(every) > 50
    for k, (path, attribute) in enumerate(every):
        lo, hi = attribute.bounds
        value = min(max(lo, float(k % 7)), hi)
        config.set(path, str(value))  # as it is typed or read
        assert config.get(path) == value, path
    for name in ("all.xml", "all.json"):
        config.write(tmp_path / name)
        assert RetinaConfiguration.read(tmp_path / name) == config


def test_every_bound_holds(config: RetinaConfiguration) -> None:
    before = config.as_dict()
    for path, attribute in paths(RETINA, before):
        beyond = [limit for limit in (attribute.bounds[0] - 1.0, attribute.bounds[1] + 1.0) if math.isfinite(limit)]
        for value in (*beyond, math.inf, -math.inf, math.nan, "", "x", [], {}):
            with pytest.raises(ParameterError) as caught:
                config.set(path, value)
            name = path.split(".")[-1]
            assert name in str(caught.value) and attribute.range() in str(caught.value)
            assert unit_of(name) in str(caught.value)
    assert config.as_dict() == before


def test_removing_a_number_brings_the_default_of_the_format_back(config: RetinaConfiguration) -> None:
    config.set("ganglion-layers.*.transient-tau__sec", 0.5)
    config.remove("ganglion-layers.*.transient-tau__sec")
    assert config.get("ganglion-layers.*.transient-tau__sec") == [0.04, 0.04]
    with pytest.raises(ParameterError, match="needs tau__sec"):
        config.remove("outer-plexiform-layer.linear-version.undershoot.tau__sec")
    with pytest.raises(ParameterError, match="needs outer-plexiform-layer"):
        config.remove("outer-plexiform-layer")
    with pytest.raises(UnknownNameError):
        config.remove("contrast-gain-control-custom")


def test_configurations_compare_by_their_numbers_and_say_what_they_are(config: RetinaConfiguration) -> None:
    twin = RetinaConfiguration.from_dict(config.as_dict())
    assert twin == config and repr(twin) == repr(config)
    twin.set("pixels-per-degree", 11)
    assert twin != config and twin != "a configuration"
    assert repr(twin) == "RetinaConfiguration(step 0.001 s, 11 pixels/deg, ganglion layers: +1, -1)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(twin)
