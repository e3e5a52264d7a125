"""The explorer for people who hear it, who use no mouse, or who see little."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import keep
from tests.browser.contrast import unreadable
from tests.browser.dashboards import DashboardPage
from tests.browser.pages import LabPage, coloured_fraction, pixels, wait_until, wait_until_changed, wait_until_still

FOCUSED = """() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return {
        inside: element.closest(".convis-dashboard") !== null,
        what: `${element.tagName} ${element.className} ${element.getAttribute("aria-label") ?? ""}`,
        seen: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    };
}"""


def test_every_view_and_every_field_has_a_name(explorer: DashboardPage, explorer_lab: LabPage) -> None:
    named = ["^Impulse response ?pixel", "^Spatial profile", "^Mean rate.*pixel", "^Kernel in 3-D"]
    named += ["^Stimulus, 60 by 60", "^Filter, 34 lags", "^Spikes"]
    for pattern in named:
        explorer.root.get_by_role("img", name=re.compile(pattern)).first.wait_for()
    explorer.root.get_by_role("combobox", name="What the model sees").wait_for()
    session = explorer.page.context.new_cdp_session(explorer.page)
    here = session.send("Runtime.evaluate", {"expression": "document.querySelector('.convis-dashboard')"})["result"]
    nodes = session.send("Accessibility.queryAXTree", {"objectId": here["objectId"]})["nodes"]
    spoken = {"combobox", "textbox", "searchbox", "slider", "button", "toolbar"}
    told = [node for node in nodes if node.get("role", {}).get("value") in spoken and not node["ignored"]]
    assert len(told) > 30
    assert [node for node in told if not node["name"]["value"]] == []
    explorer.click(explorer.canvas("frames"), 0.21, 0.21)
    explorer.root.get_by_role("img", name=re.compile(r"^Impulse response ?pixel \(12, 12\)")).wait_for()


def test_everything_is_reached_by_tab_and_shows_that_it_is(explorer: DashboardPage) -> None:
    explorer.root.get_by_role("button", name="Play").focus()
    reached: list[str] = []
    while (focused := explorer.page.evaluate(FOCUSED))["inside"]:
        assert focused["seen"] or not reached, f"{focused['what']} does not show its focus"
        reached.append(focused["what"])
        assert len(reached) < 100
        explorer.page.keyboard.press("Tab")
    rows = explorer.root.locator(".convis-row").count()
    assert len(reached) == len(set(enumerate(reached))) and len(reached) > 2 * rows + 12
    for view in ("Stimulus", "Filter", "Spikes", "Speed limit", "What the model sees"):
        assert any(view in what for what in reached), f"{view} is reached"


def test_the_cube_is_turned_with_arrow_keys(explorer: DashboardPage) -> None:
    card = explorer.card("Kernel in 3-D")
    cube = card.get_by_role("img", name=re.compile("^Kernel in 3-D ?drag or arrows"))
    wait_until(lambda: coloured_fraction(pixels(card)) > 0.005, "the filter is drawn")
    explorer.root.get_by_role("button", name="Play").focus()
    cube.focus()
    explorer.page.keyboard.press("Shift")  # the last thing used is the keyboard
    focused = explorer.page.evaluate(FOCUSED)
    assert focused["inside"] and focused["seen"], focused
    before = wait_until_still(cube)
    explorer.page.keyboard.press("ArrowRight")
    turned = wait_until_changed(cube, before, fraction=0.01)
    assert explorer.page.evaluate(FOCUSED) == focused, "the focus stays"
    wait_until_still(cube)
    explorer.page.keyboard.press("ArrowUp")
    wait_until_changed(cube, turned, fraction=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 900])
def test_all_text_can_be_read(explorer: DashboardPage, explorer_lab: LabPage, theme: str, width: int) -> None:
    explorer.page.set_viewport_size({"width": 1400, "height": 1400})
    explorer.type("sigma center", "-1")
    explorer_lab.value("explorer.transport.show_error('Something went wrong.', 'Do this.')")
    wait_until(lambda: "Do this" in explorer.error, "the error is shown")
    explorer_lab.set_theme(theme)
    explorer.page.set_viewport_size({"width": width, "height": 1400})
    explorer.hover(explorer.canvas("frames"), 0.3, 0.3)
    try:
        wait_until(lambda: unreadable(explorer.root) == {}, f"all can be read but {unreadable(explorer.root)}", 5)
        keep(explorer.page, f"errors_{theme}_{width}")
    finally:
        explorer_lab.set_theme("light")
        explorer.page.set_viewport_size({"width": 1400, "height": 1400})
        explorer.type("sigma center", "0.05")
        explorer.press("One chunk")  # takes the error away
