"""A runner works in the background, writes what it computes, and hands its errors to the caller."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest
from torch import Tensor

import convis_core as convis
from convis_core import Layer, Runner
from convis_core.errors import RunError, StateError, StreamError
from convis_core.streams import OutputStream, RandomStream, SequenceWriter

MOVIE = np.random.default_rng(0).random((23, 4, 5)).astype(np.float32)


class Sink(OutputStream):
    """Counts frames and closings."""

    def __init__(self) -> None:
        self.frames, self.closed = 0, 0

    def put(self, frames: Any) -> None:
        self.frames += frames.shape[2]

    def close(self) -> None:
        self.closed += 1


class Fails(Layer, register=False):
    def forward(self, x: Tensor) -> Tensor:
        raise ZeroDivisionError("on purpose")


def test_it_writes_what_a_run_would_give() -> None:
    model = convis.models.LN(kernel_dim=(4, 3, 3))
    wanted = model.run(MOVIE).array()
    model.clear_state()
    sink = SequenceWriter()
    runner = Runner(model, MOVIE, sink, dt=7)
    assert runner.state == "ready"
    runner.start()
    runner.join(20)
    np.testing.assert_allclose(sink.frames.numpy(), wanted, atol=1e-6)
    assert runner.state == "closed"


def test_one_sink_per_response() -> None:
    model = convis.models.CentreSurround(duration=0.01, extent=0.1, seed=1)
    sinks = [Sink(), Sink()]
    with Runner(model, MOVIE, sinks) as runner:
        runner.start()
        runner.join(20)
    assert [sink.frames for sink in sinks] == [23, 23]
    assert all(sink.closed for sink in sinks)
    with pytest.raises(StreamError, match="3 output streams for the 2"):
        Runner(model, MOVIE, [Sink(), Sink(), Sink()])


def test_an_endless_input_runs_until_stopped() -> None:
    sink = Sink()
    runner = Runner(convis.filters.NLRectify(), RandomStream(size=(3, 3)), sink, dt=10)
    runner.start()
    runner.join(0.05)
    assert runner.state == "running"
    started = time.monotonic()
    runner.stop()
    assert time.monotonic() - started < 1.0
    assert sink.frames > 0 and sink.closed == 1
    reached = sink.frames
    time.sleep(0.02)
    assert sink.frames == reached
    runner.stop()
    with pytest.raises(StateError, match="closed"):
        runner.start()


def test_pause_step_and_go_on() -> None:
    sink = Sink()
    with Runner(convis.filters.NLRectify(), RandomStream(size=(3, 3)), sink, dt=10) as runner:
        runner.step()
        runner.step()
        assert (runner.state, sink.frames) == ("paused", 20)
        runner.start()
        time.sleep(0.01)
        runner.pause()
        runner.join(20)
        assert runner.state == "paused"
        reached = sink.frames
        time.sleep(0.02)
        assert sink.frames == reached
        runner.step()
        assert sink.frames == reached + 10


@pytest.mark.parametrize("wait", ["join", "stop", "start", "step"])
def test_errors_reach_the_caller_once(wait: str) -> None:
    sink = Sink()
    runner = Runner(Fails(), MOVIE, sink)
    if wait != "step":
        runner.start()
        runner._driver.wait(20)
    with pytest.raises(RunError, match="on purpose") as caught:
        getattr(runner, wait)()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    runner.stop()
    assert sink.closed > 0


def test_leaving_the_block_raises_what_went_wrong() -> None:
    with pytest.raises(RunError, match="on purpose"), Runner(Fails(), MOVIE) as runner:
        runner.start()
        runner._driver.wait(20)
    with pytest.raises(KeyError), Runner(Fails(), MOVIE, sink := Sink()) as runner:
        runner.start()
        raise KeyError("the first error is the one to see")
    assert sink.closed == 1


def test_a_sink_that_fails_ends_the_run() -> None:
    class Full(Sink):
        def put(self, frames: Any) -> None:
            raise OSError("disk full")

    runner = Runner(convis.filters.NLRectify(), MOVIE, Full())
    runner.start()
    with pytest.raises(OSError, match="disk full"):
        runner.join(20)


def test_a_forgotten_runner_takes_its_thread_along() -> None:
    threads = threading.active_count()
    runner = Runner(convis.filters.NLRectify(), RandomStream(size=(3, 3)), Sink(), dt=10)
    runner.step()
    gone = weakref.ref(runner)
    thread = runner._driver._thread
    del runner
    gc.collect()
    thread.join(10)
    assert gone() is None and threading.active_count() <= threads


def test_one_sink_that_cannot_be_closed_leaves_no_other_open() -> None:
    class Stuck(Sink):
        def close(self) -> None:
            super().close()
            raise OSError("no space for the index")

    model = convis.models.CentreSurround(duration=0.02, extent=0.3, seed=1)
    for order in (slice(None), slice(None, None, -1)):
        sinks = [Stuck(), Sink()][order]
        runner = Runner(model, MOVIE, sinks)
        runner.start()
        with pytest.raises(OSError, match="no space for the index"):
            runner.join(20)
        assert [sink.closed for sink in sinks] == [1, 1]


@pytest.mark.parametrize("output", ["spikes.mp4", 5, [None, Sink()], [Sink(), "off.mp4"]])
def test_what_is_no_output_stream_is_refused_before_the_run(output: Any) -> None:
    model = convis.models.CentreSurround(duration=0.02, extent=0.3, seed=1)
    with pytest.raises(StreamError, match=r"writes to output streams, got .*VideoWriter"):
        Runner(model, MOVIE, output)
