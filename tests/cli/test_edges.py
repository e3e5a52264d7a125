"""Command lines at their edges: films without frames, files over themselves, letters of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convis_core as convis

Says = Callable[[str], Any]


@pytest.mark.parametrize("target", ["a.mp4", "a.inr", "a.npz", "a.h5"])
def test_a_film_without_frames_is_refused_and_leaves_nothing(convis_says: Says, tmp_path: Path, target: str) -> None:
    np.save(tmp_path / "none.npy", np.zeros((0, 4, 4), np.float32))
    said = convis_says(f"convert none.npy {target}")
    assert said.code == 2 and "none.npy holds no frames to convert" in said.error
    assert [path.name for path in tmp_path.iterdir()] == ["none.npy"]


@pytest.mark.parametrize("kind", [".npy", ".inr"])
def test_a_film_over_itself_stays_as_it_was(
    convis_says: Says, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convis_core.cli.convert._PIECE", 32)  # two frames at a time
    frames = np.arange(7 * 16, dtype=np.float32).reshape(7, 4, 4)
    np.save(tmp_path / "film.npy", frames)
    if kind != ".npy":
        assert convis_says(f"convert film.npy film{kind}").code == 0
    assert convis_says(f"convert film{kind} film{kind}").code == 2  # not without --force
    assert convis_says(f"convert film{kind} film{kind} --force").code == 0
    reader = convis.streams.NumpyReader if kind == ".npy" else convis.streams.InrImageStreamer
    assert np.array_equal(reader(tmp_path / f"film{kind}").get(99)[0, 0].numpy(), frames)


def test_names_in_any_script_are_files_too(convis_says: Says, tmp_path: Path) -> None:
    assert convis_says("convert --default Netzhaut-網膜.xml").code == 0
    assert convis_says("convert Netzhaut-網膜.xml сетчатка.json").code == 0
    read = convis.retina.RetinaConfiguration.read
    assert read(tmp_path / "сетчатка.json") == read(tmp_path / "Netzhaut-網膜.xml")


@pytest.mark.usefixtures("model", "movie")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("convert film.npy a.mp4 --range 1 0", "black below white"),
        ("convert film.npy a.mp4 --range nan 1", "black below white"),
        ("convert film.npy a.mp4 --rate 0", "finite number of Hz"),
        ("convert film.npy a.mp4 --rate nan", "finite number of Hz"),
        ("convert film.npy a.mp4 --rate inf", "finite number of Hz"),
        ("run retina.xml film.npy -o a.h5 --seed -1", "seed must be a whole number"),
        ("run retina.xml film.npy -o a.h5 --seed 9223372036854775808", "from 0 to 2**63 - 1"),
        ("run retina.xml film.npy -o film.npy --force", "is no file for answers"),
        ("run retina.xml film.npy -o absent/a.h5", "There is no folder"),
        ("run retina.xml film.npy -o a.h5 --steps 0", "0 is not 1 or more"),
    ],
)
def test_numbers_that_cannot_be_meant_are_answered_and_nothing_is_written(
    convis_says: Says, tmp_path: Path, line: str, message: str
) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    said = convis_says(line)
    assert said.code == 2 and message in said.error and "Traceback" not in said.error
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
