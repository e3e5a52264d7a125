"""Files that are no film, or only part of one; and what is left running after them."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from convis_core.errors import StreamError, VideoError, VideoWarning
from convis_core.streams import VideoReader, VideoWriter, video
from convis_core.streams.film import Film, probe

Films = Callable[..., Path]


def cut(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    short = path.with_stem("cut")
    short.write_bytes(data[: int(len(data) * share)])
    return short


def test_missing_and_empty_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"no video file .*absent\.mp4; the folder exists"):
        VideoReader(tmp_path / "absent.mp4")
    with pytest.raises(VideoError, match=r"there is no folder .*nowhere either"):
        VideoReader(tmp_path / "nowhere" / "film.mp4")
    with pytest.raises(VideoError, match="is a folder or device"):
        VideoReader(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match=r"0 bytes.*Copy or download"):
        VideoReader(tmp_path / "empty.mp4")


@pytest.mark.parametrize("content", [b"dear diary\n" * 50, os.urandom(5000), b"\0" * 3000, b"x"])
def test_something_else_renamed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=rf"film\.mp4 \({len(content)} bytes\) cannot be read as a video: .*player"):
        VideoReader(path)


def test_sound_without_picture(ffmpeg: Callable[..., None], tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", "0.3", str(tmp_path / "sound.mp4"))
    with pytest.raises(VideoError, match="holds no picture"):
        VideoReader(tmp_path / "sound.mp4")


def test_a_longer_sound_track_is_no_fault(film: Films, ffmpeg: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    ffmpeg("-i", str(film(25)), "-f", "lavfi", "-i", "sine", "-t", "4", "-c:v", "copy", str(path))
    with VideoReader(path, steps_per_second=25.0) as reader:
        assert (reader.length, reader.get(100).shape[2]) == (25, 25)


def test_an_mp4_cut_short_has_lost_its_index(film: Films) -> None:
    with pytest.raises(VideoError, match="cannot be read as a video"):
        VideoReader(cut(film(60), 0.6))


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mp4"])
def test_what_is_left_of_a_film_cut_short_is_shown(
    film: Films, ffmpeg: Callable[..., None], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"whole{suffix}"
    ffmpeg("-i", str(film(250, 32, 32)), "-c:v", "mpeg4", "-q:v", "1", "-movflags", "+faststart", str(path))
    whole = VideoReader(path, steps_per_second=25.0).get(250)
    with pytest.warns(VideoWarning, match=r"cut\.\w+ is damaged or cut short \(.*Copy or download"):
        reader = VideoReader(cut(path, 0.6), steps_per_second=25.0)
        frames = reader.get(1000)
    assert 60 < frames.shape[2] < 240
    assert frames.shape[2] == reader.length == reader.position and reader.remaining == 0
    assert torch.equal(frames[:, :, :-1], whole[:, :, : reader.length - 1])  # the last may be torn
    assert reader.get(10).shape[2] == 0


def test_a_film_that_ends_before_its_count(film: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    def optimistic(path: Path) -> Film:
        found = probe(path)
        return replace(found, n_frames=found.n_frames + 10)

    monkeypatch.setattr(video, "probe", optimistic)
    reader = VideoReader(film(20), steps_per_second=50.0)
    assert reader.length == 60
    assert reader.get(30).shape[2] == 30 and reader.length == 60
    assert reader.get(30).shape[2] == 10 and reader.length == 40 and reader.remaining == 0


def test_no_process_is_left(film: Films, children: Callable[[], list[str]]) -> None:
    path = film(300, 64, 64)
    before = len(children())
    with VideoReader(path) as reader:
        reader.get(3)
        assert len(children()) == before + 1
    assert len(children()) == before
    forgotten = VideoReader(path)
    forgotten.get(3)
    del forgotten
    gc.collect()
    assert len(children()) == before
    ended = VideoReader(path, steps_per_second=25.0)
    ended.get(300)  # to the end, and not closed
    assert len(children()) == before
    with pytest.raises(StreamError, match="whole number"), VideoReader(path) as reader:
        reader.get(3)
        reader.get("many")  # type: ignore[arg-type]
    assert len(children()) == before


def test_no_process_is_left_by_writers(tmp_path: Path, children: Callable[[], list[str]]) -> None:
    before = len(children())
    writer = VideoWriter(tmp_path / "forgotten.mp4")
    writer.put(torch.zeros(5, 8, 8))
    assert len(children()) == before + 1
    del writer
    gc.collect()
    assert len(children()) == before and list(tmp_path.iterdir()) == []
