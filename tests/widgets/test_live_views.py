"""The own views, seen from Python: what they send, remember and refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

from convis_core.errors import MissingDependencyError, ShapeError
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.front_end import front_end
from convis_widgets.live.widget import LiveWidget
from convis_widgets.views.curves import NOWHERE, CurveView
from convis_widgets.views.frames import FrameView
from convis_widgets.views.mosaic import FilterMosaic
from convis_widgets.views.raster import SpikeRaster
from convis_widgets.views.volume import FilterVolume


@pytest.fixture
def view(connect: Any, request: pytest.FixtureRequest) -> Any:
    """A view of the class under test, its page, and the hub's page."""
    hub, hub_page = connect(acknowledge=True)
    made: list[LiveWidget] = []

    def make(kind: type[LiveWidget], **traits: Any) -> tuple[Any, Any, Callable[[], None]]:
        widget = kind(hub=hub, **traits)
        made.append(widget)

        def load() -> None:
            widget._handle_msg({"content": {"data": {"method": "custom", "content": {"type": "hello"}}}, "buffers": []})

        return widget, hub_page, load

    yield make
    for widget in made:
        widget.close()


def last_part(page: Any) -> tuple[dict[str, Any], list[bytes]]:
    page.wait(1)
    page.quiet()
    content, buffers = page.of("tick")[-1]
    return content["parts"][-1], buffers


def test_a_frame_travels_as_float32_or_as_the_bytes_it_is(view: Any) -> None:
    frames, page, _ = view(FrameView)
    frames.show(np.eye(3), time=0.5)
    part, buffers = last_part(page)
    assert part["fields"] == {"time": 0.5, "past": False}
    assert np.frombuffer(buffers[0], np.float32).reshape(3, 3).tolist() == np.eye(3).tolist()
    frames.show(np.full((2, 2), 9, np.uint8))
    assert last_part(page)[0]["arrays"][0]["dtype"] == "uint8"


@pytest.mark.parametrize("shape", [(3,), (2, 3, 3)])
def test_a_frame_has_two_axes(view: Any, shape: tuple[int, ...]) -> None:
    frames, _, _ = view(FrameView)
    with pytest.raises(ShapeError, match=r"\[x, y\]"):
        frames.show(np.zeros(shape))


def test_a_filter_may_come_with_its_channels_when_there_is_one_of_each(view: Any) -> None:
    mosaic, page, _ = view(FilterMosaic)
    mosaic.show(np.ones((1, 1, 4, 3, 2)), limit=2.0)
    part, _ = last_part(page)
    assert part["arrays"][0]["shape"] == [4, 3, 2]
    assert part["fields"] == {"limit": 2.0}
    with pytest.raises(ShapeError, match="Choose one"):
        mosaic.show(np.ones((2, 1, 4, 3, 2)))


def test_a_view_that_is_loaded_later_gets_the_present_once(view: Any) -> None:
    frames, page, load = view(FrameView)
    frames.show(np.zeros((2, 2)), time=1.0)
    frames.show(np.ones((2, 2)), time=2.0)
    page.quiet()
    n = len(page.of("tick"))
    load()
    part, buffers = last_part(page)
    assert len(page.of("tick")) == n + 1
    assert part["fields"] == {"reset": True, "time": 2.0, "past": False}
    assert np.frombuffer(buffers[0], np.float32).tolist() == [1.0] * 4


class TestRaster:
    def test_a_loaded_page_gets_all_spikes_after_a_reset(self, view: Any) -> None:
        raster, page, load = view(SpikeRaster, n_cells=[10, 10])
        for i in range(5):
            raster.append([i * 0.1, i * 0.1 + 0.05], [i, i + 1], i % 2, now=i * 0.1)
        page.quiet()
        page.messages.clear()
        load()
        part, _ = last_part(page)
        assert part["fields"]["reset"] is True and part["fields"]["now"] == pytest.approx(0.4)
        assert page.events("cell", "uint32").tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
        assert page.events("population", "uint8").tolist() == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0]

    def test_remembers_no_more_than_its_limit_and_says_so(self, view: Any) -> None:
        raster, _, _ = view(SpikeRaster, n_cells=[100], populations=["ON"], max_spikes=50)
        for i in range(10):
            raster.append(np.full(10, i), np.arange(10), 0)
        kept = raster.snapshot()
        assert kept.n_events == 50
        assert kept.fields["dropped"] == 50
        assert np.concatenate(kept.appended["time"]).min() == 5.0

    def test_stays_quick_over_thousands_of_chunks(self, view: Any) -> None:
        raster, _, _ = view(SpikeRaster, n_cells=[10, 10])
        for i in range(1000):
            raster.append([i], [0], 0)
        assert raster.snapshot().n_events == 1000
        assert len(raster.snapshot().appended["time"]) <= 257

    def test_clear_forgets(self, view: Any) -> None:
        raster, _, _ = view(SpikeRaster, n_cells=[10, 10])
        raster.append([0.1], [1], 0)
        raster.clear(now=0.0, window=(0.0, 2.0))
        assert raster.snapshot().n_events == 0
        assert raster.snapshot().fields["window"] == (0.0, 2.0)

    def test_refuses_a_population_that_it_does_not_have(self, view: Any) -> None:
        raster, _, _ = view(SpikeRaster, n_cells=[10, 10])
        with pytest.raises(ShapeError, match="population 2"):
            raster.append([0.1], [1], 2)


def test_a_view_alone_in_a_cell_has_a_hub_and_a_cursor_of_its_own_and_closes_them() -> None:
    view = FrameView()
    view.show(np.zeros((2, 2)))
    assert isinstance(view.cursor, Cursor)
    view.close()
    assert view.hub.comm is None


@pytest.mark.parametrize(
    "make", [lambda: CurveView("Rate", "time (s)", "rate (Hz)"), FilterVolume], ids=["curves", "volume"]
)
def test_plots_are_cards_wherever_they_stand(make: Callable[[], Any]) -> None:
    view = make()
    assert "convis-card" in view._dom_classes, "the style sheet knows them by this name alone"
    view.close()


def test_the_cursor_takes_what_views_set_and_refuses_the_rest() -> None:
    cursor = Cursor()
    cursor.brush = (0.5, 1.5)
    cursor.brush = None
    cursor.time = None
    with pytest.raises(traitlets.TraitError):
        cursor.pixel = (1, 2, 3)
    with pytest.raises(traitlets.TraitError):
        cursor.lag = -1


def test_a_missing_front_end_says_how_to_build_it() -> None:
    with pytest.raises(MissingDependencyError, match="npm run build"):
        front_end("nonsense.js")


def test_a_curve_comes_and_goes_by_its_points_and_is_never_invisible(connect: Any) -> None:
    # made visible while the page builds its view, a mark of bqplot would stay hidden
    hub, page = connect(acknowledge=True)
    view = CurveView("Rate", "time (s)", "rate (Hz)", hub)
    line = view.line("on")
    assert line.visible and line.x.max() == 1.0 + NOWHERE
    for time, last in [(np.arange(3.0), 2.0), (np.arange(1.0), 1.0 + NOWHERE)]:
        view.draw(line, time, 2.0 * time)
        part, buffers = last_part(page)
        assert part["fields"] == {} and {array["name"] for array in part["arrays"]} == {"x", "y"}
        assert np.frombuffer(buffers[0], np.float64)[-1] == last
    view.close()
