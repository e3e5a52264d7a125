"""Files of spikes that are broken in every place, and numbers that are no spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convis_core.errors import FileFormatError, ParameterError
from convis_core.spike_files import read_spikes, spike_lines, write_spikes
from convis_core.spikes import check_spikes


@pytest.mark.parametrize(
    ("unit", "time", "message"),
    [
        ([np.nan], [1.0], "whole numbers from 0"),
        ([1e300], [1.0], "whole numbers from 0"),
        ([-1], [1.0], "whole numbers from 0"),
        ([0.5], [1.0], "whole numbers from 0"),
        (np.array([2**64 - 1], np.uint64), [1.0], "whole numbers from 0"),
        ([10**30], [1.0], "to be numbers, got object"),
        ([1], [1j], "to be numbers, got int64 and complex128"),
        (["a"], [1.0], "to be numbers"),
        ([0], [np.inf], "finite"),
        ([0], [np.nan], "finite"),
        ([[0]], [[1.0]], "a unit and a time for each spike"),
        ([0, 1], [1.0], "a unit and a time for each spike"),
        (0, 1.0, "a unit and a time for each spike"),
    ],
)
def test_what_is_no_spike_is_refused_before_a_file_is_touched(
    tmp_path: Path, unit: Any, time: Any, message: str
) -> None:
    (tmp_path / "a.npz").write_text("old")
    with pytest.raises(ParameterError, match=message):
        write_spikes(tmp_path / "a.npz", unit, time)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"] and (tmp_path / "a.npz").read_text() == "old"
    if np.asarray(unit).dtype.kind != "O":  # which savez would pickle
        np.savez(tmp_path / "a.npz", unit=unit, time=time)
        with pytest.raises(FileFormatError, match=message):
            read_spikes(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "text",
    ["0 1 2", "0", "0x1 1", "1.5 0", "one 1", "0 1e", "0,1", "\ufeff0 1", "0 1;"],
)
def test_the_line_that_is_no_spike_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.spk").write_text(f"0 0.5\n\n  \n{text}\n1 1\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match="line 4: expected 'unit time', got"):
        read_spikes(tmp_path / "a.spk")


@pytest.mark.parametrize("line", ["0 1e400", "0 nan", "0 -inf", "-1 0", f"{10**30} 1", f"{2**63} 1"])
def test_numbers_that_are_no_unit_or_time_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(FileFormatError, match="holds no spikes"):
        read_spikes(tmp_path / "a.txt")


@given(spikes=st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.1, 0.2])), max_size=20))
def test_spikes_at_one_time_keep_their_order(spikes: list[tuple[int, float]]) -> None:
    found = check_spikes([u for u, _ in spikes], [t for _, t in spikes])
    expected = sorted(spikes, key=lambda spike: spike[1])  # which is stable
    assert list(zip(found.unit.tolist(), found.time.tolist(), strict=True)) == expected
    assert spike_lines(found) == "".join(f"{u} {t:g}\n" for u, t in expected)


@pytest.fixture(scope="module", params=[".npz", ".nwb"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / f"a{request.param}"
    write_spikes(path, np.arange(40) % 7, np.linspace(0.0, 2.0, 40), duration=3.0)
    return Path(path)


def test_a_file_cut_short_anywhere_is_broken(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for cut in np.linspace(0, len(data) - 1, 40).astype(int):
        path = tmp_path / f"cut{whole.suffix}"
        path.write_bytes(data[:cut])
        with pytest.raises(FileFormatError, match=str(path)):
            read_spikes(path)


def test_an_archive_with_a_wrong_byte_is_refused_or_read_and_never_crashes(tmp_path: Path) -> None:
    write_spikes(tmp_path / "a.npz", np.arange(30), np.arange(30.0))
    data = (tmp_path / "a.npz").read_bytes()
    refused = 0
    for place in range(0, len(data), 5):
        wrong = bytearray(data)
        wrong[place] ^= 0xFF
        (tmp_path / "a.npz").write_bytes(wrong)
        try:
            read = read_spikes(tmp_path / "a.npz")
        except FileFormatError:
            refused += 1
        else:  # dates and the like, which say nothing of the spikes
            assert read.unit.tolist() == list(range(30))
    assert refused > 10


def test_a_table_of_units_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    for name, wrong in (("spike_times_index", [2, 1]), ("spike_times_index", [1, 9]), ("id", [0])):
        write_spikes(tmp_path / "a.nwb", [0, 0, 1], [0.1, 0.2, 0.3])
        with h5py.File(tmp_path / "a.nwb", "a") as file:
            del file["units"][name]
            file["units"][name] = np.array(wrong)
        with pytest.raises(FileFormatError):
            read_spikes(tmp_path / "a.nwb")


def test_a_recording_lasts_at_least_to_its_last_spike(tmp_path: Path) -> None:
    for duration, end in ((0.0, 2.5), (9.0, 9.0)):
        write_spikes(tmp_path / "Zäpfchen.nwb", [4, 2], [2.5, 0.5], duration=duration)
        with h5py.File(tmp_path / "Zäpfchen.nwb") as file:
            assert file["units/obs_intervals"][:].tolist() == [[0.0, end]] * 2
            assert file["units/id"][:].tolist() == [2, 4]


@pytest.mark.parametrize("name", ["a", "a.csv", "a.npz.bak", ".spk"])
def test_a_name_that_says_no_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match=r"Cannot tell what kind of spikes.*\.spk, \.txt, \.npz, \.nwb"):
        write_spikes(tmp_path / name, [0], [1.0])
    assert not list(tmp_path.iterdir())
