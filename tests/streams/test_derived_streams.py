"""Streams made of others: at another rate, at times of their own, through a function."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core.errors import StreamError
from convis_core.streams import (
    ProcessingStream,
    RandomStream,
    ResampledStream,
    SequenceStream,
    Stream,
    TimedSequenceStream,
)
from convis_core.tensors import TIME

RATES = st.sampled_from([1.0, 3.0, 24.0, 25.0, 29.97, 60.0, 200.0, 1000.0])


def cut(stream: Stream, cuts: list[int]) -> torch.Tensor:
    return torch.cat([stream.get(n) for n in (*cuts, 10**6)], dim=TIME)


@given(
    have=RATES,
    want=RATES,
    n=st.integers(1, 30),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    method=st.sampled_from(["hold", "linear"]),
    where=st.floats(0, 1),
)
def test_each_step_shows_its_time_whatever_the_cuts(
    have: float, want: float, n: int, cuts: list[int], method: str, where: float
) -> None:
    stream = ResampledStream(np.arange(float(n)), want, method, source_rate=have)
    values = cut(stream, cuts).flatten().double().numpy()
    assert len(values) == stream.length and stream.remaining == 0
    times = np.arange(len(values)) * have / want
    if method == "linear":
        np.testing.assert_allclose(values, np.minimum(times, n - 1), rtol=1e-5, atol=1e-4)
    else:
        np.testing.assert_array_equal(values, np.floor(times + 1e-7))
    back = int(where * len(values))
    stream.seek(back)
    np.testing.assert_array_equal(stream.get(10**6).flatten().double().numpy(), values[back:])


def test_an_endless_stream_stays_endless_and_little_of_it_is_held() -> None:
    source = RandomStream(size=(2, 2), seed=1, steps_per_second=1000.0)
    stream = ResampledStream(source, 100.0)
    assert stream.length is None and stream.steps_per_second == 100.0
    frames = torch.cat([stream.get(5) for _ in range(10)], dim=TIME)
    assert stream._held.shape[TIME] < 100
    source.seek(0)
    assert torch.equal(frames, source.get(500)[:, :, ::10])


def test_a_source_that_was_begun_goes_on_from_there() -> None:
    source = SequenceStream(np.arange(10.0), steps_per_second=10.0)
    source.get(4)
    assert ResampledStream(source, 20.0).get(4).flatten().tolist() == [4, 4, 5, 5]


def test_the_rate_must_be_known() -> None:
    with pytest.raises(StreamError, match="does not say its rate"):
        ResampledStream(np.zeros(3))
    with pytest.raises(StreamError, match="method to be one of 'hold', 'linear'"):
        ResampledStream(np.zeros(3), 10.0, "cubic", source_rate=1.0)
    assert ResampledStream(np.zeros(3), source_rate=500.0).length == 6  # 1000 Hz is the default resolution


# Times of their own -------------------------------------------------------------------------


@given(
    gaps=st.lists(st.integers(1, 7), max_size=8),
    cuts=st.lists(st.integers(0, 9), max_size=4),
    method=st.sampled_from(["hold", "linear"]),
)
def test_frames_stand_at_their_times(gaps: list[int], cuts: list[int], method: str) -> None:
    steps = np.concatenate([[0], np.cumsum(gaps)]).astype(float)
    frames = np.arange(len(steps)) ** 2.0
    stream = TimedSequenceStream(frames, steps / 1000.0 + 3.2, 1000.0, method)  # any first time is the beginning
    values = cut(stream, cuts).flatten().double().numpy()
    at = np.arange(steps[-1] + 1)
    expected = np.interp(at, steps, frames) if method == "linear" else frames[np.searchsorted(steps, at, "right") - 1]
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)


def test_the_last_frame_stays_as_long_as_asked() -> None:
    stream = TimedSequenceStream(np.array([1.0, 2.0]), [0.0, 0.1], 100.0, duration=0.3, method="linear")
    values = stream.get(99).flatten()
    assert len(values) == stream.length == 30 and values[20:].tolist() == [2.0] * 10
    stream.seek(5)
    assert float(stream.get(1)) == pytest.approx(1.5)
    assert TimedSequenceStream(np.zeros(2), [0.0, 1.0]).steps_per_second == 1000.0


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [1.0, 0.5], [0.0, float("nan")]])
def test_times_must_rise(times: list[float]) -> None:
    with pytest.raises(StreamError, match=r"Expected (one time|times that rise)"):
        TimedSequenceStream(np.zeros(2), times)


# Through a function -------------------------------------------------------------------------


def test_a_layer_keeps_its_state_between_pieces() -> None:
    frames = np.random.default_rng(0).normal(size=(20, 4, 4)).astype(np.float32)
    model = convis.models.L(kernel_dim=(5, 3, 3))
    whole = model.run(frames)[0].detach()
    model.clear_state()
    stream = ProcessingStream(frames, model)
    torch.testing.assert_close(cut(stream, [3, 0, 7]), whole)
    assert stream.length == stream.position == 20


def test_the_size_may_change_where_it_is_said() -> None:
    stream = ProcessingStream(np.ones((6, 4, 8)), lambda x: x[..., ::2], size=(4, 4), value_range=(0.0, 2.0))
    assert stream.get(2).shape == (1, 1, 2, 4, 4) and stream.value_range == (0.0, 2.0)
    stream.seek(6)
    assert stream.get(2).shape == (1, 1, 0, 4, 4)
    with pytest.raises(StreamError, match=r"returned \[1, 1, 2, 4, 4\] for \[1, 1, 2, 4, 8\].*Give size"):
        ProcessingStream(np.ones((6, 4, 8)), lambda x: x[..., ::2]).get(2)
    with pytest.raises(StreamError, match="tensor of 5 axes"):
        ProcessingStream(np.ones((6, 4, 8)), lambda x: x.mean()).get(2)


def test_closing_closes_the_source() -> None:
    closed: list[str] = []

    class Source(SequenceStream):
        def close(self) -> None:
            closed.append("closed")

    with ProcessingStream(Source(np.zeros(3)), lambda x: x), ResampledStream(Source(np.zeros(3), 10.0), 20.0):
        pass
    assert closed == ["closed"] * 2
