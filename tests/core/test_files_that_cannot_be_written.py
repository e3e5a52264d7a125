"""Whatever is saved, a place where it cannot be is refused with what is wrong and what to do."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.cli.films import write_film
from convis_core.cli.sinks import open_sink
from convis_core.errors import ConvisError, FileWriteError
from convis_core.files import atomic_path, writing
from convis_core.loops.checkpoint import save_checkpoint
from convis_core.plotting import animate
from convis_core.retina import Retina, RetinaConfiguration


def put(kind: Callable[[Path], Any]) -> Callable[[Path], None]:
    """Write a few frames with a writer of some kind."""

    def door(path: Path) -> None:
        with kind(path) as writer:
            writer.put(torch.zeros(3, 4, 4))

    return door


def checkpoint(path: Path) -> None:
    model = convis.models.L(kernel_dim=(2, 3, 3))
    model.set_optimizer.SGD(lr=1e-6)
    save_checkpoint(path, model, next(iter(model.fit(np.random.rand(9, 3, 3), np.random.rand(9, 3, 3), dt=9))))


DOORS: dict[str, Callable[[Path], None]] = {
    "model.npz": lambda path: convis.models.LN(kernel_dim=(2, 3, 3)).save_parameters(path),
    "fit.pt": checkpoint,
    "cells.spk": lambda path: convis.write_spikes(path, [1], [0.5]),
    "cells.npz": lambda path: convis.write_spikes(path, [1], [0.5]),
    "retina.json": lambda path: RetinaConfiguration().write(path),
    "retina.xml": lambda path: RetinaConfiguration().write(path),
    "film.mp4": put(convis.streams.VideoWriter),
    "film.npy": put(convis.streams.NumpyWriter),
    "film.inr": put(convis.streams.InrImageStreamWriter),
    "film.h5": put(convis.streams.HDF5Writer),
    "film.gif": lambda path: animate(np.random.rand(3, 4, 4), path),
    "frames.npz": lambda path: write_film(path, 25.0, (0.0, 1.0), lambda writer: writer.put(torch.zeros(3, 4, 4))),
}
every_door = pytest.mark.parametrize("name", DOORS)


def refusal(name: str, path: Path) -> str:
    """What the error says, which is one of ours and one of the system's."""
    with pytest.raises(FileWriteError) as caught:
        DOORS[name](path)
    assert isinstance(caught.value, ConvisError) and isinstance(caught.value, OSError)
    assert str(path) in str(caught.value) and caught.value.remedy
    return str(caught.value)


@every_door
def test_a_folder_of_that_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert "cannot be written: " in refusal(name, tmp_path / name)
    assert list(tmp_path.iterdir()) == [tmp_path / name] and not list((tmp_path / name).iterdir())


@every_door
@pytest.mark.parametrize("between", ["", "further"])
def test_a_file_in_the_place_of_the_folder(tmp_path: Path, name: str, between: str) -> None:
    (tmp_path / "file").write_text("kept")
    said = refusal(name, tmp_path / "file" / between / name)
    assert f"{tmp_path / 'file'} is a file and no folder. Choose another folder." in said
    assert (tmp_path / "file").read_text() == "kept"


@every_door
def test_a_name_that_is_too_long(tmp_path: Path, name: str) -> None:
    said = refusal(name, tmp_path / ("x" * 300 + name))
    assert f"the name is too long ({300 + len(name)} bytes). Choose a shorter one." in said
    assert list(tmp_path.iterdir()) == []


@every_door
def test_a_folder_that_may_not_be_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # whom nothing is forbidden
        if name in ("film.npy", "film.inr", "film.h5"):
            pytest.skip("root may write anywhere")

        def forbidden(*place: Any) -> Any:
            raise PermissionError(errno.EACCES, "Permission denied", str(place[-1]))

        monkeypatch.setattr(tempfile, "mkstemp", forbidden)
    tmp_path.chmod(0o500)
    try:
        said = refusal(name, tmp_path / name)
    finally:
        tmp_path.chmod(0o700)
    assert "permission denied. Choose another folder, or change its permissions." in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_is_said_of_the_file_and_not_of_its_draft(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("before")
    said = pytest.raises(FileWriteError, match=r"/a\.txt cannot be written: no space left.*Make room")
    with said as caught, atomic_path(tmp_path / "a.txt"), open("/dev/full", "w", encoding="ascii") as full:
        full.write("more than there is room for")
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(tmp_path / "a.txt")
    said = pytest.raises(FileWriteError, match=r"/a\.txt cannot be written: no space left")
    with said, atomic_path(tmp_path / "a.txt") as draft, writing(draft):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("kind", [".spk", ".h5"])
def test_the_answers_of_a_retina_on_the_command_line(tmp_path: Path, kind: str) -> None:
    retina = Retina(seed=1)
    target = tmp_path / f"cells{kind}"
    target.mkdir()
    answers = retina.run(torch.zeros(3, 8, 8))
    with pytest.raises(FileWriteError, match="cells"), open_sink(target, retina, ()) as sink:
        sink.put(answers)


def test_what_goes_wrong_with_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"), atomic_path(tmp_path / "a.txt") as draft:
        draft.write_text((tmp_path / "absent").read_text())
    with pytest.raises(convis.errors.VideoError, match="absent"), atomic_path(tmp_path / "a.txt"):
        convis.streams.VideoReader(tmp_path / "absent.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "ü" * 125 + ".txt", "a." + "b" * 250])
def test_the_longest_name_there_can_be_is_no_obstacle(tmp_path: Path, name: str) -> None:
    with atomic_path(tmp_path / name) as draft:
        draft.write_text("whole")
    assert (tmp_path / name).read_text() == "whole"
