"""Ctrl-C and the stop button: an interrupted film goes on with the frame it stopped at, or is given up whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
import torch

import convis_core as convis
from convis_core.errors import FileWriteError, StreamError
from convis_core.streams import VideoReader, VideoWriter

Films = Callable[..., Path]


class Interrupted:
    """A pipe in which Ctrl-C arrives when part of a frame has gone through."""

    def __init__(self, pipe: IO[bytes], calls: int) -> None:
        self.pipe, self.calls = pipe, calls

    def read(self, n: int) -> bytes:
        self.calls -= 1
        if self.calls == 0:
            self.pipe.read(7)
            raise KeyboardInterrupt
        return self.pipe.read(n)

    def write(self, data: bytes) -> int:
        self.pipe.write(data[:7])
        raise KeyboardInterrupt

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pipe, name)


@pytest.mark.parametrize("frame", [1, 4])
def test_a_film_goes_on_where_it_was_interrupted(film: Films, frame: int) -> None:
    path = film(30)
    with VideoReader(path, steps_per_second=25.0) as reader, VideoReader(path, steps_per_second=25.0) as other:
        whole = other.get(30)
        begun = reader.get(10)
        process = reader._decoder._process  # type: ignore[union-attr]
        process.pipe = Interrupted(process.pipe, frame)  # type: ignore[assignment]
        with convis.use_resolution(convis.Resolution(10.0, 25.0)):
            model = convis.filters.NLRectify()
        with pytest.raises(KeyboardInterrupt):
            model.run(reader, dt=6)
        assert reader.position == 10
        rest = model.run(reader, dt=6)[0]
        torch.testing.assert_close(torch.cat([begun, rest], dim=2), whole, rtol=0, atol=0)
        assert reader.length == 30


def test_an_interrupt_of_the_run_does_not_reach_the_programs_that_read_and_write(film: Films, tmp_path: Path) -> None:
    """A terminal, and Jupyter, interrupt the whole process group; ffmpeg in it ended, and the film with it."""
    before = psutil.Process().children()
    reader, writer = VideoReader(film(300, 64, 64)), VideoWriter(tmp_path / "a.mp4")
    reader.get(1)
    writer.put(torch.zeros(5, 8, 8))
    running = [child for child in psutil.Process().children() if child not in before]
    assert len(running) == 2
    assert os.getpgrp() not in [os.getpgid(child.pid) for child in running]
    reader.close()
    writer.discard()


def test_a_film_that_is_interrupted_while_it_is_written_is_given_up(tmp_path: Path, film: Films) -> None:
    path = film(5)
    before = path.read_bytes()
    writer = VideoWriter(path, steps_per_second=25.0)
    writer.put(torch.zeros(2, 8, 8))
    process = writer._process
    process.pipe = Interrupted(process.pipe, 1)  # type: ignore[union-attr, assignment]
    with pytest.raises(KeyboardInterrupt):
        writer.put(torch.zeros(2, 8, 8))
    with pytest.raises(StreamError, match="closed"):  # frames put now would be shifted by what is missing of the last
        writer.put(torch.zeros(2, 8, 8))
    writer.close()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_film_cannot_take_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(FileWriteError, match=r"a\.mp4 cannot be written: it is a folder"):
        VideoWriter(tmp_path / "a.mp4")  # at once, and not when all has been computed
    writer = VideoWriter(tmp_path / "b.mp4")
    writer.put(torch.zeros(2, 8, 8))
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(FileWriteError, match=r"b\.mp4 cannot be written: it is a folder.*choose another folder"):
        writer.close()
