"""What every stream keeps to, whatever it reads from: any cut, any place, an end that is the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

import convis_core as convis
from convis_core import ConvisError, streams
from convis_core.retina import MicrosaccadeGenerator
from convis_core.streams import Stream

N = 24
FRAMES = torch.rand(1, 1, N, 6, 8, generator=torch.Generator().manual_seed(0))


def _stored(folder: Path, name: str, writer: type[Any], reader: type[Any]) -> Stream:
    path = folder / name
    with writer(path) as sink:
        sink.put(FRAMES)
    return reader(path)


def _film(folder: Path) -> Stream:
    with streams.VideoWriter(folder / "film.mp4", steps_per_second=25.0) as writer:
        writer.put(FRAMES.repeat_interleave(4, 3).repeat_interleave(4, 4))
    return streams.VideoReader(folder / "film.mp4", steps_per_second=25.0)


def _images(folder: Path) -> Stream:
    for k, frame in enumerate(FRAMES[0, 0]):
        iio.imwrite(folder / f"frame_{k:02d}.png", (255 * frame).byte().numpy())
    return streams.ImageSequence(str(folder / "frame_*.png"))


MAKERS: dict[str, Callable[[Path], Stream]] = {
    "sequence": lambda folder: streams.SequenceStream(FRAMES),
    "repeated": lambda folder: streams.RepeatingStream(FRAMES[:, :, : N // 3], repeat=3),
    "resampled": lambda folder: streams.ResampledStream(FRAMES, 400.0, source_rate=1000.0),
    "faded": lambda folder: streams.ResampledStream(FRAMES, 1700.0, "linear", source_rate=1000.0),
    "timed": lambda folder: streams.TimedSequenceStream(FRAMES, [0.0017 * k for k in range(N)], 1000.0),
    "noise": lambda folder: streams.RandomStream((6, 8), seed=1, length=N),
    "processed": lambda folder: streams.ProcessingStream(streams.SequenceStream(FRAMES), lambda x: 2 * x),
    "npy": lambda folder: _stored(folder, "f.npy", streams.NumpyWriter, streams.NumpyReader),
    "hdf5": lambda folder: _stored(folder, "f.h5", streams.HDF5Writer, streams.HDF5Reader),
    "inr": lambda folder: _stored(folder, "f.inr", streams.InrImageStreamWriter, streams.InrImageStreamer),
    "film": _film,
    "images": _images,
    "protocol": lambda folder: convis.samples.Protocol(
        {"noise": FRAMES[0, 0, :10].numpy(), "bar": FRAMES[0, 0, 10:].numpy()}, repeats=2
    ),
    "microsaccades": lambda folder: MicrosaccadeGenerator(
        torch.rand(20, 40, 40), seed=1, amplitude=0.3, period=0.01, duration=0.003
    ),
}
ELSEWHERE = {"CameraStream", "MNISTStream"}
"""They need a camera, and files of digits: tested in a file of their own."""
OFTEN = settings(
    max_examples=8, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(params=MAKERS)
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def test_no_public_stream_is_missing_here(tmp_path: Path) -> None:
    public = {getattr(streams, name) for name in streams.__all__}
    kinds = {kind.__name__ for kind in public if isinstance(kind, type) and issubclass(kind, Stream) and kind != Stream}
    tested = set()
    for make in MAKERS.values():
        with make(tmp_path) as made:
            tested.add(type(made).__name__)
    assert kinds - tested == ELSEWHERE


def everything(stream: Stream) -> Tensor:
    stream.seek(0)
    return stream.get(10**6)


def test_it_says_what_it_holds(stream: Stream) -> None:
    frames = everything(stream)
    assert frames.ndim == 5 and tuple(frames.shape[3:]) == tuple(stream.size)
    assert stream.length == frames.shape[2] and stream.remaining == 0
    assert bool(torch.isfinite(frames).all())
    assert type(stream).__name__ in repr(stream)


@OFTEN
@given(cuts=st.lists(st.integers(0, 9), max_size=6))
def test_any_cut_gives_the_same_frames(stream: Stream, cuts: list[int]) -> None:
    whole = everything(stream)
    stream.seek(0)
    parts = [stream.get(n) for n in (*cuts, 10**6)]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=0, atol=0)


@OFTEN
@given(place=st.floats(0, 1), n=st.integers(1, 8))
def test_any_place_can_be_gone_to(stream: Stream, place: float, n: int) -> None:
    whole = everything(stream)
    start = int(place * whole.shape[2])
    stream.seek(start)
    assert stream.position == start
    torch.testing.assert_close(stream.get(n), whole[:, :, start : start + n], rtol=0, atol=0)
    assert stream.position == min(start + n, whole.shape[2])


def test_after_the_end_there_is_nothing(stream: Stream) -> None:
    everything(stream)
    for _ in range(2):
        nothing = stream.get(5)
        assert nothing.shape[2] == 0 and nothing.ndim == 5
    assert stream.position == stream.length


def test_no_frames_may_be_asked_for_but_not_fewer(stream: Stream) -> None:
    stream.seek(0)
    assert stream.get(0).shape[2] == 0 and stream.position == 0
    with pytest.raises(ConvisError):
        stream.get(-1)


@pytest.mark.parametrize("frame", [-1, 10**6])
def test_places_outside_are_refused(stream: Stream, frame: int) -> None:
    with pytest.raises(ConvisError, match=str(frame)):
        stream.seek(frame)


def test_what_was_read_is_not_changed_by_reading_on(stream: Stream) -> None:
    stream.seek(0)
    first = stream.get(3)
    kept = first.clone()
    stream.get(5)
    stream.seek(0)
    stream.get(3).mul_(1.0)
    torch.testing.assert_close(first, kept, rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:.*frames a second and.*")
def test_a_model_sees_every_frame_once(stream: Stream) -> None:
    whole = everything(stream)
    stream.seek(0)
    model = convis.filters.NLSquare()
    seen = model.run(stream, dt=7)
    torch.testing.assert_close(seen[0], model(whole), rtol=1e-6, atol=1e-6)
