"""A time under the pointer: what was seen then, and through which lag the present response sees it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from convis_core import Chunk, Output
from convis_core.tensors import lift
from convis_widgets import explore
from convis_widgets.views import stimulus
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.stimulus import StimulusView


def chunk(start: int, stop: int) -> Chunk:
    """Frames of 2 by 3 pixels, each as bright as its number."""
    frames = lift(np.broadcast_to(np.arange(start, stop, dtype=np.float32)[:, None, None], (stop - start, 2, 3)).copy())
    return Chunk(start, frames, Output([frames], start=start))


def shown(view: StimulusView) -> tuple[float, float, bool]:
    """Brightness and time of what is shown, and whether it is of the past."""
    part = view.snapshot()
    return float(part.arrays["frame"][0, 0]), round(part.fields["time"], 6), part.fields["past"]


@pytest.mark.parametrize("cuts", [(0, 100), (0, 7, 33, 100), (0, 50, 51, 99, 100)])
def test_the_frame_of_a_time_is_shown_and_the_newest_when_it_leaves(cuts: tuple[int, ...]) -> None:
    view = StimulusView()
    for start, stop in itertools.pairwise(cuts):
        view.on_chunk(chunk(start, stop))
    assert shown(view) == (99, 0.099, False)
    view.cursor.time = 0.047  # frames are kept every 20 ms, as long as a frame of a film lasts
    assert shown(view) == (40, 0.04, True)
    view.on_chunk(chunk(100, 120))
    assert shown(view) == (40, 0.04, True), "the run that goes on does not take it away"
    view.cursor.time = 5.0
    assert shown(view) == (119, 0.119, False), "nothing has been seen of what is to come"
    view.cursor.time = 0.0
    assert shown(view) == (0, 0.0, True)
    view.cursor.time = None
    assert shown(view) == (119, 0.119, False)
    view.close()


def test_a_run_that_begins_anew_has_no_past() -> None:
    view = StimulusView()
    view.on_chunk(chunk(0, 100))
    view.cursor.time = 0.05
    view.clear()
    view.on_chunk(chunk(0, 10))
    assert shown(view) == (9, 0.009, False)
    view.close()


def test_nothing_was_seen_in_the_time_that_a_jump_left_out() -> None:
    view = StimulusView()
    view.on_chunk(chunk(0, 100))
    view.on_chunk(chunk(500, 600))
    assert [view.seen_at(t) is not None for t in (0.05, 0.095, 0.3, 0.5, 0.59)] == [True, True, False, True, True]
    view.close()


def test_only_the_newest_frames_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    view = StimulusView()
    monkeypatch.setattr(stimulus, "KEPT_BYTES", 3 * 2 * 3 * 4)
    for start in range(0, 400, 50):
        view.on_chunk(chunk(start, start + 50))
    assert view.seen_at(0.1) is None
    assert [view.seen_at(t) is not None for t in (0.33, 0.35, 0.39)] == [False, True, True]
    view.close()


def test_the_mosaic_is_told_how_long_ago_it_was() -> None:
    mosaic = FilterMosaic()
    mosaic.cursor.time = 0.05
    assert mosaic.snapshot().fields["ago"] is None, "there is no run yet"
    mosaic.on_chunk(chunk(0, 80))
    assert mosaic.snapshot().fields["ago"] == pytest.approx(0.029)
    mosaic.on_chunk(chunk(80, 100))
    assert mosaic.snapshot().fields["ago"] == pytest.approx(0.049)
    mosaic.cursor.time = None
    assert mosaic.snapshot().fields["ago"] is None
    mosaic.close()


def test_frame_and_mosaic_of_an_explorer_follow_the_run(frames: np.ndarray) -> None:
    explorer = explore(stimulus=frames, loop=False, speed=None, dt=50)
    explorer.player.play()
    assert explorer.player.wait(30.0) == "finished"
    explorer.cursor.time = 0.1
    assert explorer.frames.snapshot().fields["past"]
    np.testing.assert_array_equal(explorer.frames.snapshot().arrays["frame"], frames[100])
    assert explorer.mosaic.snapshot().fields["ago"] == pytest.approx(0.099)
    explorer.load("moving bar")
    explorer.player.pause()
    explorer.player.submit(lambda: None).result(30.0)
    assert explorer.frames.seen_at(0.1) is None
    explorer.close()
