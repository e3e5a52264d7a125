"""The explorer at four widths in two themes: nothing cut off, nothing on top of another, nothing glaring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from convis_widgets.views.curves import MARGIN
from tests.browser.conftest import VIEWPORT, keep
from tests.browser.contrast import unreadable
from tests.browser.dashboards import DashboardPage, goes_on
from tests.browser.pages import LabPage, pixels, wait_until

TEXTS = """root => {
    // every text that can be seen: what it says, where it is, and the card or row that it belongs to
    const shown = element => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    const texts = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        const text = node.textContent.trim();
        if (!text || !shown(element) || element.closest("option, .convis-hidden, .convis-tip, style")) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const ink = element instanceof SVGElement ? element.getBoundingClientRect() : range.getBoundingClientRect();
        if (ink.width === 0) continue;
        const card = (element.closest(".convis-card, .convis-side, .convis-bar") ?? root).getBoundingClientRect();
        texts.push({
            text, box: [ink.left, ink.top, ink.right, ink.bottom], tick: element.closest(".tick") !== null,
            outside: ink.left < card.left - 1 || ink.right > card.right + 1 || ink.top < card.top - 1
                || ink.bottom > card.bottom + 1,
            cut: !(element instanceof SVGElement) && element.scrollWidth > element.clientWidth + 1
                && getComputedStyle(element).overflow !== "visible",
        });
    }
    return texts;
}"""
DEAF = """{
    const Observer = window.ResizeObserver;
    window.ResizeObserver = class extends Observer {
        observe(element, options) {
            if (!element.classList?.contains("bqplot")) super.observe(element, options);
        }
    };
}"""
AREA = ".plotarea_background"
CANVASES_CUT_OFF = """root => [...root.querySelectorAll(".convis-card canvas")].filter(canvas => {
    const [ink, card] = [canvas, canvas.closest(".convis-card")].map(element => element.getBoundingClientRect());
    return ink.left < card.left || ink.right > card.right || ink.top < card.top || ink.bottom > card.bottom;
}).map(canvas => canvas.closest(".convis-card").className)"""


@pytest.fixture
def resizable(explorer: DashboardPage) -> Iterator[DashboardPage]:
    yield explorer
    explorer.page.set_viewport_size(VIEWPORT)


def overlapping(texts: list[dict[str, Any]]) -> list[str]:
    """Pairs of texts that lie on one another by more than a hair, or numbers of an axis that touch."""
    pairs = []
    for i, one in enumerate(texts):
        for other in texts[i + 1 :]:
            width = min(one["box"][2], other["box"][2]) - max(one["box"][0], other["box"][0])
            height = min(one["box"][3], other["box"][3]) - max(one["box"][1], other["box"][1])
            in_a_row = one["tick"] and other["tick"] and one["box"][1] == other["box"][1]
            if width > (-3 if in_a_row else 2) and height > 4:
                pairs.append(f"{one['text']!r} and {other['text']!r}")
    return pairs


@pytest.mark.parametrize("width", [900, 1135, 1200, 1400, 2000])
def test_every_label_has_its_place(resizable: DashboardPage, width: int) -> None:
    if resizable.position == 0.0:
        resizable.play()
        wait_until(lambda: resizable.position > 0.2, "there is something to see", 30)
        resizable.pause()
    resizable.page.set_viewport_size({"width": width, "height": 2200})  # a plot out of sight follows when it is seen
    found: dict[str, list[str]] = {}

    def in_place() -> bool:
        texts = resizable.root.evaluate(TEXTS)
        found["misplaced"] = [text["text"] for text in texts if text["outside"] or text["cut"]]
        found["overlapping"] = overlapping(texts)
        return len(texts) > 60 and not any(found.values())

    with suppress(AssertionError):  # plots follow a resize a little later; what is still wrong then is told below
        wait_until(in_place, "every label has its place", 10)
    keep(resizable.page, f"the_explorer_at_{width}_px")
    assert in_place(), found
    scrolled, visible = resizable.root.evaluate("root => [root.scrollWidth, root.clientWidth]")
    assert scrolled <= visible + 1
    assert resizable.root.evaluate(CANVASES_CUT_OFF) == []


def test_time_is_in_line_in_all_views(explorer: DashboardPage) -> None:
    ends: list[list[float]] = [[], []]

    def in_line() -> bool:
        spikes, rates = explorer.box(explorer.canvas("raster")), explorer.box(explorer.card("Mean rate").locator(AREA))
        ends[0] = [spikes["x"] + MARGIN["left"], spikes["x"] + spikes["width"] - MARGIN["right"]]
        ends[1] = [rates["x"], rates["x"] + rates["width"]]
        return ends[0] == pytest.approx(ends[1], abs=0.6)

    with suppress(AssertionError):
        wait_until(in_line, "the axes lie one below the other", 5)
    assert in_line(), ends


def test_the_cube_fills_its_card(resizable: DashboardPage) -> None:
    card, canvas = resizable.card("Kernel"), resizable.card("Kernel").locator("canvas").first
    for width in (900, 1280, 2000):
        resizable.page.set_viewport_size({"width": width, "height": 1400})

        def fills() -> bool:
            room, cube = resizable.box(card), resizable.box(canvas)
            return cube["width"] >= 0.85 * min(room["width"] - 22, 360) and cube["width"] == cube["height"]

        wait_until(fills, f"at {width} px the cube is as large as its card", 5)


def test_curves_follow_a_change_of_size_that_bqplot_missed(lab: LabPage) -> None:
    """As it misses one that comes while a figure is being built."""
    lab.page.add_init_script(DEAF)
    lab.open("import convis_widgets\nconvis_widgets.explore()")
    lab.run_all()
    root = lab.widget(".convis-dashboard", timeout_s=60)
    wait_until(lambda: root.locator(".bqplot .tick").count() > 20, "the curves are there", 30)
    lab.page.set_viewport_size({"width": 900, "height": 2200})

    def in_place() -> bool:
        return not any(text["outside"] for text in root.evaluate(TEXTS))

    wait_until(in_place, "the curves have followed", 10)


def test_dark_while_live(explorer: DashboardPage, explorer_lab: LabPage) -> None:
    explorer.play()
    goes_on(explorer.canvas("frames"))
    light = {title: pixels(explorer.card(title)).mean() for title in ("Filter", "Spikes", "Impulse", "Mean", "Kernel")}
    explorer_lab.set_theme("dark")
    try:
        for title, before in light.items():
            card = explorer.card(title)
            wait_until(lambda card=card: pixels(card).mean() < 90, f"{title} is dark ({before:.0f} in light)", 15)
            assert before > 200
            assert (pixels(card).min(axis=2) > 240).mean() < 0.01, f"{title} glares"
        assert unreadable(explorer.root) == {}
        assert explorer.state == "playing"
        goes_on(explorer.canvas("frames"))
        keep(explorer.page, "the_explorer_in_the_dark")
    finally:
        explorer_lab.set_theme("light")
    for title, before in light.items():
        card = explorer.card(title)
        wait_until(lambda card=card, before=before: abs(pixels(card).mean() - before) < 15, f"{title} is light", 15)
    assert unreadable(explorer.root) == {}
