"""Files of frames that lie about their size, are cut short or hold odd numbers."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convis_core.errors import FileFormatError, VideoWarning
from convis_core.streams import (
    HDF5Reader,
    HDF5Writer,
    InrImageStreamer,
    InrImageStreamWriter,
    MNISTStream,
    NumpyReader,
    NumpyWriter,
)
from convis_core.streams.idx import read_idx
from convis_core.streams.inr_header import HEADER_BYTES, InrHeader

WRITERS: list[tuple[Any, Any, str]] = [
    (NumpyWriter, NumpyReader, ".npy"),
    (InrImageStreamWriter, InrImageStreamer, ".inr"),
    (HDF5Writer, HDF5Reader, ".h5"),
]


def inr(path: Path, data: bytes = np.arange(4, dtype="<f4").tobytes(), **changes: object) -> Path:
    """One frame of 2x2 floats, and a header with changes."""
    fields = {
        "XDIM": 2,
        "YDIM": 2,
        "ZDIM": 1,
        "VDIM": 1,
        "TYPE": "float",
        "PIXSIZE": "32 bits",
        "CPU": "decm",
        **changes,
    }
    text = "#INRIMAGE-4#{\n" + "".join(f"{name}={value}\n" for name, value in fields.items())
    path.write_bytes((text.ljust(HEADER_BYTES - 4, "\n") + "##}\n").encode("ascii") + data)
    return path


def idx(shape: tuple[int, ...], data: bytes, kind: int = 8, zero: int = 0) -> bytes:
    return struct.pack(">HBB", zero, kind, len(shape)) + struct.pack(f">{len(shape)}I", *shape) + data


@pytest.mark.parametrize(
    "dims",
    [
        {"XDIM": 2**32, "YDIM": 2**32},  # 2 to the 64th pixels: 0 in 64 bits
        {"XDIM": 2**31, "YDIM": 2**31, "VDIM": 3},  # below 0 in 64 bits
        {"XDIM": 10**30},
        {"ZDIM": 10**30, "XDIM": 3},
    ],
)
def test_a_frame_larger_than_the_file_is_refused(tmp_path: Path, dims: dict[str, int]) -> None:
    with pytest.raises(FileFormatError, match=r"announces .* frames and holds none"):
        InrImageStreamer(inr(tmp_path / "film.inr", **dims))


@pytest.mark.parametrize("bits", ["33 bits", "7 bits", "-32 bits", "0 bits", "", "many"])
def test_a_number_type_that_is_none_is_refused(tmp_path: Path, bits: str) -> None:
    with pytest.raises(FileFormatError, match=r"The header of .* cannot be understood"):
        InrImageStreamer(inr(tmp_path / "film.inr", PIXSIZE=bits))


@pytest.mark.parametrize("name", ["XDIM", "YDIM"])
def test_a_header_without_a_size_is_refused(tmp_path: Path, name: str) -> None:
    """Frames one pixel wide would be read from the numbers of larger ones."""
    path = inr(tmp_path / "film.inr")
    path.write_bytes(path.read_bytes().replace(f"{name}=2\n".encode(), b"#=====\n"))
    with pytest.raises(FileFormatError, match=f"cannot be understood: '{name}'"):
        InrImageStreamer(path)


def test_more_frames_than_are_there_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    with pytest.warns(VideoWarning, match=r"announces 1000000 frames and ends after 1\."):
        film = InrImageStreamer(inr(tmp_path / "film.inr", ZDIM=10**6))
    assert film.get(10).flatten().tolist() == [0.0, 1.0, 2.0, 3.0] and film.remaining == 0


def test_the_order_of_bytes_is_that_of_the_header(tmp_path: Path) -> None:
    values = np.arange(4.0).reshape(1, 2, 2)
    for cpu, dtype in (("decm", "<f4"), ("pc", "<f4"), ("ALPHA", "<f4"), ("sun", ">f4"), ("sgi", ">f4")):
        film = InrImageStreamer(inr(tmp_path / "film.inr", values.astype(dtype).tobytes(), CPU=cpu))
        assert film.get(1)[0, 0].tolist() == values.tolist()


@given(
    size=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    frames=st.integers(0, 10**6),
    channels=st.integers(1, 9),
    dtype=st.sampled_from(["<f4", "<f8"]),
)
def test_a_header_says_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, size: tuple[int, int], frames: int, channels: int, dtype: str
) -> None:
    header = InrHeader(size, frames, channels, np.dtype(dtype))
    path = tmp_path_factory.mktemp("inr") / "header.inr"
    path.write_bytes(header.encode())
    assert len(header.encode()) == HEADER_BYTES and InrHeader.read(path) == header


@given(cut=st.integers(0, HEADER_BYTES - 1))
def test_a_header_cut_anywhere_is_no_header(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("inr") / "cut.inr"
    path.write_bytes(InrHeader((2, 2), 1, 1, np.dtype("<f4")).encode()[:cut])
    with pytest.raises(FileFormatError, match="is no Inrimage file"):
        InrImageStreamer(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(2**32 - 1,) * 2, (2**32 - 1,) * 4, (5, 2)])
def test_digits_that_are_not_there_are_not_made_room_for(tmp_path: Path, pack: Any, shape: tuple[int, ...]) -> None:
    (tmp_path / "digits").write_bytes(pack(idx(shape, b"\0" * 9)))
    with pytest.raises(FileFormatError, match=r"is broken|ends early"):
        read_idx(tmp_path / "digits")


@pytest.mark.parametrize(("kind", "zero"), [(10, 0), (0, 0), (255, 0), (8, 1)])
def test_the_first_bytes_say_whether_it_is_idx(tmp_path: Path, kind: int, zero: int) -> None:
    (tmp_path / "digits").write_bytes(idx((1,), b"\0", kind, zero))
    with pytest.raises(FileFormatError, match="its first bytes say so"):
        read_idx(tmp_path / "digits")


@given(
    data=st.data(), dtype=st.sampled_from([(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
)
def test_idx_of_every_type_comes_through_and_none_cut_short(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, dtype: tuple[int, str]
) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype[1])
    whole = idx(shape, values.tobytes(), dtype[0])
    pack = data.draw(st.sampled_from([bytes, gzip.compress]))
    path = tmp_path_factory.mktemp("idx") / "values"
    path.write_bytes(pack(whole))
    read = read_idx(path)
    assert np.array_equal(read, values) and read.dtype.isnative
    packed = pack(whole)
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed) - 1))])
    try:
        read = read_idx(path)
    except FileFormatError:
        return
    # All that gzip adds at the end can be missing, and a value never.
    assert pack is gzip.compress and np.array_equal(read, values)


def test_digits_without_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "digits").write_bytes(idx((0, 2, 2), b""))
    with pytest.raises(Exception, match=r".+") as caught:
        MNISTStream(tmp_path / "digits")
    assert type(caught.value).__module__ == "convis_core.errors"


@pytest.mark.parametrize(("writer", "reader", "suffix"), WRITERS[:2])
def test_a_film_without_frames_can_be_read(tmp_path: Path, writer: Any, reader: Any, suffix: str) -> None:
    path = tmp_path / f"Stäbchen 桿体{suffix}"
    with writer(path) as film:
        film.put(torch.zeros(0, 4, 6))
    read = reader(path)
    assert read.length == 0 and read.size == (4, 6) and read.get(3).shape == (1, 1, 0, 4, 6)
    assert read.value_range == (0.0, 1.0)


@pytest.mark.parametrize(("writer", "reader", "suffix"), WRITERS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.uint8, torch.bool])
def test_numbers_of_any_length_are_written(
    tmp_path: Path, writer: Any, reader: Any, suffix: str, dtype: torch.dtype
) -> None:
    frames = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]).reshape(1, 2, 3).to(dtype)
    with writer(tmp_path / f"film{suffix}") as film:
        film.put(frames)
        film.put(frames)
    read = reader(tmp_path / f"film{suffix}").get(5)
    assert read.is_floating_point() and torch.equal(read[0, 0].double(), frames.double().repeat(2, 1, 1))


@pytest.mark.parametrize("dtype", [">f8", ">i2", "<u8", "?", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_files_of_other_machines_are_read(tmp_path: Path, dtype: str, order: Any) -> None:
    values = (np.arange(24).reshape(2, 3, 4) % 2).astype(dtype, order=order)
    np.save(tmp_path / "film.npy", values)
    assert NumpyReader(tmp_path / "film.npy").get(2)[0, 0].tolist() == values.astype(float).tolist()


@pytest.mark.skipif(np.longdouble().itemsize <= 8, reason="no longer floats here")
def test_numbers_too_long_for_torch_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "film.npy", np.zeros((2, 3, 4), np.longdouble))
    with pytest.raises(FileFormatError, match="not real numbers of up to 64 bits"):
        NumpyReader(tmp_path / "film.npy")


def test_an_order_of_bytes_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"CPU=cray says no order of bytes, expected one of decm, .*sun"):
        InrImageStreamer(inr(tmp_path / "film.inr", bytes(100), CPU="cray"))
