"""Parts in cells of their own, explorers side by side, and one that lacks a part."""

from __future__ import annotations

import pytest

from tests.browser.dashboards import DashboardPage, goes_on, is_still
from tests.browser.pages import LabPage, coloured_fraction, pixels, wait_until

ALONE = [
    """
import numpy as np
import convis_core as convis
import convis_widgets
model = convis.models.CentreSurround()
panel = convis_widgets.ParameterPanel(model)
panel
""",
    """
player = convis_widgets.RunPlayer(model, np.random.rand(3000, 12, 12).astype("float32"), dt=20, loop=True)
convis_widgets.Transport(player)
""",
    """
frames = convis_widgets.StimulusView()
player.watchers.append(frames.on_chunk)
frames
""",
    """
impulse, mosaic = convis_widgets.ImpulseResponse("Hz"), convis_widgets.FilterMosaic()
impulse.show(model)
mosaic.show(model)
panel.on_set(lambda name, value: impulse.show(model))
panel.on_set(lambda name, value: mosaic.show(model))
display(impulse, mosaic)
""",
    """
course = convis_widgets.TimeCourse(model)
player.watchers.append(course.on_chunk)
course
""",
]
WITHOUT_IPYVOLUME = """
import sys
sys.modules["ipyvolume"] = None
import convis_widgets
explorer = convis_widgets.explore()
explorer
"""
ANOTHER = """
import convis_core as convis
another = convis_widgets.explore(convis.models.LN(kernel_dim=(10, 7, 7)), "moving bar")
another
"""


@pytest.mark.usefixtures("keep_page")
def test_parts_stand_alone_in_a_cell(shared_lab: LabPage) -> None:
    shared_lab.open(*ALONE, name="parts.ipynb")
    shared_lab.run_all()
    page = DashboardPage(shared_lab.page.locator(".jp-Notebook"))
    page.play()
    goes_on(page.canvas("frames"))
    wait_until(lambda: coloured_fraction(pixels(page.figure("Mean rate"))) > 0.004, "the rates are drawn", 20)
    wait_until(lambda: page.info("Filter") == "lag 0\u201399 ms, one frame every 3 ms", page.info("Filter"))
    before, tiles = pixels(page.figure("Impulse response")), pixels(page.canvas("mosaic"))
    page.nudge("tau center", times=3)
    wait_until(lambda: (pixels(page.figure("Impulse response")) != before).any(), "the response follows its slider")
    wait_until(lambda: (pixels(page.canvas("mosaic")) != tiles).any(), "the filter follows, too")
    page.stop()
    assert is_still(page.canvas("frames"))
    assert shared_lab.errors == []


@pytest.mark.usefixtures("keep_page")
def test_two_explorers_do_not_meddle_and_one_lacks_ipyvolume(shared_lab: LabPage) -> None:
    shared_lab.open(WITHOUT_IPYVOLUME, ANOTHER, name="two.ipynb")
    shared_lab.run_all()
    wait_until(lambda: shared_lab.page.locator(".convis-dashboard").count() == 2, "two are shown", 60)
    first, second = (DashboardPage(shared_lab.page.locator(".convis-dashboard").nth(k)) for k in (0, 1))
    told = first.card("Kernel").locator(".widget-html-content").last
    assert "pip install ipyvolume" in told.inner_text()
    width = "text => text.scrollWidth - text.closest('.convis-card').clientWidth"
    assert told.evaluate(width) <= 0, "the advice is not cut off"
    assert "None of its parameters" in second.root.locator(".convis-panel").inner_text()
    first.play()
    second.play()
    goes_on(first.canvas("frames"))
    goes_on(second.canvas("frames"))
    second.click(second.canvas("frames"), 0.31, 0.31)
    wait_until(lambda: second.info("Impulse").startswith("pixel (15, 15)"), second.info("Impulse"))
    assert first.info("Impulse").startswith("pixel (30, 30)")
    second.stop()
    goes_on(first.canvas("frames"))
    first.stop()
    assert shared_lab.errors == []
