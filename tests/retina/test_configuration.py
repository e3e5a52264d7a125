"""All numbers of a retina, by path, and from and to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core.errors import FileFormatError, ParameterError, UnknownNameError
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.retina.configuration.schema import RETINA, Attribute, Element, unit_of

LINEAR = "outer-plexiform-layer.linear-version"


@pytest.mark.parametrize(("pattern", "count"), [("configs/*.xml", 27), ("examples/*.xml", 3)])
def test_every_virtual_retina_file_reads_writes_and_reads_back_equal(
    shared: Path, tmp_path: Path, pattern: str, count: int
) -> None:
    files = sorted((shared / "reference" / "virtualretina").glob(pattern))
    assert len(files) == count
    for file in files:
        config = RetinaConfiguration.read(file)  # a warning would be an error here
        for name in ("a.xml", "a.json"):
            config.write(tmp_path / name)
            assert RetinaConfiguration.read(tmp_path / name) == config, (file, name)


def test_a_file_keeps_its_numbers_and_takes_the_defaults_of_the_format(shared: Path) -> None:
    config = RetinaConfiguration.read(shared / "reference/virtualretina/examples/EXAMPLE_primate_ParvoMagno.xml")
    assert config.get("ganglion-layers.*.sign") == [1, -1, 1, -1]
    assert config.get("ganglion-layers.*.sigma-pool__deg") == [0, 0, 0.1, 0.1]  # 0 is the default
    assert config.get("ganglion-layers.*.spiking-channel.circular-array.fovea-density__inv-deg") == [20, 20, 15, 15]
    assert config.get(LINEAR) == {
        "center-sigma__deg": 0.03,
        "center-tau__sec": 0.01,
        "center-n__uint": 0,
        "surround-sigma__deg": 0.1,
        "surround-tau__sec": 0.01,
        "opl-relative-weight": 1,
        "leaky-heat-equation": 1,
        "opl-amplification": 10,
    }
    assert config.resolution == convis.Resolution(20.0, 200.0)


def test_units_and_saccades_are_read(shared: Path) -> None:
    folder = shared / "reference/virtualretina/configs"
    units = RetinaConfiguration.read(folder / "lif_units_list.xml").get("ganglion-layers.0.spiking-channel.all-units")
    assert [unit["mvaspike-id"] for unit in units] == [1, 2, 3, 4] and units[3]["x-offset__deg"] == -0.125
    saccades = RetinaConfiguration.read(folder / "microsaccades.xml").get("basic-microsaccade-generator")
    assert (saccades["period-mean__sec"], saccades["amplitude-stdev__deg"]) == (0.1, 0.02)


def attributes(element: Element) -> list[Attribute]:
    inside = [*element.children.values(), *(listed.element for listed in element.lists.values())]
    return [*element.attributes.values(), *(a for child in inside for a in attributes(child))]


def test_every_default_is_allowed() -> None:
    every = attributes(RETINA)
    assert len(every) > 60
    assert all(a.default is None or a.bounds[0] <= a.default <= a.bounds[1] for a in every)


@pytest.mark.parametrize("layer", convis.registered_layers(), ids=lambda layer: layer.__name__)
def test_what_layers_declare_stands_in_files_with_the_same_unit(layer: Any) -> None:
    """The key of a parameter leads to an attribute of the schema."""
    for declaration in layer.declarations().values():
        if not declaration.key:
            continue
        *tags, name = declaration.key.split(".")
        element = RETINA
        for tag in tags:
            inside = {**element.children, **{listed.tag: listed.element for listed in element.lists.values()}}
            element = inside[tag]
        assert element.attributes[name].bounds[1] >= declaration.bounds[1], declaration.key
        assert unit_of(name) in (declaration.unit, ""), declaration.key


def test_defaults_follow_the_default_resolution() -> None:
    with convis.use_resolution(convis.Resolution(25.0, 500.0)):
        assert RetinaConfiguration().resolution == convis.Resolution(25.0, 500.0)


# Paths --------------------------------------------------------------------------------------


def test_paths_reach_one_all_and_new_elements() -> None:
    config = RetinaConfiguration()
    config.set("ganglion-layers.*.spiking-channel.sigma-V", 0.25)
    assert config.get("ganglion-layers.*.spiking-channel.sigma-V") == [0.25, 0.25]
    config.set("ganglion-layers.1.spiking-channel.sigma-V", 0.5)
    assert config.get("ganglion-layers.1.spiking-channel.sigma-V") == 0.5
    config.set("ganglion-layers.+", {"sign": 1})
    config.set("ganglion-layers.+.sign", -1)
    assert config.get("ganglion-layers.*.sign") == [1, -1, 1, -1]
    config.remove("ganglion-layers.*")
    assert config.get("ganglion-layers") == []


def test_an_element_by_its_number_is_appended_once() -> None:
    config = RetinaConfiguration({"ganglion-layers": []})
    for _ in range(2):
        config.set("ganglion-layers.=0.sign", 1)
        config.set("ganglion-layers.=1.sign", -1)
    assert config.get("ganglion-layers.*.sign") == [1, -1]
    with pytest.raises(UnknownNameError, match="ganglion-layers has: 2 elements"):
        config.set("ganglion-layers.=3.sign", 1)


def test_a_wildcard_touches_only_what_is_there() -> None:
    config = RetinaConfiguration()
    config.remove("ganglion-layers.0.spiking-channel")
    config.set("ganglion-layers.*.spiking-channel.sigma-V", 0.0)
    assert "spiking-channel" not in config.get("ganglion-layers.0")
    config.set("ganglion-layers.0.spiking-channel.sigma-V", 0.3)  # by its number it is made
    assert config.get("ganglion-layers.0.spiking-channel.g-leak__Hz") == 50


def test_what_get_returns_is_a_copy() -> None:
    config = RetinaConfiguration()
    config.get(LINEAR)["center-sigma__deg"] = 7
    config.as_dict()["pixels-per-degree"] = 7
    assert config == RetinaConfiguration()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("pixel-per-degree", "A retina has no 'pixel-per-degree'. It can have: .*pixels-per-degree"),
        (f"{LINEAR}.sigma", f"{LINEAR} has no 'sigma'. It can have: center-sigma__deg"),
        ("ganglion-layers.first.sign", "ganglion-layers is a list .*appended if it is the next"),
        ("ganglion-layers.2.sign", "nothing at 'ganglion-layers.2.sign'.*ganglion-layers has: 2 elements"),
        ("log-polar-scheme.fovea-radius__deg", "has: temporal-step__sec"),
        ("pixels-per-degree.x", "is a number and has no 'x'"),
        ("", "A retina has no ''"),
    ],
)
def test_a_wrong_path_is_answered_with_what_there_is(path: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        RetinaConfiguration().get(path)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            f"{LINEAR}.center-tau__sec",
            -1,
            r"linear-version: center-tau__sec = -1 is not a number of 0 or more \(in s\)",
        ),
        (f"{LINEAR}.center-n__uint", 1.5, "not a whole number of 0 or more"),
        (f"{LINEAR}.leaky-heat-equation", 2, "not a whole number from 0 to 1"),
        (f"{LINEAR}.opl-amplification", "lots", "'lots' is not a number"),
        (f"{LINEAR}.opl-amplification", float("nan"), "is not a number"),
        ("ganglion-layers.0.sign", 2, "ganglion-layers.0: sign = 2 is not a number from -1 to 1"),
        ("ganglion-layers", 3, "is a list"),
        ("log-polar-scheme", 3, "is a group of fovea-radius__deg"),
        ("contrast-gain-control-custom", {}, "exclude each other"),
        ("outer-plexiform-layer", {}, "needs linear-version or luminance-gain-control-version"),
        (f"{LINEAR}.undershoot", {"tau__sec": 0.1}, "needs relative-weight, which has no default"),
    ],
)
def test_a_bad_value_changes_nothing(path: str, value: object, message: str) -> None:
    config = RetinaConfiguration()
    with pytest.raises(ParameterError, match=message):
        config.update({"pixels-per-degree": 33.0, path: value})
    assert config == RetinaConfiguration()


def test_one_gain_control_replaces_the_other() -> None:
    config = RetinaConfiguration()
    config.remove("contrast-gain-control")
    config.set("contrast-gain-control-custom.adaptation-powerlaw-exponent", 3)
    assert config.get("contrast-gain-control-custom.adaptation-tau__sec") == 0.01


# Files --------------------------------------------------------------------------------------

WHOLE = """<?xml version="1.0"?>
<retina-description-file>
  <retina pixels-per-degree="20"{retina}>
    <outer-plexiform-layer>
      <linear-version {linear}/>
    </outer-plexiform-layer>{more}
  </retina>{beside}
</retina-description-file>
"""


def written(folder: Path, retina: str = "", linear: str = "", more: str = "", beside: str = "") -> Path:
    path = folder / "retina.xml"
    path.write_text(WHOLE.format(retina=retina, linear=linear, more=more, beside=beside))
    return path


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"retina": ' colour="red"'}, "retina.xml, line 3: <retina> has the attribute colour='red', which is unknown"),
        ({"linear": 'sigma="1"'}, "line 5: <linear-version> has the attribute sigma"),
        ({"more": "\n<amacrine-layer/>"}, "<retina> has <amacrine-layer>, which is unknown and left out"),
        ({"beside": "\n<brain/>"}, "line 8: <retina-description-file> has <brain>"),
    ],
)
def test_unknown_names_are_reported(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    with pytest.warns(UserWarning, match=message) as caught:
        config = RetinaConfiguration.read(written(tmp_path, **parts))
    assert config.get("pixels-per-degree") == 20 and len(caught) == 1
    assert caught[0].filename == __file__  # the user's line


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"linear": 'center-tau__sec="fast"'},
            r"retina.xml, line 5: <linear-version>: center-tau__sec = 'fast' is not a number of 0 or more \(in s\)",
        ),
        ({"more": '\n<ganglion-layer sign="7"/>'}, "line 7: <ganglion-layer>: sign = '7' is not a number from -1 to 1"),
        ({"more": "\n<contrast-gain-control/><contrast-gain-control-custom/>"}, "line 3: .* exclude each other"),
    ],
)
def test_a_bad_value_in_a_file_names_file_line_unit_and_range(
    tmp_path: Path, parts: dict[str, str], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        RetinaConfiguration.read(written(tmp_path, **parts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<retina", "no well-formed XML"),
        ("<a><b/></a>", "expected one <retina> inside <a>, found 0"),
        ("<a><retina><outer-plexiform-layer/><outer-plexiform-layer/></retina></a>", "needs linear-version"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><retina>&x;</retina></a>', "document type"),
        ('<!DOCTYPE a SYSTEM "http://localhost:9/a.dtd"><a><retina/></a>', "document type"),
        (
            '<!DOCTYPE a [<!ENTITY x "' + "9" * 9999 + '"><!ENTITY y "' + "&x;" * 9999 + '">]>'
            '<a><retina pixels-per-degree="&y;"/></a>',
            "amplification|document type",
        ),
    ],
)
def test_broken_and_hostile_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "retina.xml"
    path.write_text(text)
    with pytest.raises((FileFormatError, ParameterError), match=message):
        RetinaConfiguration.read(path)


def test_json_is_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "retina.json"
    path.write_text("{")
    with pytest.raises(FileFormatError, match="no readable JSON"):
        RetinaConfiguration.read(path)
    tree = RetinaConfiguration().as_dict()
    tree["ganglion-layers"][1]["sign"] = "up"
    path.write_text(json.dumps(tree))
    with pytest.raises(ParameterError, match=r"retina.json: retina.ganglion-layers.1: sign = 'up'"):
        RetinaConfiguration.read(path)
    path.write_text(json.dumps({**RetinaConfiguration().as_dict(), "colour": 1}))
    with pytest.warns(UserWarning, match="'colour', which is unknown"):
        assert RetinaConfiguration.read(path) == RetinaConfiguration()


def test_a_name_says_the_kind_and_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"end in \.xml or \.json"):
        RetinaConfiguration().write(tmp_path / "retina.txt")
    with pytest.raises(FileFormatError, match=r"absent\.xml' cannot be read: No such file"):
        RetinaConfiguration.read(tmp_path / "absent.xml")


@given(
    tau=st.floats(0, 1e6), weight=st.floats(-1e300, 1e300), n=st.integers(0, 10**6), amplification=st.floats(1e-300, 1)
)
def test_numbers_survive_files_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, tau: float, weight: float, n: int, amplification: float
) -> None:
    folder = tmp_path_factory.mktemp("retina")
    values = {f"{LINEAR}.center-tau__sec": tau, f"{LINEAR}.center-n__uint": n}
    config = RetinaConfiguration(
        {
            **values,
            f"{LINEAR}.opl-amplification": amplification,
            "ganglion-layers.*.bipolar-linear-threshold": weight,
        }
    )
    for name in ("a.xml", "a.json"):
        config.write(folder / name)
        assert RetinaConfiguration.read(folder / name) == config
