"""Spike trains in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core.errors import FileFormatError, MissingDependencyError, ParameterError

SPIKES = st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1000)), max_size=30)


def arrays(spikes: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [unit for unit, _ in spikes], [time for _, time in spikes]


@pytest.mark.parametrize("kind", [".npz", ".nwb"])
@given(spikes=SPIKES)
def test_binary_files_keep_every_digit(
    tmp_path_factory: pytest.TempPathFactory, kind: str, spikes: list[tuple[int, float]]
) -> None:
    path = tmp_path_factory.mktemp("spikes") / f"a{kind}"
    convis.write_spikes(path, *arrays(spikes))
    unit, time = convis.read_spikes(path)
    assert sorted(zip(unit.tolist(), time.tolist(), strict=True)) == sorted(spikes)
    assert (np.diff(time) >= 0).all()


@given(spikes=SPIKES)
def test_text_keeps_six_digits(tmp_path_factory: pytest.TempPathFactory, spikes: list[tuple[int, float]]) -> None:
    path = tmp_path_factory.mktemp("spikes") / "a.spk"
    convis.write_spikes(path, *arrays(spikes))
    unit, time = convis.read_spikes(path)
    by_time = sorted(spikes, key=lambda spike: spike[1])
    assert unit.tolist() == [u for u, _ in by_time]
    np.testing.assert_allclose(time, [t for _, t in by_time], rtol=5e-6)


@pytest.mark.parametrize("name", ["lif_square_no_noise", "full_square_no_noise", "lif_circular_logpolar"])
def test_times_of_virtual_retina_come_through_text_unchanged(shared: Path, tmp_path: Path, name: str) -> None:
    with np.load(shared / f"reference/virtualretina/outputs/{name}.npz") as stored:
        unit, time = stored["disc__spike_id"], stored["disc__spike_time"]
    convis.write_spikes(tmp_path / "a.spk", unit, time)
    read = convis.read_spikes(tmp_path / "a.spk")
    assert len(read.time) > 100 and np.array_equal(read.unit, unit) and np.array_equal(read.time, time)
    first = (tmp_path / "a.spk").read_text().splitlines()[0].split()
    assert first == [str(unit[0]), f"{time[0]:g}"]


def test_no_spikes_are_spikes_too(tmp_path: Path) -> None:
    for kind in (".spk", ".txt", ".npz", ".nwb"):
        convis.write_spikes(tmp_path / f"a{kind}", [], [], duration=2.0)
        assert len(convis.read_spikes(tmp_path / f"a{kind}").unit) == 0


@pytest.mark.parametrize(
    ("unit", "time", "message"),
    [
        ([1, 2], [0.5], r"got \(2,\) and \(1,\)"),
        ([0.5], [0.5], "whole numbers from 0"),
        ([-1], [0.5], "whole numbers from 0"),
        ([1], [float("nan")], "finite"),
    ],
)
def test_nonsense_is_not_written(tmp_path: Path, unit: Any, time: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        convis.write_spikes(tmp_path / "a.spk", unit, time)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.spk", b"1 0.5\n\n1 soon\n", r"line 3: expected 'unit time', got '1 soon'"),
        ("a.txt", b"1 2 3\n", "line 1"),
        ("a.txt", b"-4 0.5\n", "holds no spikes"),
        ("a.txt", b"\xff\xfe\n", "line 1"),
        ("a.npz", b"no zip", "no arrays unit and time"),
        ("a.nwb", b"no HDF5", "no NWB file with a table of units"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        convis.read_spikes(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_archives_of_something_else_and_names_without_a_kind(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", unit=np.zeros(2))
    with pytest.raises(FileFormatError, match="no arrays unit and time"):
        convis.read_spikes(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", unit=np.zeros(2), time=np.array(["a", "b"]))
    with pytest.raises(FileFormatError, match="holds no spikes"):
        convis.read_spikes(tmp_path / "b.npz")
    with pytest.raises(FileFormatError, match=r"ends in \.spk, \.txt, \.npz, \.nwb"):
        convis.write_spikes(tmp_path / "a.csv", [1], [0.5])
    with pytest.raises(FileFormatError, match="There is no file"):
        convis.read_spikes(tmp_path / "absent.spk")


def test_nwb_has_a_row_a_unit(tmp_path: Path) -> None:
    convis.write_spikes(tmp_path / "a.nwb", [7, 2, 7], [0.1, 0.2, 0.3], duration=1.5)
    with h5py.File(tmp_path / "a.nwb") as file:
        table = file["units"]
        assert table["id"][:].tolist() == [2, 7]
        assert table["spike_times"][:].tolist() == [0.2, 0.1, 0.3]
        assert table["spike_times_index"][:].tolist() == [1, 3]
        assert file[table["spike_times_index"].attrs["target"]].name == "/units/spike_times"
        assert table["obs_intervals"][:].tolist() == [[0.0, 1.5]] * 2
        assert file.attrs["neurodata_type"] == "NWBFile"


def test_without_h5py_nwb_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match="hdf5"):
        convis.write_spikes(tmp_path / "a.nwb", [1], [0.5])
    assert not list(tmp_path.iterdir())
