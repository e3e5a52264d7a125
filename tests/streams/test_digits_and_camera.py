"""Digits from files of the user, and a camera as far as it can be tested without one."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core.errors import FileFormatError, StreamError, VideoError
from convis_core.streams import CameraStream, MNISTStream
from convis_core.streams.idx import read_idx


def idx(path: Path, array: np.ndarray[Any, Any], code: int = 8) -> Path:
    data = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.fixture(params=["", ".gz"])
def files(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, Path]:
    """Twenty pictures of 5x4 pixels, each filled with ten times its number, and its number modulo 10."""
    pictures = np.arange(20, dtype=np.uint8)[:, None, None] * 10 + np.zeros((1, 5, 4), np.uint8)
    labels = np.arange(20, dtype=np.uint8) % 10
    return idx(tmp_path / f"images{request.param}", pictures), idx(tmp_path / f"labels{request.param}", labels)


def test_digits_come_one_after_another_with_gaps(files: tuple[Path, Path]) -> None:
    stream = MNISTStream(*files, repeat=3, blank=2, steps_per_second=100)
    assert (stream.size, stream.length, stream.steps_per_second) == ((5, 4), 100, 100.0)
    whole = stream.get(999)
    expected = torch.arange(20.0)[:, None] * torch.tensor([1, 1, 1, 0, 0]) * 10 / 255
    torch.testing.assert_close(whole[0, 0, :, 2, 1], expected.flatten())
    stream.seek(0)
    assert torch.equal(torch.cat([stream.get(n) for n in (1, 7, 0, 99)], dim=2), whole)
    assert [stream.label_at(k) for k in (0, 4, 5, 99)] == [0, 0, 1, 9]


def test_digits_are_chosen_and_shuffled_by_a_seed(files: tuple[Path, Path]) -> None:
    stream = MNISTStream(*files, digits=[3, 7], seed=5)
    assert stream.labels is not None and sorted(stream.labels.tolist()) == [3, 3, 7, 7]
    shown = (stream.get(9)[0, 0, :, 0, 0] * 25.5).round()
    assert (shown % 10).tolist() == stream.labels.tolist()
    assert torch.equal((MNISTStream(*files, digits=[3, 7], seed=5).get(9)[0, 0, :, 0, 0] * 25.5).round(), shown)
    assert MNISTStream(files[0]).label_at(3) is None


def test_choices_that_cannot_be_made_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(StreamError, match="Give labels="):
        MNISTStream(files[0], digits=[1])
    with pytest.raises(StreamError, match="No picture is left"):
        MNISTStream(*files, digits=[11])
    with pytest.raises(FileFormatError, match="not pictures"):
        MNISTStream(files[1])
    with pytest.raises(FileFormatError, match="do not belong together"):
        MNISTStream(files[0], files[0])


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_every_number_type_is_read(tmp_path: Path, code: int, dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    found = read_idx(idx(tmp_path / "a", array, code))
    assert np.array_equal(found, array) and found.dtype.isnative


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is broken"),
        (b"PK\x03\x04 a zip", "is no IDX file"),
        (struct.pack(">HBBI", 0, 8, 1, 4_000_000_000) + b"abc", "announces .* ends early"),
        (b"\x1f\x8bbroken gzip", "is broken"),
        (gzip.compress(bytes(4000))[:30], "is broken|is no IDX"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(FileFormatError, match=message):
        read_idx(tmp_path / "a")
    with pytest.raises(FileFormatError, match="There is no file"):
        read_idx(tmp_path / "b")


# Camera -------------------------------------------------------------------------------------


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three red pictures of 6 rows and 8 columns instead of a camera, which is then pulled out."""
    monkeypatch.setattr(CameraStream, "_input", lambda self: ["-f", "lavfi", "-i", "color=red:size=8x6:duration=0.12"])


@pytest.mark.usefixtures("camera")
def test_pictures_are_taken_as_they_are_asked_for(children: Callable[[], list[str]]) -> None:
    with CameraStream(1, size=(3, 4), gray="red") as stream:
        assert stream.length is None and stream.size == (3, 4)
        frames = stream.get(2)
        assert frames.shape == (1, 1, 2, 3, 4) and stream.position == 2
        torch.testing.assert_close(frames, torch.ones_like(frames), atol=0.02, rtol=0.0)  # ffmpeg's red is not pure
        with pytest.raises(VideoError, match="Camera 1 gives no pictures: it stopped"):
            stream.get(2)
    with pytest.raises(StreamError, match="has been closed"):
        stream.get(1)
    with CameraStream(gray="blue") as stream:
        assert stream.size == (6, 8) and float(stream.get(1).max()) < 0.02
    assert children() == []


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(VideoError, match=r"Camera 97 gives no pictures: .*Check that it is connected"):
        CameraStream(97)
    with pytest.raises(StreamError, match="number of the camera"):
        CameraStream(-1)
