"""Describing and converting files, and impulse responses, on the command line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convis_core as convis
from convis_core.retina import Retina, RetinaConfiguration

Says = Callable[[str], Any]


def test_models_there_and_back(convis_says: Says, shared: Path, tmp_path: Path) -> None:
    example = shared / "reference/virtualretina/examples/EXAMPLE_primate_ParvoMagno.xml"
    assert convis_says(f"convert {example} a.json").code == 0
    assert convis_says("convert a.json b.xml").code == 0
    assert RetinaConfiguration.read(tmp_path / "b.xml") == RetinaConfiguration.read(example)
    assert convis_says("convert --default c.xml").code == 0
    assert RetinaConfiguration.read(tmp_path / "c.xml") == RetinaConfiguration()


def test_films_of_numbers_there_and_back(convis_says: Says, movie: np.ndarray, tmp_path: Path) -> None:
    names = ["film.npy", "a.inr", "b.npz", "c.h5", "d.npy"]
    for source, target in pairwise(names):
        said = convis_says(f"convert {source} {target} --rate 25")
        assert said.code == 0, said.error
    assert np.array_equal(np.load(tmp_path / "d.npy"), movie)
    with np.load(tmp_path / "b.npz") as stored:
        assert np.array_equal(stored["frames"], movie)
    assert convis.streams.HDF5Reader(tmp_path / "c.h5").steps_per_second == 25


def test_videos_there_and_back(convis_says: Says, movie: np.ndarray, tmp_path: Path) -> None:
    for line in ("film.mp4 a.inr", "a.inr b.mp4 --rate 25", "b.mp4 c.npz"):
        said = convis_says(f"convert {line} --quiet")
        assert said.code == 0 and not said.error, said.error
    with np.load(tmp_path / "c.npz") as stored:
        np.testing.assert_allclose(stored["frames"], movie, atol=0.03)  # 8 bits, coded twice
    assert convis.streams.VideoReader(tmp_path / "b.mp4", steps_per_second=25.0).film_rate == 25.0


def test_a_video_shows_the_smallest_value_black_and_the_largest_white(
    convis_says: Says, movie: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "dark.npy", movie * 7.0 - 100.0)
    assert convis_says("convert dark.npy a.mp4").code == 0
    assert convis_says("convert dark.npy b.mp4 --range -107 -93").code == 0
    whole, half = (convis.streams.VideoReader(tmp_path / f"{n}.mp4", steps_per_second=25.0).get(60) for n in "ab")
    assert float(whole.max()) > 0.95 and float(whole.min()) < 0.05
    assert 0.45 < float(half.min()) < 0.55


def test_spikes_there_and_back(convis_says: Says, tmp_path: Path) -> None:
    convis.write_spikes(tmp_path / "a.spk", [3, 1, 3], [0.1, 0.25, 0.5])
    for line in ("a.spk b.nwb", "b.nwb c.npz", "c.npz d.txt"):
        assert convis_says(f"convert {line}").code == 0
    assert (tmp_path / "d.txt").read_text() == (tmp_path / "a.spk").read_text() == "3 0.1\n1 0.25\n3 0.5\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("convert retina.xml a.mp4", ".xml cannot become .mp4"),
        ("convert film.npy spikes.spk", ".npy cannot become .spk"),
        ("convert retina.xml retina.xml", "retina.xml is there already"),
        ("convert absent.xml a.json", "absent.xml"),
        ("convert absent.inr a.npy", "There is no file"),
        ("convert a.json", "Name a file to convert"),
        ("convert many.npz a.inr", "holds 2 arrays: a, b"),
        ("convert broken.npz a.inr", "cannot be read as an archive"),
        ("describe film.doc", "is no file that can be described"),
        ("impulse retina.xml -o a.doc", "is no file for an impulse response"),
    ],
)
@pytest.mark.usefixtures("model", "movie")
def test_mistakes_are_answered_in_a_line(convis_says: Says, tmp_path: Path, line: str, message: str) -> None:
    np.savez(tmp_path / "many.npz", a=np.zeros(3), b=np.zeros(3))
    (tmp_path / "broken.npz").write_text("no zip")
    before = {path.name for path in tmp_path.iterdir()}
    said = convis_says(line)
    assert said.code == 2 and message in said.error and "Traceback" not in said.error
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.usefixtures("model", "movie")
def test_describing(convis_says: Says, tmp_path: Path) -> None:
    said = convis_says("describe retina.xml")
    assert said.code == 0 and "step 0.005 s" in said.out and "opl.sigma_center = 0.05 deg" in said.out
    assert "60 frames of 12x16 at 25 Hz" in convis_says("describe film.mp4").out
    assert "60 frames of 12x16), values 0 to 1" in convis_says("describe film.npy").out
    convis.write_spikes(tmp_path / "a.spk", [3, 1, 3], [0.1, 0.25, 0.5])
    assert convis_says("describe a.spk").out == "3 spikes of 2 cells from 0.1 to 0.5 s\n"
    assert convis_says("convert a.spk a.npz").code == 0
    assert convis_says("describe a.npz").out == "3 spikes of 2 cells from 0.1 to 0.5 s\n"
    np.save(tmp_path / "dark.npy", np.full((5, 4, 4), np.nan))
    assert "values 0 to 1" in convis_says("describe dark.npy").out
    (tmp_path / "broken.h5").write_bytes(b"no")
    assert "no readable HDF5" in convis_says("describe broken.h5").error


def test_impulse_responses_are_those_of_the_model(convis_says: Says, model: Path, tmp_path: Path) -> None:
    said = convis_says("impulse retina.xml -o a.npz --length 60 --size 9 11")
    assert said.code == 0 and said.out.count("ganglion_current") == 2 and "at row 4, column 5" in said.out
    expected = Retina.from_xml(model, spikes=False).impulse_response(60, (9, 11), amplitude=0.5, background=0.5)
    with np.load(tmp_path / "a.npz") as stored:
        np.testing.assert_allclose(stored["time"], np.arange(60) / 200)
        for name in expected.names:
            np.testing.assert_allclose(stored[name], expected.array(name)[0, 0], atol=1e-5)
    assert convis_says("impulse retina.xml -o a.png").code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert convis_says("impulse retina.xml --virtual-retina").code == 0
