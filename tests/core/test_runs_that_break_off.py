"""A run that breaks off loses no frame and no response, says why, and the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import convis_core as convis
from convis_core import Layer
from convis_core.errors import RunError, ShapeError, StreamError
from convis_core.streams import RepeatingStream, SequenceStream, Stream

MOVIE = np.random.default_rng(0).random((20, 4, 4)).astype(np.float32)


class Answers(Layer, register=False):
    """Passes two chunks on and then answers with something else, once."""

    def __init__(self, otherwise: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.otherwise, self.calls = otherwise, 0

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        return self.otherwise(x) if self.calls == 3 else x


def broken(error: BaseException) -> Callable[[Tensor], Any]:
    def fail(x: Tensor) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [ValueError("boom"), KeyboardInterrupt(), SystemExit()], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("source", [SequenceStream(MOVIE), RepeatingStream(MOVIE[:7], repeat=3)], ids=str)
def test_the_next_run_reads_the_frames_that_were_not_answered(source: Stream, error: BaseException) -> None:
    source.seek(0)
    whole = source.get(20)
    source.seek(0)
    model = Answers(broken(error))
    with pytest.raises((RunError, KeyboardInterrupt, SystemExit)) as caught:
        model.run(source, dt=4)
    before = caught.value.output  # type: ignore[union-attr]
    assert source.position == before.n_frames == 8
    after = model.run(source, dt=4, max_t=12)
    torch.testing.assert_close(torch.cat([before[0], after[0]], dim=2), whole, rtol=0, atol=0)


def test_a_stream_that_cannot_go_back_is_no_second_error() -> None:
    class Live(SequenceStream):
        seek = Stream.seek

    with pytest.raises(RunError, match="raised ValueError on frames 8 to 11: boom"):
        Answers(broken(ValueError("boom"))).run(Live(MOVIE), dt=4)


@pytest.mark.parametrize(
    ("otherwise", "got"),
    [
        (lambda x: None, "a NoneType"),
        (lambda x: 3.0, "a float"),
        (lambda x: x.numpy(), "a ndarray"),
        (lambda x: {"output": x}, "a dict"),
        (lambda x: [1.0], "a float"),
        (lambda x: x[0, 0], r"\[4, 4, 4\]"),
        (lambda x: x.sum(), r"\[\]"),
        (lambda x: (), "0 responses and 1 names"),
        (lambda x: x[..., :2], r"was \[1, 1, 4, 4, 4\] in the first chunk of this run and is .* from frame 8 on"),
        (lambda x: x.expand(2, -1, -1, -1, -1), r"is \[2, 1, 4, 4, 4\] from frame 8 on"),
    ],
)
def test_what_is_no_response_is_refused_and_those_before_are_kept(otherwise: Callable[[Tensor], Any], got: str) -> None:
    with pytest.raises(ShapeError, match=got) as caught:
        Answers(otherwise).run(MOVIE, dt=4)
    np.testing.assert_array_equal(caught.value.output.array()[0, 0], MOVIE[:8])


def test_a_response_for_which_there_is_no_memory_says_how_to_do_without() -> None:
    with pytest.raises(
        RunError, match=r"no memory for a response of \[1, 1, 1000000000000000, 4, 4\], 5.96e\+07 GiB.*stream"
    ):
        convis.filters.NLRectify().run(RepeatingStream(MOVIE), dt=4, max_t=10**15)


@pytest.mark.parametrize("max_t", [10.0, np.float32(10), np.int64(10)])
def test_a_whole_number_of_frames_is_one_whatever_its_type(max_t: float) -> None:
    model = convis.filters.NLRectify()
    assert model.run(MOVIE, dt=4, max_t=max_t).n_frames == 10  # type: ignore[arg-type]
    assert [c.stop for c in model.stream(MOVIE, 4.0, max_t=max_t)] == [4, 8, 10]  # type: ignore[arg-type]


def test_a_run_without_gradients_can_go_on_with_them() -> None:
    model = convis.filters.TemporalLowPassFilterRecursive(tau=0.01)
    with torch.inference_mode():
        model.run(MOVIE[:10])
    output = model.run(MOVIE[10:], grad=True)
    output[0].sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    ("gives", "got"),
    [
        (lambda frames: frames.numpy(), "a ndarray"),
        (lambda frames: None, "a NoneType"),
        (lambda frames: frames[0, 0], r"\[4, 4, 4\]"),
        (lambda frames: torch.cat([frames, frames], dim=2), r"\[1, 1, 8, 4, 4\]"),
    ],
)
def test_a_stream_that_gives_no_frames_is_named(gives: Callable[[Tensor], Any], got: str) -> None:
    class Odd(SequenceStream):
        def get(self, n: int) -> Tensor:
            return super().get(n) if self.position < 8 else gives(super().get(n))  # type: ignore[no-any-return]

    with pytest.raises(StreamError, match=rf"Odd\.get\(4\) should return a tensor .* 4 frames, got {got}") as caught:
        convis.filters.NLRectify().run(Odd(MOVIE), dt=4)
    assert caught.value.output.n_frames == 8
