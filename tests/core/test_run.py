"""A run answers every frame once, in any chunks, and what ends it early loses nothing."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import convis_core as convis
from convis_core import ConvisError, Layer
from convis_core.errors import ResolutionError, ResolutionWarning, RunError, ShapeError, StateError, StreamError
from convis_core.streams import SequenceStream, Stream

MOVIE = np.random.default_rng(0).random((23, 4, 5)).astype(np.float32)


class Endless(Stream):
    """Frames that hold their own number."""

    size = (2, 2)

    def get(self, n: int) -> Tensor:
        numbers = torch.arange(self.position, self.position + n, dtype=torch.float32)
        self.position += n
        return numbers[None, None, :, None, None].expand(1, 1, n, 2, 2)


class FailsAt(Layer, register=False):
    """Passes frames on until a bright one."""

    error: BaseException = ValueError("too bright")

    def forward(self, x: Tensor) -> Tensor:
        if float(x.max()) >= 10:
            raise self.error
        return x


@pytest.fixture
def model() -> Layer:
    return convis.models.LN(kernel_dim=(4, 3, 3))


@settings(max_examples=30, deadline=None)
@given(
    frames=st.integers(1, 40),
    dt=st.one_of(st.none(), st.integers(1, 50)),
    max_t=st.one_of(st.none(), st.integers(1, 60)),
)
def test_every_frame_once_and_max_t_exact(frames: int, dt: int | None, max_t: int | None) -> None:
    numbers = np.arange(frames, dtype=np.float32)
    stream = SequenceStream(numbers)
    output = convis.filters.NLRectify().run(stream, dt, max_t)
    expected = numbers[:max_t]
    np.testing.assert_array_equal(output.array().ravel(), expected)
    assert stream.position == len(expected)


def test_chunks_follow_one_another_and_the_last_is_short(model: Layer) -> None:
    chunks = list(model.stream(MOVIE, 10))
    assert [(c.start, c.stop, c.output.start, c.output.n_frames) for c in chunks] == [
        (0, 10, 0, 10),
        (10, 20, 10, 10),
        (20, 23, 20, 3),
    ]
    np.testing.assert_array_equal(torch.cat([c.input for c in chunks], dim=2)[0, 0], MOVIE)


def test_a_second_run_goes_on_where_the_first_ended(model: Layer) -> None:
    whole = model.run(MOVIE).array()
    model.clear_state()
    first, second = model.run(MOVIE[:9]).array(), model.run(MOVIE[9:]).array()
    np.testing.assert_allclose(np.concatenate([first, second], axis=2), whole, atol=1e-6)


@pytest.mark.parametrize(
    "lift", [np.asarray, torch.as_tensor, lambda m: m[None, None], lambda m: m.tolist(), SequenceStream]
)
def test_kinds_of_input(model: Layer, lift: Any) -> None:
    wanted = model.run(MOVIE).array()
    model.clear_state()
    np.testing.assert_allclose(model.run(lift(MOVIE), dt=7).array(), wanted, atol=1e-6)


def test_an_output_is_an_input(model: Layer) -> None:
    rectify = convis.filters.NLRectify()
    first = model.run(MOVIE)
    np.testing.assert_array_equal(rectify.run(first).array(), first.array())


def test_an_output_of_several_responses_is_no_single_input() -> None:
    both = convis.models.CentreSurround(duration=0.01, extent=0.1, seed=1).run(MOVIE)
    with pytest.raises(StreamError, match=r"2 responses.*output\['ganglion_spikes_ON'\]"):
        convis.filters.NLRectify().run(both)
    assert convis.filters.NLRectify().run(both.ganglion_spikes_OFF).n_frames == 23


def test_an_endless_stream_needs_an_end() -> None:
    rectify = convis.filters.NLRectify()
    with pytest.raises(StreamError, match=r"never ends.*max_t"):
        rectify.run(Endless())
    assert rectify.run(Endless(), dt=7, max_t=25).array()[0, 0, :, 0, 0].tolist() == list(range(25))
    starts = [chunk.start for chunk in itertools.islice(rectify.stream(Endless(), 3), 4)]
    assert starts == [0, 3, 6, 9]


@pytest.mark.parametrize("dt", [0, -1, 1.5, math.nan, math.inf, True, "a", np.float32(0.5), [10]])
@pytest.mark.parametrize("name", ["dt", "max_t"])
def test_nonsense_lengths(model: Layer, name: str, dt: Any) -> None:
    with pytest.raises(ResolutionError, match=rf"{name} is a number of frames .* whole number of at least 1"):
        model.run(MOVIE, **{name: dt})
    assert model.run(MOVIE, **{name: np.int64(23)}).n_frames == model.run(MOVIE, **{name: 23.0}).n_frames == 23


def test_no_frames(model: Layer) -> None:
    with pytest.raises(StreamError, match="no frames left"):
        model.run(np.zeros((0, 4, 5)))
    stream = SequenceStream(MOVIE)
    model.run(stream)
    with pytest.raises(StreamError, match=r"seek\(0\)"):
        model.run(stream)

    class Dry(Endless):
        def get(self, n: int) -> Tensor:
            return super().get(0)

    with pytest.raises(StreamError, match="gave no frames"):
        model.run(Dry(), max_t=10)


def test_frames_that_are_not_finite_are_named_and_the_rest_is_kept(model: Layer) -> None:
    spoiled = MOVIE.copy()
    spoiled[13, 1, 2] = np.nan
    with pytest.raises(ShapeError, match=r"1 values that are NaN or infinite, the first in frame 13") as caught:
        model.run(spoiled, dt=5)
    assert caught.value.output.n_frames == 10


def test_large_values_are_no_infinity() -> None:
    huge = np.full((3, 2, 2), 3e38, dtype=np.float32)
    assert convis.filters.NLRectify().run(huge).n_frames == 3


@pytest.mark.parametrize("shape", [(), (1, 2, 3, 4), (1, 1, 1, 1, 1, 1)])
def test_wrong_number_of_axes(model: Layer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=f"{len(shape)} axes"):
        model.run(np.zeros(shape))


@pytest.mark.parametrize("source", [None, "movie.mp4", {"a": 1}, np.array(["a"]), np.zeros((3, 2, 2), dtype=complex)])
def test_what_is_no_input(model: Layer, source: Any) -> None:
    with pytest.raises(ConvisError, match="Expected"):
        model.run(source)


def test_a_model_that_raises_says_where_and_keeps_what_there_was() -> None:
    with pytest.raises(RunError, match=r"FailsAt raised ValueError on frames 8 to 11: too bright") as caught:
        FailsAt().run(Endless(), dt=4, max_t=20)
    assert caught.value.frame == 8
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.output.array()[0, 0, :, 0, 0].tolist() == list(range(8))
    with pytest.raises(RunError) as caught:
        FailsAt().run(Endless(), dt=20, max_t=20)
    assert caught.value.output is None


@pytest.mark.parametrize("error", [ValueError("too bright"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_chunk_that_fails_leaves_the_state_before_it(error: BaseException) -> None:
    """So that a run can go on, instead of with some parts that have seen the chunk and some that have not."""
    last = FailsAt()
    last.error = error
    model, twin = (
        convis.models.Sequential(convis.filters.TemporalLowPassFilterRecursive(tau=0.01), convis.filters.Diff(), end)
        for end in (last, FailsAt())
    )
    with pytest.raises(type(error) if isinstance(error, KeyboardInterrupt) else RunError):
        model.run([100.0, 900.0])
    assert set(model.get_state().values()) == {None}
    assert model.run(np.ones((3, 2, 2))).array().shape == (1, 1, 3, 2, 2)  # of another size, as nothing was seen
    twin.run(np.ones((3, 2, 2)))
    for value in ([np.full((2, 2, 2), 1e4)], [np.full((2, 3, 3), 1.0)]):
        with pytest.raises((RunError, StateError, KeyboardInterrupt)):
            model.run(value[0])
    np.testing.assert_array_equal(model.run(MOVIE[:, :2, :2]).array(), twin.run(MOVIE[:, :2, :2]).array())


def test_an_interrupt_keeps_what_there_was() -> None:
    model = FailsAt()
    model.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        model.run(Endless(), dt=4, max_t=20)
    assert caught.value.output.n_frames == 8  # type: ignore[attr-defined]


def test_a_stream_that_raises_keeps_what_there_was() -> None:
    class Torn(Endless):
        def get(self, n: int) -> Tensor:
            if self.position >= 8:
                raise OSError("the cable is out")
            return super().get(n)

    with pytest.raises(RunError, match=r"Torn.*raised OSError when asked for frame 8 on: the cable is out") as caught:
        convis.filters.NLRectify().run(Torn(), dt=4, max_t=20)
    assert caught.value.output.n_frames == 8
    torn = convis.streams.ProcessingStream(MOVIE, lambda frames: frames[..., 99, 99, 99, 99, 99])
    with pytest.raises(RunError, match="when asked for frame 0 on"):  # although it has read further
        convis.filters.NLRectify().run(torn, dt=4)


def test_gradients_are_recorded_only_when_asked_for(model: Layer) -> None:
    assert not model.run(MOVIE, dt=5)[0].requires_grad
    assert all(not v.requires_grad for v in model.get_state().values() if isinstance(v, Tensor))
    model.clear_state()
    output = model.run(MOVIE, dt=5, grad=True)
    output[0].sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_progress_bar_on_demand(model: Layer, capsys: pytest.CaptureFixture[str]) -> None:
    assert model.run(MOVIE, dt=5, progress=True).n_frames == 23
    assert "23/23" in capsys.readouterr().err
    convis.filters.NLRectify().run(Endless(), dt=5, max_t=12, progress=True)
    assert "12/12" in capsys.readouterr().err
    model.run(MOVIE, dt=5)
    assert capsys.readouterr().err == ""


def test_a_rate_that_does_not_match_is_told_at_the_users_line(model: Layer) -> None:
    film = SequenceStream(MOVIE, steps_per_second=30.0)
    with pytest.warns(ResolutionWarning, match=r"30 frames a second and LN takes 1000") as warned:
        model.run(film)
    assert [w.filename for w in warned] == [__file__]
    film.seek(0)
    with pytest.warns(ResolutionWarning) as warned:
        next(iter(model.stream(film)))
    assert [w.filename for w in warned] == [__file__]


def test_long_chunks_are_cut_to_bound_memory() -> None:
    stream = Endless()
    stream.size = (1000, 1000)
    assert convis.loops.run.chunk_length(stream, None) == 2
    assert convis.loops.run.chunk_length(stream, 500) == 500
