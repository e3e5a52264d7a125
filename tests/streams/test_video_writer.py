"""Films that are written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core.errors import FileWriteError, ShapeError, StreamError, VideoError, VideoWarning
from convis_core.streams import VideoReader, VideoWriter

LEVEL = 1.5 / 255


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (50, 33), (1, 1)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_size_and_values_come_back(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    frames = torch.linspace(0, 1, 6)[:, None, None].expand(6, *size)
    with VideoWriter(tmp_path / f"film{suffix}", steps_per_second=30.0, crf=0) as writer:
        for part in frames.split([1, 3, 2]):
            writer.put(part)
    with VideoReader(tmp_path / f"film{suffix}", steps_per_second=30.0) as reader:
        assert (reader.size, reader.length, reader.film_rate) == (size, 6, 30.0)
        torch.testing.assert_close(reader.get(6)[0, 0], frames, atol=LEVEL, rtol=0)


def test_value_range_maps_to_black_and_white(tmp_path: Path) -> None:
    frames = np.linspace(-2, 6, 5)[:, None, None] * np.ones((4, 4))
    with VideoWriter(tmp_path / "a.mp4", 25.0, value_range=(-2.0, 6.0), crf=0) as writer:
        writer.put(frames)
    read = VideoReader(tmp_path / "a.mp4", steps_per_second=25.0).get(5)
    assert read[0, 0, :, 0, 0].tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=LEVEL)


def test_values_out_of_range_are_clipped_and_said_to_be(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 25.0, crf=0) as writer:
        with pytest.warns(VideoWarning, match=r"clipped in a\.mp4"):
            writer.put(torch.tensor([-1.0, 0.5, 9.0])[:, None, None].expand(3, 2, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            writer.put(torch.full((1, 2, 2), 3.0))  # said once
    read = VideoReader(tmp_path / "a.mp4", steps_per_second=25.0).get(4)[0, 0, :, 0, 0]
    assert read.tolist() == pytest.approx([0.0, 0.5, 1.0, 1.0], abs=LEVEL)


@pytest.mark.parametrize(("rate", "fps", "shown"), [(100, 25, [0, 4, 8, 12]), (10, 30, [0, 0, 0, 1, 1, 1])])
def test_the_film_plays_in_real_time(tmp_path: Path, rate: float, fps: float, shown: list[int]) -> None:
    frames = torch.linspace(0, 1, 16)[: 16 if rate > fps else 2, None, None].expand(-1, 2, 2)
    with VideoWriter(tmp_path / "a.mp4", rate, fps=fps, crf=0) as writer:
        for part in frames.split(3):  # picking goes on across chunks
            writer.put(part)
    assert (writer.n_put, writer.n_written) == (len(frames), len(shown))
    with VideoReader(tmp_path / "a.mp4", steps_per_second=fps) as film:
        torch.testing.assert_close(film.get(99)[0, 0], frames[shown], atol=LEVEL, rtol=0)


def test_spikes_and_five_axes_can_be_put(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 25.0, crf=0) as writer:
        writer.put(torch.eye(4, dtype=torch.bool)[None, None, None].expand(1, 1, 2, 4, 4))
    read = VideoReader(tmp_path / "a.mp4", steps_per_second=25.0).get(2)
    assert torch.equal(read.round()[0, 0, 1], torch.eye(4))


def test_an_error_leaves_the_older_film_alone(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("older")
    with pytest.raises(RuntimeError, match="in the middle"), VideoWriter(path) as writer:
        writer.put(torch.zeros(3, 4, 4))
        raise RuntimeError("in the middle")
    assert path.read_text() == "older" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(StreamError, match="has been closed"):
        writer.put(torch.zeros(3, 4, 4))


def test_the_name_is_taken_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "film.mp4"
    writer = VideoWriter(path, 25.0)
    writer.put(torch.zeros(3, 4, 4))
    assert not path.exists()
    writer.close()
    assert list(path.parent.iterdir()) == [path]
    writer.close()  # twice does nothing
    assert VideoReader(path).n_frames == 3


def test_a_film_without_frames_is_not_written(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4")
    writer.put(torch.zeros(0, 4, 4))
    with pytest.warns(VideoWarning, match="No frame was put"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", crf=0)
    writer.crf = "best"  # type: ignore[assignment]
    with pytest.raises(VideoError, match=r"a\.mp4 could not be written: .+"):
        for _ in range(100):
            writer.put(torch.zeros(20, 64, 64))
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_frames_are_checked(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.put(torch.zeros(2, 4, 4))
        with pytest.raises(ShapeError, match=r"one batch and one channel, got \[1, 2, 3, 4, 4\]"):
            writer.put(torch.zeros(1, 2, 3, 4, 4))
        with pytest.raises(ShapeError, match=r"begun with frames of \(4, 4\), got \(5, 4\)"):
            writer.put(torch.zeros(2, 5, 4))
        with pytest.raises(ShapeError, match="NaN or infinite, the first in frame 3"):
            writer.put(torch.tensor([0.0, float("nan")])[:, None, None].expand(2, 4, 4))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("film.doc", {}, "kind of film"),
        ("film", {}, "kind of film"),
        ("a.mp4", {"value_range": (1.0, 0.0)}, "value_range"),
        ("a.mp4", {"value_range": 3}, "value_range"),
        ("a.mp4", {"fps": 0}, "fps"),
        ("a.mp4", {"steps_per_second": float("nan")}, "steps_per_second"),
        ("a.mp4", {"crf": -1}, "crf"),
    ],
)
def test_nonsense_is_refused_at_the_door(tmp_path: Path, name: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(StreamError, match=message):
        VideoWriter(tmp_path / name, **arguments)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made(tmp_path: Path, children: Callable[[], list[str]]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileWriteError, match=r"cannot be written.*another folder"):
        VideoWriter(tmp_path / "file" / "a.mp4")
    writer = VideoWriter(tmp_path / "folder" / "a.mp4")
    (tmp_path / "folder").touch()
    with pytest.raises(FileWriteError, match=r"cannot be written.*another folder"):
        writer.put(torch.zeros(2, 4, 4))
    assert children() == []


@pytest.mark.parametrize("n", [20, 100, 200])
def test_a_short_film_at_a_thousand_frames_a_second_keeps_every_frame(tmp_path: Path, n: int) -> None:
    with VideoWriter(tmp_path / "fast.mp4", steps_per_second=1000.0) as writer:
        writer.put(torch.rand(n, 16, 16))
    with VideoReader(tmp_path / "fast.mp4", steps_per_second=1000.0) as reader:
        assert reader.length == n
        assert reader.get(2 * n).shape[2] == n
