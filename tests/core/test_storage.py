"""Parameter files: whole or not at all, without code, of this model or refused."""

from __future__ import annotations

import os
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import ConvisError
from convis_core.errors import FileFormatError, ParameterError, ShapeError, StateError, UnknownNameError
from convis_core.files import atomic_path


@pytest.fixture
def model() -> convis.models.LN:
    return convis.models.LN(kernel_dim=(3, 4, 5))


@pytest.fixture
def saved(model: convis.models.LN, tmp_path: Path) -> Path:
    model.save_parameters(tmp_path / "model.npz")
    return tmp_path / "model.npz"


def test_suffix_is_added_and_forgiven(model: convis.models.LN, tmp_path: Path) -> None:
    model.save_parameters(str(tmp_path / "deep" / "fitted"))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["fitted.npz"]
    model.load_parameters(str(tmp_path / "deep" / "fitted"))
    model.load_parameters(tmp_path / "deep" / "fitted.npz")


def test_the_file_is_plain_arrays(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as stored:
        assert set(stored.files) == {"__convis__", "conv.weight", "conv.bias"}
        assert '"model": "LN"' in str(stored["__convis__"])
    assert saved.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["savez_compressed", "replace"])
def test_a_crash_leaves_the_old_file(
    model: convis.models.LN, saved: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    before = saved.read_bytes()
    whole_save = np.savez_compressed

    def crash(*args: Any, **arrays: Any) -> None:
        if moment == "savez_compressed":
            whole_save(*args, **arrays)
        raise KeyboardInterrupt("power cut")

    monkeypatch.setattr(np if moment == "savez_compressed" else os, moment, crash)
    model.p.conv.bias = 3.0
    with pytest.raises(KeyboardInterrupt):
        model.save_parameters(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_atomic_path_cleans_up(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a.txt") as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


# Reading ----------------------------------------------------------------------------------------


def test_a_missing_file(model: convis.models.LN, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"no parameter file .*nowhere"):
        model.load_parameters(tmp_path / "nowhere.npz")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("exploded",)


def test_code_in_a_file_is_not_executed(
    model: convis.models.LN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("objects.npz", **{"conv.weight": np.array([Bomb()], dtype=object), "conv.bias": np.zeros(1)})
    Path("bare.npz").write_bytes(pickle.dumps(Bomb()))
    for name in ("objects.npz", "bare.npz"):
        with pytest.raises(FileFormatError, match="not a readable parameter file"):
            model.load_parameters(name)
    assert not Path("exploded").exists()


def garbage(kind: str, whole: bytes) -> bytes:
    contents = {
        "empty": b"",
        "text": b"conv.weight = 3",
        "zip end only": b"PK\x05\x06" + b"\0" * 18,
        "half": whole[: len(whole) // 2],
        "without its start": whole[10:],
    }
    return contents[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "half", "without its start"])
def test_broken_files(model: convis.models.LN, saved: Path, kind: str) -> None:
    saved.write_bytes(garbage(kind, saved.read_bytes()))
    with pytest.raises(FileFormatError, match="not a readable parameter file"):
        model.load_parameters(saved)


def test_an_empty_archive_lacks_every_parameter(model: convis.models.LN, saved: Path) -> None:
    saved.write_bytes(garbage("zip end only", b""))
    with pytest.raises(UnknownNameError, match=r"missing conv\.bias, conv\.weight"):
        model.load_parameters(saved)


def test_an_array_file_and_a_folder(model: convis.models.LN, tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("array.npz", "folder.npz"):
        with pytest.raises(FileFormatError):
            model.load_parameters(tmp_path / name)


def test_a_flipped_byte_never_escapes_as_another_error(model: convis.models.LN, saved: Path) -> None:
    whole, chance = saved.read_bytes(), random.Random(1)
    kept = model.get_parameters()
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        saved.write_bytes(bytes(broken))
        try:
            model.load_parameters(saved)
        except ConvisError:
            for name, value in model.get_parameters().items():
                np.testing.assert_array_equal(value, kept[name])
        else:
            model.set_parameters(kept)


def test_a_zip_bomb_is_not_unpacked(model: convis.models.LN, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("conv.weight.npy", b"\0" * 2**20)
        for info in archive.infolist():
            info.file_size = 3 * 2**30  # the directory, written at the end, promises 3 GiB
    with pytest.raises(FileFormatError, match="would unpack to 3 GiB"):
        model.load_parameters(tmp_path / "bomb.npz")


def test_a_header_that_promises_too_much(model: convis.models.LN, tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("conv.weight.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(FileFormatError):
        model.load_parameters(tmp_path / "huge.npz")


# Another model ----------------------------------------------------------------------------------


def test_a_file_of_another_model(saved: Path) -> None:
    other = convis.filters.spiking.LeakyIntegrateAndFireNeuron()
    with pytest.raises(UnknownNameError) as caught:
        other.load_parameters(saved)
    assert "unknown conv.bias, conv.weight; missing g_L, noise_sigma" in str(caught.value)
    assert "strict=False" in str(caught.value)


@pytest.mark.parametrize("kernel", [(3, 4, 6), (1, 1, 1)])
def test_another_kernel_size_is_refused_not_stretched(saved: Path, tmp_path: Path, kernel: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="kernel size"):
        convis.models.LN(kernel_dim=kernel).load_parameters(saved)
    convis.models.LN(kernel_dim=(1, 1, 1)).save_parameters(tmp_path / "single.npz")
    with pytest.raises(ShapeError, match=r"\[1, 1, 3, 4, 5\] in this LN and \[1, 1, 1, 1, 1\]"):
        convis.models.LN(kernel_dim=(3, 4, 5)).load_parameters(tmp_path / "single.npz")


def test_not_strict_sets_what_fits_and_warns_here(saved: Path, tmp_path: Path) -> None:
    rectified = convis.models.LN(kernel_dim=(3, 4, 5), bias=False)
    with pytest.warns(UserWarning, match=r"unknown conv\.bias") as warned:
        rectified.load_parameters(saved, strict=False)
    assert warned[0].filename == __file__
    with np.load(saved) as stored:
        np.testing.assert_array_equal(np.asarray(rectified.p.conv.weight), stored["conv.weight"])


def test_all_or_nothing() -> None:
    neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron()
    for wrong, kind in (
        ({"g_L": 10.0, "noise_sigma": -1.0}, ParameterError),
        ({"g_L": 10.0, "noise_sigma": np.nan}, ParameterError),
        ({"g_L": 10.0, "noise_sigma": [1.0, 2.0]}, ParameterError),
        ({"g_L": 10.0}, UnknownNameError),
    ):
        with pytest.raises(kind):
            neuron.set_parameters(wrong)
        assert neuron.p.g_L == 50.0
    neuron.set_parameters({"g_L": 10, "noise_sigma": np.ones(1)})
    assert neuron.p.g_L == 10.0 and neuron.p.noise_sigma == 1.0


# What is given back, whatever it is ---------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_parameters_of_every_precision_come_out_and_go_in(dtype: torch.dtype, tmp_path: Path) -> None:
    model = convis.models.LN(kernel_dim=(3, 4, 5)).to(dtype)
    kept = model.conv.weight.detach().clone()
    assert "conv.weight = array (1, 1, 3, 4, 5)" in repr(model.p)
    model.push_all()
    model.save_parameters(tmp_path / "model.npz")
    for install in (model.pop_all, lambda: model.load_parameters(tmp_path / "model.npz")):
        model.p.conv.weight = 0.0
        install()
        assert model.conv.weight.dtype == dtype and torch.equal(model.conv.weight, kept)
    assert np.asarray(model.p.conv.weight).dtype == model.p.conv.weight.value.dtype == model.run([1.0]).array().dtype


def test_parameters_of_another_model_can_be_given_as_torch_names_them() -> None:
    model, other = convis.models.LN(kernel_dim=(3, 4, 5)), convis.models.LN(kernel_dim=(3, 4, 5)).bfloat16()
    model.set_parameters(dict(other.named_parameters()))
    torch.testing.assert_close(model.conv.weight, other.conv.weight.float())


def test_what_was_pushed_stays_until_it_fits(model: convis.models.LN) -> None:
    model.run(np.ones((5, 4, 4)))
    kept = model.get_all()
    model.push_all()
    model.push_parameters()
    model.conv.set_weight(np.ones((6, 2, 2)))
    for pop in (model.pop_all, model.pop_parameters):
        with pytest.raises(ShapeError, match=r"\[1, 1, 6, 2, 2\] in this LN and \[1, 1, 3, 4, 5\]"):
            pop()
    model.conv.set_weight(np.ones((3, 4, 5)))
    model.pop_all()  # was lost
    np.testing.assert_array_equal(np.asarray(model.p.conv.weight), kept["parameters"]["conv.weight"])
    assert torch.equal(model.s["conv.history"], kept["state"]["conv.history"])
    model.pop_parameters()
    with pytest.raises(StateError, match="Nothing was pushed"):
        model.pop_parameters()


@pytest.mark.parametrize("garbage", [None, 3, "model.npz", [1.0]])
def test_what_is_neither_parameters_nor_state(model: convis.models.LN, garbage: Any) -> None:
    with pytest.raises(ParameterError, match="Expected parameters by name, got"):
        model.set_parameters(garbage)
    with pytest.raises(StateError, match="Expected a state by name, got"):
        model.set_state(garbage)
    for part in (garbage, {}, {"parameters": model.get_parameters()}):
        with pytest.raises(StateError, match=r"parameters and state together, got.*get_all"):
            model.set_all(part)


def test_a_path_may_be_bytes(model: convis.models.LN, tmp_path: Path) -> None:
    model.save_parameters(os.fsencode(tmp_path / "model"))  # type: ignore[arg-type]
    model.load_parameters(tmp_path / "model")
