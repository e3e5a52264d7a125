"""A retina watches a film on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.retina import Retina, RetinaConfiguration
from tests.conftest import ROOT

Says = Callable[[str], Any]


def test_every_answer_goes_to_the_file(convis_says: Says, model: Path, movie: np.ndarray, tmp_path: Path) -> None:
    said = convis_says("run retina.xml film.npy -o out.h5 --dt 7 --record opl,bipolar --seed 3")
    assert said.code == 0 and "out.h5: 60 steps of ganglion_spikes_ON, ganglion_spikes_OFF, opl, bipolar" in said.out
    expected = Retina.from_xml(model, seed=3).run(movie, record=("opl", "bipolar"))
    with h5py.File(tmp_path / "out.h5") as file:
        assert set(file) == set(expected.names)
        for name in expected.names:
            assert file[name].attrs["steps_per_second"] == 200
            np.testing.assert_allclose(file[name][:], expected.array(name), atol=1e-5)
        described = RetinaConfiguration.from_dict(json.loads(file.attrs["configuration"]))
        assert described == Retina.from_xml(model).to_configuration()


def test_white_of_a_video_is_the_range_of_the_model(
    convis_says: Says, model: Path, movie: np.ndarray, tmp_path: Path
) -> None:
    config = RetinaConfiguration.read(model)
    config.set("input-luminosity-range", 255)
    config.write(tmp_path / "bright.xml")
    for name in ("retina", "bright"):
        assert convis_says(f"run {name}.xml film.mp4 -o {name}.h5 --record opl --steps 100").code == 0
    one, other = (convis.streams.HDF5Reader(tmp_path / f"{name}.h5", "opl").get(999) for name in ("retina", "bright"))
    assert one.shape == (1, 1, 100, 12, 16) and float(one.abs().max()) > 0.1
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    held = Retina.from_xml(model).run(np.repeat(movie, 8, axis=0)[:100], record="opl")  # 25 Hz at 200 steps a second
    torch.testing.assert_close(one, held["opl"], atol=0.1, rtol=0.0)  # but for the coding of the film


def test_spikes_as_text(convis_says: Says, model: Path, movie: np.ndarray, tmp_path: Path) -> None:
    said = convis_says("run retina.xml film.npy -o out.spk --dt 11")
    unit, time = convis.read_spikes(tmp_path / "out.spk")
    assert said.code == 0 and f"{len(unit)} spikes in 60 steps" in said.out and len(unit) > 20
    responses = Retina.from_xml(model).run(movie)
    counts = np.concatenate([response.detach().numpy()[0, 0].reshape(60, -1) for response in responses], axis=1)
    assert np.array_equal(np.bincount(unit, minlength=counts.shape[1]), counts.sum(0))
    assert np.array_equal(np.bincount((time * 200).astype(int), minlength=60), counts.sum(1))


def test_the_same_seed_gives_the_same_noise(convis_says: Says, movie: np.ndarray, tmp_path: Path) -> None:
    RetinaConfiguration({"temporal-step__sec": 0.005, "ganglion-layers.*.spiking-channel.sigma-V": 0.5}).write(
        tmp_path / "noisy.json"
    )
    for seed in (1, 1, 2):
        assert convis_says(f"run noisy.json film.npy -o {seed}.spk --seed {seed} --force").code == 0
        (tmp_path / f"{seed}.spk").rename(tmp_path / f"{seed}_{len(list(tmp_path.glob('*.txt')))}.txt")
    texts = [path.read_text() for path in sorted(tmp_path.glob("*.txt"))]
    assert len(texts) == 3 and texts[0] == texts[1] != texts[2]


def test_a_linear_retina_writes_one_film(convis_says: Says, shared: Path, movie: np.ndarray, tmp_path: Path) -> None:
    example = shared / "reference/virtualretina/configs/opl_separable.xml"
    assert convis_says(f"run {example} film.npy -o out.inr").code == 0
    expected = Retina.from_xml(example).run(movie)[0]
    torch.testing.assert_close(convis.streams.InrImageStreamer(tmp_path / "out.inr").get(99), expected.detach())
    said = convis_says(f"run {example} film.npy -o out.spk")
    assert said.code == 2 and "does not spike" in said.error


def test_as_virtual_retina(convis_says: Says, shared: Path, tmp_path: Path) -> None:
    """The numbers of Virtual Retina, by the command line alone."""
    folder = shared / "reference" / "virtualretina"
    with np.load(folder / "inputs" / "grating.npz") as stored:
        np.save(tmp_path / "grating.npy", stored["seq"])
    with np.load(folder / "outputs" / "opl_separable.npz") as stored:
        expected = stored["grating__opl"]
    config = RetinaConfiguration.read(folder / "configs" / "opl_separable.xml")
    config.set("input-luminosity-range", 256)  # adapted to 128, as the stored runs were
    config.set("outer-plexiform-layer.linear-version.opl-amplification", 10 * 256 / 255)
    config.write(tmp_path / "opl.xml")
    assert convis_says("run opl.xml grating.npy -o out.h5 --virtual-retina").code == 0
    found = convis.streams.HDF5Reader(tmp_path / "out.h5", "opl").get(999)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_spikes_of_arrays_are_those_of_virtual_retina(convis_says: Says, shared: Path, tmp_path: Path) -> None:
    """Cells, counts and times, inside the steps."""
    folder = shared / "reference" / "virtualretina"
    with np.load(folder / "inputs" / "disc.npz") as stored:
        np.save(tmp_path / "disc.npy", stored["seq"])
    with np.load(folder / "outputs" / "full_square_no_noise.npz") as stored:
        unit, time = stored["disc__spike_id"], stored["disc__spike_time"]
    config = RetinaConfiguration.read(folder / "configs" / "full_square_no_noise.xml")
    config.set("input-luminosity-range", 256)  # adapted to 128, as the stored runs were
    config.set("outer-plexiform-layer.linear-version.opl-amplification", 10 * 256 / 255)
    config.write(tmp_path / "full.xml")
    said = convis_says("run full.xml disc.npy -o out.spk --virtual-retina --dt 9")
    found = convis.read_spikes(tmp_path / "out.spk")
    assert said.code == 0 and len(found.unit) == len(unit) == 180
    assert np.array_equal(np.bincount(found.unit), np.bincount(unit))
    order, expected = np.lexsort((found.time, found.unit)), np.lexsort((time, unit))
    np.testing.assert_allclose(found.time[order], time[expected], atol=1e-4)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run absent.xml film.npy -o out.h5", "absent.xml' cannot be read"),
        ("run retina.xml absent.mp4 -o out.h5", "no film absent.mp4"),
        ("run retina.xml absent.npz -o out.h5", "absent.npz"),
        ("run retina.xml film.npy -o out.doc", "out.doc is no file for answers. Its name must end in one of .h5"),
        ("run retina.xml retina.xml -o out.h5", "retina.xml is no film"),
        ("run retina.xml film.npy -o film.npy", "film.npy is there already"),
        ("run retina.xml film.npy -o nowhere/out.h5", "There is no folder"),
        ("run retina.xml film.npy -o out.inr", "holds one film"),
        ("run retina.xml film.npy -o out.spk --record opl", "cannot hold recorded stages"),
        ("run retina.xml film.npy -o out.h5 --record retina", "no stage 'retina' to record"),
        ("run retina.xml film.npy -o out.h5 --device warp", "The device 'warp' cannot be used"),
        ("run retina.xml film.npy -o out.h5 --dt 0", "argument --dt"),
        ("run retina.xml film.npy -o out.h5 --dt x", "'x' is no whole number"),
        ("run retina.xml film.npy -o out.h5 --size 4 4", "Only videos are resized"),
        ("run retina.xml film.npy", "required: -o"),
        ("frobnicate", "invalid choice"),
        ("", "required: COMMAND"),
    ],
)
@pytest.mark.usefixtures("model", "movie")
def test_mistakes_are_answered_in_a_line(convis_says: Says, line: str, message: str, tmp_path: Path) -> None:
    said = convis_says(line)
    assert said.code == 2 and message in said.error and "Traceback" not in said.error
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("target", ["out.h5", "out.spk", "opl.inr"])
@pytest.mark.usefixtures("model")
def test_a_run_that_never_began_leaves_what_was_there(convis_says: Says, tmp_path: Path, target: str) -> None:
    """Not an empty file, which would stand in the way of the next try, and not half of an old one."""
    np.save(tmp_path / "dark.npy", np.full((5, 4, 4), np.nan))
    np.save(tmp_path / "none.npy", np.zeros((0, 4, 4)))
    RetinaConfiguration({"ganglion-layers": []}).write(tmp_path / "opl.xml")
    model = "opl.xml" if target.endswith(".inr") else "retina.xml"
    for film, message in (("dark.npy", "NaN"), ("none.npy", "no frames left")):
        said = convis_says(f"run {model} {film} -o {target}")
        assert said.code == 2 and message in said.error and not (tmp_path / target).exists()
        (tmp_path / target).write_bytes(b"old")
        assert convis_says(f"run {model} {film} -o {target} --force").code == 2
        assert (tmp_path / target).read_bytes() == b"old"
        (tmp_path / target).unlink()


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("kind", [".inr", ".h5"])
def test_the_film_itself_is_never_written_over(convis_says: Says, movie: np.ndarray, tmp_path: Path, kind: str) -> None:
    RetinaConfiguration({"ganglion-layers": []}).write(tmp_path / "opl.xml")
    assert convis_says(f"convert film.npy film{kind}").code == 0
    before = (tmp_path / f"film{kind}").read_bytes()
    (tmp_path / f"other{kind}").symlink_to(tmp_path / f"film{kind}")
    for target in (f"film{kind}", f"other{kind}"):
        said = convis_says(f"run opl.xml film{kind} -o {target} --force")
        assert said.code == 2 and "is the film, and would be written over" in said.error
    assert (tmp_path / f"film{kind}").read_bytes() == before


@pytest.mark.usefixtures("model", "movie")
def test_a_film_among_others_is_chosen_by_name(convis_says: Says, tmp_path: Path) -> None:
    """Such as one that a run before has written."""
    assert convis_says("run retina.xml film.npy -o out.h5 --record opl,bipolar --quiet").code == 0
    told = convis_says("describe out.h5").out.splitlines()
    assert len(told) == 4 and told[0].startswith("out.h5, bipolar: HDF5Reader(60 frames of 12x16 at 200 Hz), values -")
    said = convis_says("convert out.h5 opl.npy")
    assert said.code == 2 and "--dataset); there are: bipolar" in said.error
    assert convis_says("convert out.h5 opl.npy --dataset opl").code == 0
    assert convis_says("convert out.h5 opl.mp4 --dataset absent").code == 2
    assert convis_says("run retina.xml out.h5 -o again.spk --dataset opl").code == 0
    assert "single film" in convis_says("run retina.xml opl.npy -o other.spk --dataset opl").error


def test_ctrl_c_keeps_what_was_written(
    convis_says: Says, model: Path, movie: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = convis.streams.NumpyReader.get

    def interrupted(self: convis.streams.NumpyReader, n: int) -> torch.Tensor:
        if self.position >= 20:
            raise KeyboardInterrupt
        return read(self, n)

    monkeypatch.setattr(convis.streams.NumpyReader, "get", interrupted)
    said = convis_says("run retina.xml film.npy -o out.h5 --dt 10")
    assert said.code == 130 and "stopped" in said.error
    assert convis.streams.HDF5Reader(tmp_path / "out.h5", "ganglion_spikes_ON").length == 20


def test_a_warning_is_a_line_too(convis_says: Says, model: Path, movie: np.ndarray) -> None:
    model.write_text(model.read_text().replace("<retina ", '<retina colour="red" '))
    said = convis_says("run retina.xml film.npy -o out.h5")
    assert said.code == 0 and said.error.startswith("convis: warning: ") and "colour='red'" in said.error


MEMORY = """
import resource, sys
from convis_core.cli import main
for n in ("400", "3000"):
    assert main(["run", "retina.xml", n + ".npy", "-o", n + ".h5", "--dt", "100"]) == 0
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def test_a_long_film_needs_no_more_memory_than_a_short_one(model: Path, tmp_path: Path) -> None:
    """The answers to 2600 more steps are 80 MB of frames."""
    for n in (400, 3000):
        np.lib.format.open_memmap(tmp_path / f"{n}.npy", "w+", np.uint8, (n, 60, 64))[::50] = 1
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    short, long = (int(line) for line in done.stderr.split())
    assert long - short < 40, (short, long)


def test_it_is_a_program(model: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "convis_core", "run", "-h"], cwd=ROOT, capture_output=True, text=True)
    assert (
        done.returncode == 0
        and done.stdout.startswith("usage: python -m convis_core run")
        and "--record" in done.stdout
    )
