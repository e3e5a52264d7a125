"""Files as what a model sees, and as where its answers go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import streams
from convis_core.errors import ConvisError, ResolutionWarning, ShapeError, StreamError

SIZE = (7, 9)


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randn(1, 1, 40, *SIZE, generator=torch.Generator().manual_seed(1))


def inr(folder: Path, frames: torch.Tensor) -> streams.Stream:
    with streams.InrImageStreamWriter(folder / "a.inr") as writer:
        writer.put(frames)
    return streams.InrImageStreamer(writer.path)


def npy(folder: Path, frames: torch.Tensor) -> streams.Stream:
    np.save(folder / "a.npy", frames.numpy()[0, 0])
    return streams.NumpyReader(folder / "a.npy")


def hdf5(folder: Path, frames: torch.Tensor) -> streams.Stream:
    with streams.HDF5Writer(folder / "a.h5") as writer:
        writer.put(frames)
    return streams.HDF5Reader(writer.path)


def timed(folder: Path, frames: torch.Tensor) -> streams.Stream:
    return streams.TimedSequenceStream(frames, np.arange(40) / 1000.0)


def resampled(folder: Path, frames: torch.Tensor) -> streams.Stream:
    return streams.ResampledStream(frames.repeat_interleave(3, dim=2), 1000.0, source_rate=3000.0)


def processed(folder: Path, frames: torch.Tensor) -> streams.Stream:
    return streams.ProcessingStream(frames / 2.0, lambda piece: piece * 2.0)


Make = Callable[[Path, torch.Tensor], streams.Stream]
every_source = pytest.mark.parametrize("make", [inr, npy, hdf5, timed, resampled, processed], ids=lambda f: f.__name__)


@every_source
@pytest.mark.parametrize("dt", [1, 7, None])
def test_a_model_sees_the_same_in_every_stream(
    make: Make, dt: int | None, frames: torch.Tensor, tmp_path: Path
) -> None:
    model = convis.models.LN(kernel_dim=(5, 3, 3))
    expected = model.run(frames)[0].detach()
    model.clear_state()
    with make(tmp_path, frames) as source:
        torch.testing.assert_close(model.run(source, dt=dt)[0].detach(), expected)
        assert source.remaining == 0


@every_source
def test_a_stream_says_what_it_is_and_refuses_nonsense(make: Make, frames: torch.Tensor, tmp_path: Path) -> None:
    with make(tmp_path, frames) as source:
        assert "40 frames of 7x9" in repr(source)
        assert source.get(0).shape == (1, 1, 0, *SIZE)
        for nonsense in (-1, 2.5, None, "all"):
            with pytest.raises(StreamError):
                source.get(nonsense)  # type: ignore[arg-type]
        with pytest.raises(StreamError, match="outside this stream of 40 frames"):
            source.seek(41)
        source.seek(40)
        assert source.get(5).shape[2] == 0
        source.seek(0)
        assert torch.equal(source.get(40), frames)
        lo, hi = source.value_range
        assert lo < hi


def test_another_rate_than_the_model_is_pointed_out(frames: torch.Tensor, tmp_path: Path) -> None:
    with streams.HDF5Writer(tmp_path / "a.h5", steps_per_second=25.0) as writer:
        writer.put(frames)
    with streams.HDF5Reader(writer.path) as source, pytest.warns(ResolutionWarning, match="25 frames a second"):
        convis.models.LN(kernel_dim=(2, 1, 1)).run(source)
    with streams.ResampledStream(streams.HDF5Reader(writer.path)) as source:  # no warning
        assert convis.models.LN(kernel_dim=(2, 1, 1)).run(source).n_frames == 1600


# Answers of a runner ------------------------------------------------------------------------


def watched(frames: torch.Tensor, output: Any, dt: int = 15) -> None:
    retina = convis.retina.Retina(seed=1)
    with convis.Runner(retina, frames, output, dt=dt) as runner:
        runner.start()
        runner.join()


def test_one_writer_takes_the_first_answer_and_two_take_both(frames: torch.Tensor, tmp_path: Path) -> None:
    expected = convis.retina.Retina(seed=1).run(frames)
    watched(frames, streams.InrImageStreamWriter(tmp_path / "one.inr"))
    assert torch.equal(streams.InrImageStreamer(tmp_path / "one.inr").get(99), expected.ganglion_spikes_ON)
    watched(frames, [streams.InrImageStreamWriter(tmp_path / f"{name}.inr") for name in ("on", "off")])
    assert torch.equal(streams.InrImageStreamer(tmp_path / "on.inr").get(99), expected.ganglion_spikes_ON)
    assert torch.equal(streams.InrImageStreamer(tmp_path / "off.inr").get(99), expected.ganglion_spikes_OFF)
    watched(frames, [streams.HDF5Writer(tmp_path / "both.h5", name) for name in expected.names])
    for name in expected.names:
        assert torch.equal(streams.HDF5Reader(tmp_path / "both.h5", name).get(99), expected[name])


def test_more_writers_than_answers_are_refused(frames: torch.Tensor, tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="3 output streams for the 2 response"):
        watched(frames, [streams.NumpyWriter(tmp_path / f"{k}.npy") for k in range(3)])
    assert not list(tmp_path.iterdir()), "no file is made before there is a frame"


def test_batches_that_a_film_cannot_hold_end_the_run_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConvisError, match="InrImageStreamWriter writes one batch") as caught:
        watched(torch.zeros(2, 1, 10, *SIZE), streams.InrImageStreamWriter(tmp_path / "a.inr"))
    assert isinstance(caught.value, ShapeError) and not (tmp_path / "a.inr").exists()
    watched(torch.zeros(2, 1, 10, *SIZE), streams.HDF5Writer(tmp_path / "a.h5"))
    assert streams.HDF5Reader(tmp_path / "a.h5").get(99).shape == (2, 1, 10, *SIZE)


def test_nothing_put_leaves_what_was_there(tmp_path: Path) -> None:
    for name, write in (("a.inr", streams.InrImageStreamWriter), ("a.npy", streams.NumpyWriter)):
        (tmp_path / name).write_text("the old one")
        with write(tmp_path / name):
            pass
        assert (tmp_path / name).read_text() == "the old one"
