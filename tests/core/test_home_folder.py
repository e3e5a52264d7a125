"""``~`` is the home folder wherever a file is written or read, as it is in a shell."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

import convis_core as convis
from convis_core.files import atomic_path, user_path
from convis_core.loops.checkpoint import resume_checkpoint
from convis_core.retina import Retina, RetinaConfiguration
from tests.core.test_files_that_cannot_be_written import DOORS


def resume(path: str) -> Any:
    model = convis.models.L(kernel_dim=(2, 3, 3))
    model.set_optimizer.SGD(lr=1e-6)
    return resume_checkpoint(path, model)


READERS: dict[str, Callable[[str], Any]] = {
    "model.npz": lambda path: convis.models.LN(kernel_dim=(2, 3, 3)).load_parameters(path),
    "fit.pt": resume,
    "cells.spk": convis.read_spikes,
    "cells.npz": convis.read_spikes,
    "retina.json": RetinaConfiguration.read,
    "retina.xml": Retina,
    "film.mp4": convis.streams.VideoReader,
    "film.npy": convis.streams.NumpyReader,
    "film.inr": convis.streams.InrImageStreamer,
    "film.h5": convis.streams.HDF5Reader,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, seen from another one."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    return home


@pytest.mark.parametrize("name", DOORS)
def test_what_is_saved_lies_in_the_home_folder_and_is_found_there(name: str, home: Path) -> None:
    DOORS[name](Path("~/mine") / name)
    assert (home / "mine" / name).is_file()
    assert os.listdir() == [], "no folder of the name ~ comes into being"
    if name in READERS:
        READERS[name](f"~/mine/{name}")


def test_parameters_are_found_there_without_their_ending(home: Path) -> None:
    model = convis.models.L(kernel_dim=(1, 1, 1))
    model.save_parameters("~/fit")
    assert os.listdir(home) == ["fit.npz"]
    model.load_parameters("~/fit")


def test_images_are_found_there_by_a_pattern_and_one_by_one(home: Path) -> None:
    for k in range(3):
        iio.imwrite(home / f"{k}.png", np.full((4, 5), 50 * k, np.uint8))
    assert convis.streams.ImageSequence("~/*.png").length == 3
    assert convis.streams.ImageSequence(["~/0.png", "~/2.png"]).get(2).max() > 0.3


def test_a_name_that_only_begins_so_is_left_alone(home: Path) -> None:
    assert user_path("~fit of monday.npz") == Path("~fit of monday.npz")
    with atomic_path("~draft.txt") as path:
        path.write_text("here")
    assert os.listdir() == ["~draft.txt"]
