"""The notebook that `make run` opens: it plays, stops, answers to sliders, and comes back."""

from __future__ import annotations

import time

import pytest

from tests.browser.dashboards import DashboardPage, goes_on, is_still
from tests.browser.pages import (
    LabPage,
    changed_fraction,
    coloured_fraction,
    pixels,
    wait_until,
    wait_until_changed,
    wait_until_still,
)

TIME_TO_STOP = 1.0
TAU_CENTER = "float(explorer.model.p.receptive_field.tau_center)"
EXPLORE = "import convis_widgets\nexplorer = convis_widgets.explore(dt=50)\nexplorer"


def test_play_and_stop(explorer: DashboardPage, explorer_lab: LabPage) -> None:
    frames, raster = explorer.canvas("frames"), explorer.canvas("raster")
    before = pixels(raster)
    explorer.play()
    goes_on(frames)
    wait_until_changed(raster, before, fraction=0.01, timeout_s=20)
    assert explorer_lab.value("explorer.player.state") == "running"
    assert explorer.stop() < TIME_TO_STOP
    assert explorer_lab.value("explorer.player.state") == "stopped"
    assert is_still(frames) and is_still(raster)
    assert explorer.error == "" and explorer_lab.errors == []


def test_pause_step_and_go_on(explorer: DashboardPage) -> None:
    explorer.play()
    goes_on(explorer.canvas("frames"))
    explorer.pause()
    reached = explorer.position
    explorer.press("One chunk")
    wait_until(lambda: explorer.position > reached, "one chunk more")
    assert explorer.position == pytest.approx(reached + 0.02)
    explorer.play()
    wait_until(lambda: explorer.position > reached + 0.05, "it goes on from there")


@pytest.mark.parametrize("playing", [False, True], ids=["at-rest", "while-playing"])
def test_a_slider_changes_the_filter_on_screen(explorer: DashboardPage, explorer_lab: LabPage, playing: bool) -> None:
    curves, mosaic = explorer.figure("Impulse response"), explorer.canvas("mosaic")
    if playing:
        explorer.play()
    before, tiles = wait_until_still(curves), pixels(mosaic)
    explorer.nudge("tau center", times=3)
    wait_until_changed(curves, before, fraction=0.002)
    wait_until_changed(mosaic, tiles, fraction=0.002)
    assert (explorer.state == "playing") == playing
    shown = explorer.value("tau center")
    assert shown > 0.012
    wait_until(
        lambda: (
            explorer_lab.value("float(explorer.model.p.receptive_field.tau_center)") == pytest.approx(shown, rel=0.01)
        ),
        f"the model has {shown}",
    )
    explorer.row("tau center").get_by_role("button", name="Reset").click()
    wait_until(lambda: explorer.value("tau center") == 0.01, "the dot resets it")


def test_reset_all(explorer: DashboardPage, explorer_lab: LabPage) -> None:
    for label in ("baseline", "sigma center", "g L"):
        explorer.nudge(label)
    reset = explorer.root.get_by_role("button", name="Reset all")
    reset.click()
    values = "[float(h) for h in explorer.model.user_parameters]"
    defaults = "[float(h.declaration.default) for h in explorer.model.user_parameters]"
    wait_until(lambda: explorer_lab.value(values) == pytest.approx(explorer_lab.value(defaults)), "all are reset")
    assert explorer.value("baseline") == 40 and explorer.value("g L") == 50


@pytest.mark.parametrize(("typed", "reason"), [("-1", "above|at least|between|bounds|from"), ("many", "not a number")])
def test_a_refused_value_says_why(explorer: DashboardPage, typed: str, reason: str) -> None:
    row = explorer.row("sigma center")
    explorer.type("sigma center", typed)
    told = row.get_by_role("status")
    told.wait_for()
    assert any(word in told.inner_text() for word in reason.split("|")), told.inner_text()
    assert explorer.value("sigma center") == pytest.approx(0.05)
    explorer.type("sigma center", "0.06")
    wait_until(lambda: not told.is_visible(), "the reason goes away")
    explorer.row("sigma center").get_by_role("button", name="Reset").click()


def test_a_chosen_stimulus_is_played(explorer: DashboardPage) -> None:
    explorer.root.get_by_role("combobox").nth(1).select_option("moving bar")
    explorer.wait_for_state("playing")
    wait_until(lambda: explorer.info("Stimulus").startswith("50"), "the frame has the new size")
    goes_on(explorer.canvas("frames"))
    explorer.root.get_by_role("combobox").nth(1).select_option("natural scene")
    wait_until(lambda: explorer.info("Stimulus").startswith("60"), "the film is back")
    goes_on(explorer.canvas("frames"))


def test_a_view_shown_again_shows_the_present(lab: LabPage) -> None:
    lab.open(
        EXPLORE,
        "explorer.raster",
        "explorer.impulse",
        "explorer.volume",
    )
    lab.run_cell(0)
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    dashboard.play()
    wait_until(lambda: dashboard.position > 0.3, "it plays", 60)
    dashboard.pause()
    lab.run_cell(1)
    lab.run_cell(2)
    again = lab.page.locator(".jp-Cell").nth(1).locator(".convis-raster canvas.convis-canvas")
    again.wait_for()
    shown = wait_until_still(again)
    assert (shown.std(axis=2) > 20).mean() > 0.003, "spikes are coloured"
    curves = lab.page.locator(".jp-Cell").nth(2).locator(".bqplot path.line")
    assert max(len(path.get_attribute("d") or "") for path in curves.all()) > 500
    before = wait_until_still(dashboard.card("Kernel"))
    lab.run_cell(3)
    lab.page.locator(".jp-Cell").nth(3).locator(".convis-volume canvas").first.wait_for()
    dashboard.drag(dashboard.card("Kernel").locator("canvas").first, 0.4, 0.5)  # both displays are painted anew
    turned = wait_until_changed(dashboard.card("Kernel"), before)
    assert coloured_fraction(turned) < 3 * coloured_fraction(before), "neither display shows what the other hides"


def test_after_the_kernel_has_ended_the_dashboard_stays_in_shape_and_says_so(lab: LabPage) -> None:
    lab.open(EXPLORE)
    lab.run_cell(0)
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    shape = "root => [...root.querySelectorAll('.convis-grid > *')].map(card => card.getBoundingClientRect().left)"
    before = dashboard.root.evaluate(shape)
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    gone = "root => root.matches('.jupyter-widgets-disconnected')"
    wait_until(lambda: dashboard.root.evaluate(gone), "the page knows that the kernel has ended")
    assert "Run the cell again" in dashboard.root.evaluate("root => getComputedStyle(root, '::before').content")
    assert dashboard.root.evaluate(shape) == before
    lab.run_cell(0)
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))


def test_colours_of_the_system_reach_sliders_and_canvases(explorer: DashboardPage) -> None:
    slider = explorer.row("tau center").locator(".convis-slider")
    explorer.page.emulate_media(forced_colors="active")
    try:
        wait_until(lambda: pixels(slider).std() > 20, "the slider stands out from the paper", 5)
        ink = "root => getComputedStyle(root).getPropertyValue('--cv-ink').trim()"
        assert explorer.root.evaluate(ink).lower() == "canvastext"
    finally:
        explorer.page.emulate_media(forced_colors="none")


def test_a_cell_run_again_leaves_no_model_playing(lab: LabPage) -> None:
    lab.open("made = []", f"{EXPLORE.removesuffix('explorer')}explorer.player.play()\nmade.append(explorer)\nexplorer")
    lab.run_cell(0)
    lab.run_cell(1)
    lab.widget(".convis-dashboard", timeout_s=60)
    lab.run_cell(1)
    assert lab.value("[explorer.player.state for explorer in made]") == ["closed", "running"]
    wait_until(lambda: lab.page.locator(".convis-dashboard").count() == 1, "one is shown")
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    wait_until(lambda: dashboard.position > 0.1, "it plays", 30)
    lab.reload()
    lab.widget(".convis-dashboard", timeout_s=60)
    goes_on(dashboard.canvas("frames"))
    assert lab.errors == []


def test_curves_are_there_after_the_connection_was_lost(explorer: DashboardPage, explorer_lab: LabPage) -> None:
    """The notebook then overwrites all widgets with what the kernel knows of them, which is no curve."""
    figure = explorer.figure("Impulse response")
    explorer.nudge("amplification", "PageDown")
    before = wait_until_still(figure)
    assert coloured_fraction(before) > 0.004
    explorer_lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.reconnect()")
    time.sleep(3.0)  # until the notebook has asked the kernel, and after
    wait_until(lambda: changed_fraction(before, pixels(figure)) < 0.02, "the curves are as before", 20)
    assert explorer_lab.errors == []


@pytest.mark.parametrize("playing", [False, True], ids=["at-rest", "while-playing"])
def test_reloaded_the_views_come_back(explorer: DashboardPage, explorer_lab: LabPage, playing: bool) -> None:
    explorer.nudge("amplification", "PageDown")
    explorer.play()
    wait_until(lambda: explorer.position > 0.3, "it plays", 30)
    if not playing:
        explorer.pause()
    value = explorer.value("amplification")
    views = [explorer.canvas("frames"), explorer.canvas("mosaic"), explorer.canvas("raster")]
    views += [explorer.figure("Impulse response"), explorer.figure("Mean rate")]
    before = [pixels(view) if playing else wait_until_still(view) for view in views]
    explorer_lab.reload()
    explorer_lab.widget(".convis-dashboard", timeout_s=60)
    wait_until(lambda: explorer.state == ("playing" if playing else "paused"), "the state is back", 30)
    assert explorer.value("amplification") == value
    if playing:
        goes_on(explorer.canvas("frames"))
        goes_on(explorer.canvas("raster"))
    else:
        for view, old in zip(views, before, strict=True):
            wait_until(
                lambda view=view, old=old: changed_fraction(old, pixels(view)) < 0.02, f"{view} is as before", 20
            )
    for figure in views[-2:]:
        wait_until(lambda figure=figure: coloured_fraction(pixels(figure)) > 0.004, f"{figure} has its curves", 20)
    assert explorer.error == "" and explorer_lab.errors == []
    explorer.root.get_by_role("button", name="Reset all").click()
