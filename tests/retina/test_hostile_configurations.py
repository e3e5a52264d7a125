"""Files of configurations with odd numbers, odd letters, odd places, and paths that lead nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convis_core.errors import ConvisError, FileFormatError, ParameterError, UnknownNameError
from convis_core.retina import RetinaConfiguration

XML = (
    '<retina-description-file><retina temporal-step__sec="{}" pixels-per-degree="20"><outer-plexiform-layer>'
    "<linear-version/></outer-plexiform-layer></retina></retina-description-file>"
)


def written(folder: Path, text: str | bytes, kind: str = ".xml") -> Path:
    path = folder / f"Netzhaut 網膜{kind}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("value", ["1e400", "-1e400", "nan", "inf", "-1", "0", "1_0", "٣", "0x1", "", "1,5", "1 2"])
def test_a_step_that_is_no_step_is_refused_from_xml_and_json(tmp_path: Path, value: str) -> None:
    with pytest.raises(ParameterError, match=r"line 1: <retina>: temporal-step__sec = .* is not a number .*\(in s\)"):
        RetinaConfiguration.read(written(tmp_path, XML.format(value)))
    tree = {**RetinaConfiguration().as_dict(), "temporal-step__sec": value}
    with pytest.raises(ParameterError, match=r"retina: temporal-step__sec = .* \(in s\)"):
        RetinaConfiguration.read(written(tmp_path, json.dumps(tree), ".json"))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "1" + "0" * 400, "[]", "{}", '"fast"'])
def test_numbers_that_only_json_can_say_are_checked(tmp_path: Path, value: str) -> None:
    text = json.dumps({**RetinaConfiguration().as_dict(), "temporal-step__sec": "here"}).replace('"here"', value)
    with pytest.raises(ParameterError, match="temporal-step__sec"):
        RetinaConfiguration.read(written(tmp_path, text, ".json"))


@pytest.mark.parametrize(("value", "step"), [("1e-3", 0.001), (" 0.5 ", 0.5), ("+2", 2.0), (".25", 0.25)])
def test_a_number_may_be_written_as_in_c(tmp_path: Path, value: str, step: float) -> None:
    assert RetinaConfiguration.read(written(tmp_path, XML.format(value))).get("temporal-step__sec") == step


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no well-formed XML"),
        (XML.format(1)[:90].encode(), "no well-formed XML"),
        (b"<a>" * 10000, "no well-formed XML"),  # too deep
        (b'<?xml version="1.0" encoding="klingon"?>' + XML.format(1).encode(), "no well-formed XML"),
        (b"\xff" + XML.format(1).encode(), "no well-formed XML"),
        (
            XML.format(1).replace("<linear-version/>", "<linear-version>&lol;</linear-version>").encode(),
            "no well-formed",
        ),
        (XML.format(1).replace("<linear-version/>", "<linear-version/>" * 2).encode(), "second <linear-version>"),
        (b"<retina pixels-per-degree='1'/>", "expected one <retina> inside <retina>, found 0"),
        (XML.format(1).replace("</retina>", "</retina><retina/>").encode(), "found 2"),
    ],
)
def test_xml_that_is_no_retina_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        RetinaConfiguration.read(written(tmp_path, text))


@pytest.mark.parametrize("text", ["", "{", "[" * 10000, "1" * 5000, "\ufeff{}", b"\xff\xfe{"])
def test_json_that_is_none_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(FileFormatError, match="no readable JSON"):
        RetinaConfiguration.read(written(tmp_path, text, ".json"))


@pytest.mark.parametrize("text", ["null", "[]", "3", '"a"', "true"])
def test_json_that_is_no_group_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ParameterError, match="retina is a group of"):
        RetinaConfiguration.read(written(tmp_path, text, ".json"))


@given(cut=st.integers(0, len(XML.format(1)) - 1))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    with pytest.raises(FileFormatError, match="no well-formed XML"):
        RetinaConfiguration.read(written(tmp_path_factory.mktemp("cut"), XML.format(1)[:cut]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_any_encoding_and_what_says_nothing_is_read(tmp_path: Path, encoding: str) -> None:
    text = XML.format("0.5").replace("<retina ", "<?style none?><!-- größer --><retina ", 1)
    path = written(tmp_path, text.encode(encoding))
    assert RetinaConfiguration.read(path) == RetinaConfiguration.read(written(tmp_path, XML.format("0.5")))


def test_saccades_stand_beside_the_retina_whatever_stands_around_them(tmp_path: Path) -> None:
    saccades = '<basic-microsaccade-generator pixels-per-degree="9" temporal-step__sec="9" period-mean__sec="0.3"/>'
    for before, after in ((saccades, "<brain/>"), ("<brain/>", saccades), (saccades + "<brain/>", "")):
        text = XML.format("0.5").replace("<retina ", before + "<retina ", 1).replace("</retina>", "</retina>" + after)
        with pytest.warns(UserWarning, match="has <brain>"):
            config = RetinaConfiguration.read(written(tmp_path, text))
        assert config.get("basic-microsaccade-generator.period-mean__sec") == 0.3
        assert config.get("pixels-per-degree") == 20 and config.get("temporal-step__sec") == 0.5
    with pytest.raises(FileFormatError, match="second <basic-microsaccade-generator>"):
        RetinaConfiguration.read(written(tmp_path, XML.format(1).replace("</retina>", "</retina>" + 2 * saccades)))


STEPS = st.sampled_from(
    ["", "*", "+", "0", "1", "2", "=2", "=", "==1", "-1", "²", "9" * 5000, "sign", "ganglion-layers", "all-units",
     "spiking-channel", "outer-plexiform-layer", "linear-version", "pixels-per-degree", "A", " "]
)  # fmt: skip


@given(path=st.lists(STEPS, min_size=1, max_size=5).map(".".join), value=st.sampled_from([0.5, None, {}, [], "x"]))
def test_any_path_is_found_or_answered_in_words_and_an_error_changes_nothing(path: str, value: object) -> None:
    config = RetinaConfiguration()
    before = config.as_dict()
    for attempt in (config.get, lambda p: config.set(p, value), config.remove):
        try:
            attempt(path)
        except ConvisError as error:
            assert str(error)
            if attempt == config.get:
                assert isinstance(error, UnknownNameError) and config.as_dict() == before
    assert RetinaConfiguration.from_dict(config.as_dict()) == config  # whatever was done, all in it is allowed
