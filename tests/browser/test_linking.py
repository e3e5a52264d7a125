"""One selection for all views: a pixel, a lag, a time and a range of time, set in one view and marked in the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import keep
from tests.browser.dashboards import DashboardPage
from tests.browser.pages import LabPage, changed_fraction, pixels, wait_until, wait_until_changed, wait_until_still

COURSE, IMPULSE, PROFILE = "Mean rate", "Impulse response", "Spatial profile"


@pytest.fixture(scope="module")
def after_a_run(explorer_lab: LabPage) -> DashboardPage:
    """The explorer, paused after more than a second of the film."""
    dashboard = DashboardPage(explorer_lab.page.locator(".convis-dashboard").first)
    dashboard.root.get_by_label("Speed limit").select_option("max speed")
    dashboard.play()
    wait_until(lambda: dashboard.position > 1.2, "more than a second has been seen", 60)
    dashboard.pause()
    return dashboard


@pytest.fixture
def paused(after_a_run: DashboardPage, request: pytest.FixtureRequest) -> Iterator[DashboardPage]:
    yield after_a_run
    keep(after_a_run.page, request.node.name)


def test_a_clicked_pixel_is_shown_in_all_views(paused: DashboardPage, explorer_lab: LabPage) -> None:
    course = wait_until_still(paused.figure(COURSE))
    paused.click(paused.canvas("frames"), 0.25, 0.75)
    wait_until(lambda: paused.info(IMPULSE).startswith("pixel (45, 15)"), f"row 45, column 15: {paused.info(IMPULSE)}")
    wait_until(lambda: "pixel (45, 15)" in paused.info(COURSE), "the time course says it too")
    wait_until_changed(paused.figure(COURSE), course, fraction=0.002)
    assert explorer_lab.value("explorer.cursor.pixel, explorer.cursor.anchor") == ((45, 15), (45, 15))


def test_arrow_keys_move_the_pixel(paused: DashboardPage, explorer_lab: LabPage) -> None:
    paused.click(paused.canvas("frames"), 0.5, 0.5)
    row, column = explorer_lab.value("explorer.cursor.pixel")
    paused.page.keyboard.press("ArrowDown")
    paused.page.keyboard.press("Shift+ArrowLeft")
    wait_until(lambda: explorer_lab.value("explorer.cursor.pixel") == (row + 1, column - 10), "down 1, left 10")


def test_a_clicked_tile_moves_the_lag_and_the_pixel(paused: DashboardPage, explorer_lab: LabPage) -> None:
    paused.click(paused.canvas("frames"), 0.5, 0.5)
    wait_until(lambda: explorer_lab.value("explorer.cursor.pixel") == (30, 30), "the middle is selected")
    lag, curves = explorer_lab.value("explorer.cursor.lag"), wait_until_still(paused.figure(IMPULSE))
    paused.click(paused.canvas("mosaic"), 0.63, 0.38)
    wait_until(lambda: explorer_lab.value("explorer.cursor.lag") != lag, "another lag")
    wait_until(lambda: explorer_lab.value("explorer.cursor.pixel") != (30, 30), "another pixel of the filter")
    assert explorer_lab.value("explorer.cursor.anchor") == (30, 30)
    wait_until_changed(paused.figure(IMPULSE), curves, fraction=0.01)
    chosen = explorer_lab.value("explorer.cursor.lag") * 3
    wait_until(lambda: paused.info(PROFILE).startswith(f"lag {chosen} ms"), f"{paused.info(PROFILE)}, not {chosen}")


def test_the_keyboard_moves_the_lag(paused: DashboardPage, explorer_lab: LabPage) -> None:
    lag, profile = explorer_lab.value("explorer.cursor.lag"), pixels(paused.figure(PROFILE))
    paused.canvas("mosaic").focus()
    paused.page.keyboard.press("ArrowLeft")
    wait_until(lambda: explorer_lab.value("explorer.cursor.lag") == lag - 1, "one lag earlier")
    wait_until_changed(paused.figure(PROFILE), profile, fraction=0.001)


def test_the_time_under_the_pointer_is_marked_in_both_plots(paused: DashboardPage, explorer_lab: LabPage) -> None:
    raster, figure = paused.canvas("raster"), paused.figure(COURSE)
    paused.hover(figure, 0.02, 0.02)
    before = wait_until_still(raster)
    paused.hover(figure, 0.45)
    wait_until_changed(raster, before, fraction=0.0002)
    wait_until(lambda: 3.0 < (explorer_lab.value("explorer.cursor.time") or 0.0) < 6.0, "the kernel knows the time")
    course = wait_until_still(figure)
    paused.hover(raster, 0.7)
    wait_until_changed(figure, course, fraction=0.0005)
    wait_until(lambda: 6.0 < (explorer_lab.value("explorer.cursor.time") or 0.0) < 8.0, "and the new time")


@pytest.mark.parametrize("playing", [False, True], ids=["at-rest", "while-playing"])
def test_the_frame_of_the_time_under_the_pointer_is_shown(
    paused: DashboardPage, explorer_lab: LabPage, playing: bool
) -> None:
    frames, figure = paused.canvas("frames"), paused.figure(COURSE)
    paused.hover(paused.card("Spatial"), 0.5)
    newest = wait_until_still(frames)
    if playing:
        paused.root.get_by_label("Speed limit").select_option("0.1")
        paused.play()
    paused.hover(figure, 0.1)
    wait_until(lambda: paused.info("Stimulus").startswith("seen at 0."), paused.info("Stimulus"))
    wait_until(lambda: paused.info("Filter").endswith("s ago: no longer in the filter"), paused.info("Filter"))
    wait_until_changed(frames, newest, fraction=0.05)
    keep(paused.page, "the_time_under_the_pointer")
    paused.page.mouse.move(1, 1)
    wait_until(lambda: paused.info("Stimulus").startswith("60"), "the newest is shown again")
    wait_until(lambda: paused.info("Filter").startswith("lag 0"), "and the filter without a mark")
    if playing:
        paused.pause()
        paused.root.get_by_label("Speed limit").select_option("max speed")
    else:
        assert changed_fraction(newest, wait_until_still(frames)) < 0.01


def test_a_time_that_the_filter_still_sees_is_marked_in_it(paused: DashboardPage, explorer_lab: LabPage) -> None:
    mosaic, now = paused.canvas("mosaic"), paused.position
    explorer_lab.value(f"setattr(explorer.cursor, 'brush', ({now} - 0.2, {now}))")
    wait_until(lambda: len(paused.ticks(COURSE)) > 2 and paused.ticks(COURSE)[0] > now - 0.3, "the last 200 ms")
    paused.hover(paused.card("Spatial"), 0.5)
    tiles = wait_until_still(mosaic)
    paused.hover(paused.figure(COURSE), 0.8)
    wait_until(lambda: "s ago: lag" in paused.info("Filter"), paused.info("Filter"))
    wait_until_changed(mosaic, tiles, fraction=0.0003)
    explorer_lab.value("setattr(explorer.cursor, 'brush', None)")


def test_a_page_loaded_again_marks_no_time(paused: DashboardPage, explorer_lab: LabPage) -> None:
    paused.hover(paused.figure(COURSE), 0.1)
    wait_until(lambda: explorer_lab.value("explorer.cursor.time") is not None, "the kernel knows the time")
    explorer_lab.reload()
    explorer_lab.widget(".convis-dashboard", timeout_s=60)
    wait_until(lambda: explorer_lab.value("explorer.cursor.time") is None, "no pointer is there")
    wait_until(lambda: paused.info("Stimulus").startswith("60"), "the newest frame is shown")


def test_a_mark_comes_and_goes_without_a_complaint_of_the_page(paused: DashboardPage) -> None:
    complaints: list[str] = []
    paused.page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for _ in range(3):
        paused.hover(paused.figure(COURSE), 0.1)
        wait_until(lambda: paused.info("Stimulus").startswith("seen at"), "the time is marked")
        paused.page.mouse.move(1, 1)
        wait_until(lambda: paused.info("Stimulus").startswith("60"), "it is no longer")
    assert complaints == []


@pytest.mark.parametrize("undo", ["double click", "Escape"])
def test_a_brushed_range_zooms_the_time_course(paused: DashboardPage, explorer_lab: LabPage, undo: str) -> None:
    raster = paused.canvas("raster")
    whole = paused.ticks(COURSE)
    paused.drag(raster, 0.08, 0.14)
    wait_until(lambda: paused.ticks(COURSE) != whole, "other ticks")

    def zoomed() -> bool:
        (start, end), ticks = explorer_lab.value("explorer.cursor.brush"), paused.ticks(COURSE)
        return 0.3 < end - start < 1.0 and start <= ticks[0] and ticks[-1] <= end + 1e-6

    wait_until(zoomed, "the time course shows the brushed range", 10)
    assert "selected" in paused.card("Spikes").locator(".convis-info").first.inner_text()
    if undo == "Escape":
        raster.focus()
        paused.page.keyboard.press("Escape")
    else:
        raster.dblclick(position={"x": 300, "y": 60})
    wait_until(lambda: paused.ticks(COURSE) == whole, "the whole range is back")
    assert explorer_lab.value("explorer.cursor.brush") is None
