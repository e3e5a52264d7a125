"""Streams and sinks that live in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core.errors import ShapeError, StreamError
from convis_core.streams import RandomStream, RepeatingStream, SequenceStream, SequenceWriter, Stream, as_stream

cuts = st.lists(st.integers(0, 90), min_size=1, max_size=6)


def read_in(stream: Stream, sizes: list[int]) -> torch.Tensor:
    return torch.cat([stream.get(n) for n in sizes], dim=2)


def test_random_values_have_the_mean_and_spread_asked_for() -> None:
    frames = RandomStream(size=(30, 40), mean=2.0, std=0.5, seed=3).get(200)
    assert frames.shape == (1, 1, 200, 30, 40)
    assert frames.mean().item() == pytest.approx(2.0, abs=0.005)
    assert frames.std().item() == pytest.approx(0.5, abs=0.005)
    centred = frames - 2.0
    for axis in (2, 3, 4):  # neighbours know nothing of each other
        n = frames.shape[axis]
        product = centred.narrow(axis, 0, n - 1) * centred.narrow(axis, 1, n - 1)
        assert abs(product.mean().item()) < 0.005


@settings(deadline=None, max_examples=40)
@given(sizes=cuts, seed=st.integers(0, 2**40))
def test_random_frames_do_not_depend_on_the_cut(sizes: list[int], seed: int) -> None:
    parts = read_in(RandomStream((3, 2), seed=seed), sizes)
    assert torch.equal(parts, RandomStream((3, 2), seed=seed).get(sum(sizes)))


def test_random_stream_can_go_back_and_differs_between_seeds() -> None:
    stream = RandomStream((4, 4), seed=1)
    first = stream.get(70)
    stream.seek(60)
    assert torch.equal(stream.get(10), first[:, :, 60:])
    assert not torch.equal(RandomStream((4, 4), seed=2).get(70), first)
    chosen = RandomStream((4, 4))
    assert torch.equal(RandomStream((4, 4), seed=chosen.seed).get(5), chosen.get(5))


def test_random_stream_is_endless_unless_told() -> None:
    assert RandomStream().length is None and RandomStream().remaining is None
    stream = RandomStream((2, 2), length=5)
    assert stream.get(3).shape[2] == 3 and stream.remaining == 2
    assert stream.get(3).shape[2] == 2 and stream.get(3).shape[2] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 5},
        {"size": (0, 5)},
        {"std": -1},
        {"mean": float("nan")},
        {"seed": -1},
        {"seed": 1.5},
        {"length": -2},
        {"steps_per_second": 0},
        {"steps_per_second": True},
    ],
)
def test_random_stream_refuses_nonsense(arguments: dict[str, object]) -> None:
    with pytest.raises(StreamError, match=r"Expected"):
        RandomStream(**arguments)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 7), repeat=st.integers(1, 5), sizes=cuts)
def test_repeating_equals_tiling(n: int, repeat: int, sizes: list[int]) -> None:
    frames = np.random.RandomState(n).rand(n, 2, 3)
    whole = torch.from_numpy(np.tile(frames, (repeat, 1, 1)))
    got = read_in(RepeatingStream(frames, repeat=repeat), sizes)[0, 0]
    assert torch.equal(got, whole[: sum(sizes)])


def test_repeating_without_end_crosses_many_periods_in_one_call() -> None:
    stream = RepeatingStream(np.arange(5.0))
    assert stream.length is None
    assert stream.get(12).flatten().tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    stream.seek(1003)
    assert stream.get(3).flatten().tolist() == [3, 4, 0]


def test_repeating_takes_over_what_describes_the_source() -> None:
    source = SequenceStream(torch.linspace(-2, 2, 12).reshape(3, 2, 2), steps_per_second=30.0)
    source.get(2)
    stream = RepeatingStream(source, repeat=2)
    assert (stream.size, stream.steps_per_second, stream.value_range) == ((2, 2), 30.0, (-2.0, 2.0))
    assert stream.length == 6 and torch.equal(stream.get(3), source.sequence)  # from the start, though read before


class EndsEarly(SequenceStream):
    """Learns only at its end that it is shorter than thought, as a damaged film does."""

    def get(self, n: int) -> torch.Tensor:
        frames = super().get(min(n, max(3 - self.position, 0)))
        if frames.shape[2] < n:
            self.length = 3
        return frames


def test_repeating_a_source_that_turns_out_shorter() -> None:
    stream = RepeatingStream(EndsEarly(np.arange(5.0)), repeat=2)
    assert stream.get(8).flatten().tolist() == [0, 1, 2, 0, 1, 2]
    assert stream.length == 6 and stream.remaining == 0 and stream.get(4).shape[2] == 0


def test_repeating_refuses_what_cannot_be_repeated() -> None:
    with pytest.raises(StreamError, match="without end"):
        RepeatingStream(RandomStream((2, 2)))
    with pytest.raises(StreamError, match="without frames"):
        RepeatingStream(np.zeros((0, 2, 2)))
    with pytest.raises(StreamError, match="repeat to be 1 or more"):
        RepeatingStream(np.zeros(4), repeat=0)


def test_sequences_refuse_bad_counts_and_positions() -> None:
    stream = as_stream(np.zeros((4, 2, 2)))
    with pytest.raises(StreamError, match="outside this stream of 4 frames"):
        stream.seek(5)
    for bad in (-1, 2.5, "3"):
        with pytest.raises(StreamError, match="number of frames"):
            stream.get(bad)  # type: ignore[arg-type]
    assert stream.position == 0


def test_writer_in_memory_joins_what_it_got() -> None:
    frames = torch.rand(7, 3, 4)
    with SequenceWriter() as writer:
        with pytest.raises(StreamError, match="Nothing"):
            _ = writer.frames
        for part in frames.split([2, 0, 5]):
            writer.put(part)
        frames_before = frames.clone()
        frames.zero_()  # what was put is kept, whatever becomes of the caller's tensor
    assert torch.equal(writer.frames[0, 0], frames_before)
    with pytest.raises(ShapeError, match="Only the time axis"):
        writer.put(torch.zeros(2, 4, 4))
