"""Frames in files: Inrimage, npy and HDF5, read and written piece by piece."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core.errors import (
    FileFormatError,
    FileWriteError,
    MissingDependencyError,
    ShapeError,
    StreamError,
    UnknownNameError,
    VideoWarning,
)
from convis_core.streams import (
    HDF5Reader,
    HDF5Writer,
    InrImageStreamer,
    InrImageStreamWriter,
    NumpyReader,
    NumpyWriter,
    OutputStream,
    Stream,
)
from convis_core.tensors import lift

KINDS: dict[str, tuple[Callable[..., OutputStream], Callable[..., Stream]]] = {
    "film.inr": (InrImageStreamWriter, InrImageStreamer),
    "film.npy": (NumpyWriter, NumpyReader),
    "film.h5": (HDF5Writer, HDF5Reader),
}
every_kind = pytest.mark.parametrize("name", KINDS)


@every_kind
@given(cuts=st.lists(st.integers(0, 5), min_size=1, max_size=4), reads=st.lists(st.integers(0, 4), max_size=4))
def test_what_is_put_in_pieces_is_read_in_other_pieces(
    tmp_path_factory: pytest.TempPathFactory, name: str, cuts: list[int], reads: list[int]
) -> None:
    path = tmp_path_factory.mktemp("stored") / name
    write, read = KINDS[name]
    cuts = [1, *cuts]
    frames = torch.randn(1, 1, sum(cuts), 3, 5)
    with write(path) as writer:
        for part in frames.split(cuts, dim=2):
            writer.put(part)
    with read(path) as stream:
        assert (stream.size, stream.length) == ((3, 5), sum(cuts))
        parts = [stream.get(n) for n in (*reads, 99)]
        assert torch.equal(torch.cat(parts, dim=2), frames)
        stream.seek(1)
        assert stream.get(0).shape == (1, 1, 0, 3, 5)
        assert torch.equal(stream.get(99), frames[:, :, 1:])
        lo, hi = stream.value_range
        assert lo == float(frames.min()) and (hi == float(frames.max()) or sum(cuts) * 15 == 1)


@every_kind
def test_a_film_without_frames_is_read_as_one(tmp_path: Path, name: str) -> None:
    """Also where chunks came and all of them were empty."""
    write, read = KINDS[name]
    with write(tmp_path / name) as writer:
        for _ in range(2):
            writer.put(torch.zeros(1, 1, 0, 3, 5))
    with read(tmp_path / name) as stream:
        assert (stream.size, stream.length) == ((3, 5), 0)
        assert tuple(stream.get(4).shape) == (1, 1, 0, 3, 5)


@every_kind
def test_the_file_is_whole_after_every_put(tmp_path: Path, name: str) -> None:
    write, read = KINDS[name]
    writer = write(tmp_path / name)
    for n in (2, 3):
        writer.put(torch.full((n, 4, 6), float(n)))
        if name != "film.h5":  # one process cannot have an HDF5 file open for both
            with read(tmp_path / name) as stream:
                assert stream.length == writer.n_written  # type: ignore[attr-defined]
                assert float(stream.get(5)[0, 0, -1, 0, 0]) == n
    writer.close()
    writer.close()
    with pytest.raises(StreamError, match="has been closed"):
        writer.put(torch.zeros(1, 4, 6))


CRASH = """
import os, signal, sys, torch
from convis_core import streams
writer = getattr(streams, sys.argv[1])(sys.argv[2])
for k in range(3):
    writer.put(torch.full((2, 4, 6), float(k)))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("name", "kind"), [("film.inr", "InrImageStreamWriter"), ("film.npy", "NumpyWriter")])
def test_nothing_put_is_lost_when_the_writer_is_killed(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    done = subprocess.run([sys.executable, "-c", CRASH, kind, str(path)], env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert done.returncode == -signal.SIGKILL
    assert KINDS[name][1](path).get(99)[0, 0, :, 0, 0].tolist() == [0, 0, 1, 1, 2, 2]


@every_kind
def test_another_size_is_refused_and_changes_nothing(tmp_path: Path, name: str) -> None:
    write, read = KINDS[name]
    with write(tmp_path / name) as writer:
        writer.put(torch.ones(2, 4, 6))
        with pytest.raises(ShapeError, match=r"begun with frames \[1, 1, 4, 6\].*got \[1, 1, 6, 4\]"):
            writer.put(torch.ones(2, 6, 4))
    with read(tmp_path / name) as stream:
        assert stream.length == 2


@every_kind
def test_frames_without_pixels_are_refused(tmp_path: Path, name: str) -> None:
    """A file of them could not be read."""
    with pytest.raises(ShapeError, match="cannot hold frames without pixels"), KINDS[name][0](tmp_path / name) as film:
        film.put(np.zeros((3, 0, 4)))
    assert not list(tmp_path.iterdir())


def test_channels_and_batches_have_an_answer(tmp_path: Path) -> None:
    frames = torch.randn(2, 3, 4, 5, 6)
    with HDF5Writer(tmp_path / "a.h5", compress=True) as whole:
        whole.put(frames)
    assert torch.equal(HDF5Reader(tmp_path / "a.h5").get(9), frames)
    with InrImageStreamWriter(tmp_path / "a.inr", dtype="float64") as inr:
        with pytest.raises(ShapeError, match=r"writes one batch, got \[2, 3, 4, 5, 6\].*HDF5Writer"):
            inr.put(frames)
        inr.put(frames[:1, :, :3])
        inr.put(frames[:1, :, 3:])
    assert torch.equal(InrImageStreamer(inr.path).get(9).float(), frames[:1])
    with NumpyWriter(tmp_path / "a.npy") as array, pytest.raises(ShapeError, match="one batch and one channel"):
        array.put(frames[:1])


@every_kind
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with KINDS[name][0](tmp_path / "file" / name) as writer, pytest.raises(FileWriteError, match="no folder"):
        writer.put(torch.zeros(1, 2, 2))


@every_kind
def test_missing_and_broken_files_are_named(tmp_path: Path, name: str) -> None:
    read = KINDS[name][1]
    with pytest.raises(FileFormatError, match=r"There is no file .*film"):
        read(tmp_path / name)
    (tmp_path / name).write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(FileFormatError, match=f"{tmp_path / name} is no"):
        read(tmp_path / name)


# Inrimage -----------------------------------------------------------------------------------


def inrimage(path: Path, kind: str, bits: int, cpu: str, data: bytes, dims: tuple[int, ...] = (3, 2, 4, 1)) -> Path:
    names = ("XDIM", "YDIM", "ZDIM", "VDIM")
    lines = [*(f"{n}={d}" for n, d in zip(names, dims, strict=True)), f"TYPE={kind}", f"PIXSIZE={bits} bits"]
    text = "\n".join(["#INRIMAGE-4#{", *lines, f"CPU={cpu}", ""])
    path.write_bytes(text.ljust(252, "\n").encode() + b"##}\n" + data)
    return path


@pytest.mark.parametrize(
    ("kind", "bits", "cpu", "dtype"),
    [
        ("float", 64, "decm", "<f8"),
        ("float", 32, "sun", ">f4"),
        ("unsigned fixed", 8, "decm", "u1"),
        ("unsigned fixed", 16, "sgi", ">u2"),
        ("signed fixed", 16, "pc", "<i2"),
    ],
)
def test_every_number_type_is_read(tmp_path: Path, kind: str, bits: int, cpu: str, dtype: str) -> None:
    """X varies fastest, then y, then time: a frame has YDIM rows and XDIM columns."""
    values = np.arange(24, dtype=dtype)
    stream = InrImageStreamer(inrimage(tmp_path / "a.inr", kind, bits, cpu, values.tobytes()), steps_per_second=200)
    assert (stream.size, stream.length, stream.steps_per_second) == ((2, 3), 4, 200.0)
    frames = stream.get(9)
    assert frames.is_floating_point() and torch.equal(frames.flatten(), torch.arange(24).to(frames.dtype))


def test_the_header_is_that_of_virtual_retina(tmp_path: Path) -> None:
    with InrImageStreamWriter(tmp_path / "a.inr", dtype="float64") as writer:
        writer.put(torch.zeros(5, 2, 3))
    data = writer.path.read_bytes()
    assert data[252:256] == b"##}\n" and len(data) == 256 + 5 * 6 * 8
    lines = data[:252].decode().split()
    assert lines[:6] == ["#INRIMAGE-4#{", "XDIM=3", "YDIM=2", "ZDIM=5", "VDIM=1", "TYPE=float"]
    assert lines[6:] == ["PIXSIZE=64", "bits", "CPU=decm"]


def test_a_file_that_ends_early_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = inrimage(tmp_path / "a.inr", "float", 32, "decm", np.ones(15, "<f4").tobytes())
    with pytest.warns(VideoWarning, match="announces 4 frames and ends after 2"):
        assert InrImageStreamer(path).length == 2
    with pytest.raises(FileFormatError, match="holds none"):
        InrImageStreamer(inrimage(tmp_path / "b.inr", "float", 32, "decm", b""))


@pytest.mark.parametrize(
    ("kind", "bits", "dims"), [("complex", 32, (1, 1, 1, 1)), ("float", 32, (0, 1, 1, 1)), ("float", 7, (1, 1, 1, 1))]
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, kind: str, bits: int, dims: tuple[int, ...]) -> None:
    with pytest.raises(FileFormatError, match="cannot be understood"):
        InrImageStreamer(inrimage(tmp_path / "a.inr", kind, bits, "decm", b"0" * 99, dims))


def test_a_retina_in_a_runner_writes_inr(tmp_path: Path) -> None:
    model = convis.models.LN(kernel_dim=(3, 3, 3))
    source = convis.streams.RandomStream(size=(7, 9), seed=1, length=50)
    writer = InrImageStreamWriter(tmp_path / "output.inr")
    with convis.Runner(model, source, writer, dt=20) as runner:
        runner.start()
        runner.join()
    source.seek(0)
    model.clear_state()
    torch.testing.assert_close(InrImageStreamer(writer.path).get(99), model.run(source)[0].detach())


# npy and HDF5 -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7,), (7, 4, 6), (2, 3, 7, 4, 6)])
def test_arrays_of_numpy_are_lifted_as_everywhere(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape)
    np.save(tmp_path / "a.npy", array)
    assert torch.equal(NumpyReader(tmp_path / "a.npy").get(99), lift(array))
    np.save(tmp_path / "b.npy", (array > 0).astype(np.uint8))
    assert NumpyReader(tmp_path / "b.npy").get(2).is_floating_point()


def test_arrays_that_are_no_frames_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 2, 2)))
    with pytest.raises(ShapeError, match=r"got \[2, 2, 2, 2\]"):
        NumpyReader(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array(["text"]))
    with pytest.raises(FileFormatError, match="not real numbers"):
        NumpyReader(tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", a=np.zeros(3))
    with pytest.raises(FileFormatError, match="archive of arrays"):
        NumpyReader(tmp_path / "c.npz")


def test_numpy_files_keep_double_precision(tmp_path: Path) -> None:
    frames = torch.randn(4, 2, 3, dtype=torch.float64)
    with NumpyWriter(tmp_path / "a.npy") as writer:
        writer.put(frames[:1])
        writer.put(frames[1:])
    assert np.array_equal(np.load(writer.path), frames.numpy())


def test_a_dataset_is_chosen_by_its_name_and_keeps_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with HDF5Writer(path, "opl", steps_per_second=200) as opl, HDF5Writer(path, "deep/spikes") as spikes:
        opl.put(torch.ones(3, 4, 6))
        spikes.put(torch.zeros(5, 2, 2))
    assert HDF5Reader(path, "opl").steps_per_second == 200
    assert HDF5Reader(path, "deep/spikes").length == 5
    with pytest.raises(UnknownNameError, match=r"has 2 datasets. Name one .*deep/spikes \[1, 1, 5, 2, 2\]"):
        HDF5Reader(path)
    with pytest.raises(UnknownNameError, match="has no dataset 'bipolar'"):
        HDF5Reader(path, "bipolar")
    with HDF5Writer(path, "opl") as again, pytest.raises(StreamError, match="has a dataset 'opl' already"):
        again.put(torch.ones(3, 4, 6))


def test_without_h5py_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"convis-widgets\[hdf5\]"):
        HDF5Writer(tmp_path / "a.h5")


def test_a_long_film_is_not_read_whole(tmp_path: Path) -> None:
    """A gigabyte on paper: the file is sparse, and only what is asked for is read."""
    path = inrimage(tmp_path / "a.inr", "float", 32, "decm", b"", (16, 16, 1_000_000, 1))
    os.truncate(path, 256 + 1_000_000 * 16 * 16 * 4)
    stream = InrImageStreamer(path)
    stream.seek(999_990)
    assert stream.get(99).shape == (1, 1, 10, 16, 16)
