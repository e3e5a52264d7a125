"""The whole retina in the explorer: it sees the film, its spikes appear, and its sliders move its filter."""

from __future__ import annotations

from tests.browser.dashboards import DashboardPage, goes_on
from tests.browser.pages import LabPage, pixels, wait_until, wait_until_changed, wait_until_still

EXPLORE = "import convis_widgets\nexplorer = convis_widgets.explore(model='Retina', dt=50)\nexplorer"


def test_the_retina_plays_and_answers_to_its_sliders(lab: LabPage) -> None:
    lab.open(EXPLORE)
    lab.run_all()
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    raster, curves = dashboard.canvas("raster"), dashboard.figure("Impulse response")
    silent = pixels(raster)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    wait_until_changed(raster, silent, fraction=0.005)
    dashboard.pause()
    before = wait_until_still(curves)
    dashboard.nudge("tau center", times=3)
    wait_until_changed(curves, before, fraction=0.002)
    assert dashboard.value("tau center") > 0.012
    dashboard.root.get_by_role("button", name="Reset all").click()
    wait_until(lambda: lab.value("float(explorer.model.p.opl.tau_center)") < 0.0101, "the filter is reset")
    assert lab.value("float(explorer.model.p.gang_1_input.sign)") == -1.0, "OFF cells stay OFF cells"
    assert dashboard.error == "" and lab.errors == []
