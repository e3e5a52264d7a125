"""What a person does on a dashboard: press, move, click, read."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator

from tests.browser.pages import Pixels, changed_fraction, pixels, wait_until, wait_until_changed

STOPWATCH = """root => {
    const status = root.querySelector(".convis-state");
    root.addEventListener("click", () => { root.pressedAt = performance.now(); }, { capture: true, once: true });
    const observer = new MutationObserver(() => {
        if (status.textContent !== "stopped") return;
        root.timeToStop = (performance.now() - root.pressedAt) / 1000;
        observer.disconnect();
    });
    observer.observe(status, { childList: true, characterData: true, subtree: true });
}"""


TICKS_BELOW = """figure => {
    const bottom = figure.querySelector(".plotarea_background").getBoundingClientRect().bottom;
    const below = text => text.textContent && text.getBoundingClientRect().top > bottom;
    return [...figure.querySelectorAll(".tick text")].filter(below).map(text => text.textContent);
}"""


class DashboardPage:
    """A dashboard on a page, in a notebook or standing alone."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page

    # The transport -------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """What the transport says the run is doing."""
        return self.root.locator(".convis-state").inner_text()

    @property
    def position(self) -> float:
        """Seconds of the stimulus that have been seen."""
        return float(self.root.locator(".convis-clock b").inner_text())

    @property
    def error(self) -> str:
        """Text of the error strip, empty while there is none."""
        # in one look: between two the strip may come or go
        strip = "root.querySelector('[role=alert]')"
        return str(self.root.evaluate(f"root => {strip}?.checkVisibility() ? {strip}.innerText : ''"))

    def press(self, name: str) -> None:
        """Click the button of the transport whose name begins so."""
        self.root.get_by_role("button", name=re.compile(f"^{name}")).first.click()

    def play(self) -> None:
        """Press play, and wait until the run goes on."""
        self.press("Play")
        self.wait_for_state("playing")

    def pause(self) -> None:
        """Press pause, and wait until the run rests."""
        self.press("Pause")
        self.wait_for_state("paused")

    def stop(self) -> float:
        """Press stop; return the seconds from the click until the page says that the run has stopped."""
        self.root.evaluate(STOPWATCH)
        self.press("Stop")
        self.wait_for_state("stopped")
        return float(self.root.evaluate("root => root.timeToStop"))

    def wait_for_state(self, state: str, timeout_s: float = 20.0) -> None:
        """Wait until the transport says so."""
        wait_until(lambda: self.state == state, f"the run is {state}, not {self.state}: {self.error}", timeout_s)

    def wait_for_rest(self, timeout_s: float = 20.0) -> None:
        """Wait until the run does not go on, whatever ended it."""
        wait_until(lambda: self.state != "playing", "the run rests", timeout_s)

    # The views -----------------------------------------------------------------------------

    def canvas(self, view: str) -> Locator:
        """Canvas of the ``frames``, the ``mosaic`` or the ``raster``."""
        return self.root.locator(f".convis-{view} canvas.convis-canvas").first

    def card(self, title: str) -> Locator:
        """A whole card, by the beginning of its title."""
        head = self.page.locator(".convis-head", has_text=re.compile(f"^\\s*{title}"))
        return self.root.locator(".convis-card", has=head).first

    def figure(self, title: str) -> Locator:
        """The curves of a card."""
        return self.card(title).locator(".bqplot").first

    def info(self, title: str) -> str:
        """The grey text in the header of a card."""
        return self.card(title).locator(".convis-info").first.inner_text()

    def ticks(self, title: str) -> list[float]:
        """Numbers along the horizontal axis of a card's curves."""
        texts = self.figure(title).evaluate(TICKS_BELOW)
        return [float(text.replace("\u2212", "-")) for text in texts]

    def click(self, target: Locator, across: float, down: float) -> None:
        """Click at these shares of the width and height."""
        box = self.box(target)
        self.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def hover(self, target: Locator, across: float, down: float = 0.5) -> None:
        """Move the pointer there."""
        box = self.box(target)
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=3)

    def drag(self, target: Locator, start: float, end: float) -> None:
        """Drag along the width, from one share of it to another."""
        self.hover(target, start)
        self.page.mouse.down()
        self.hover(target, end)
        self.page.mouse.up()

    def box(self, target: Locator) -> dict[str, float]:
        """Where it is on the screen, scrolled into view."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None, "it is not visible"
        return dict(box)

    # The panel -----------------------------------------------------------------------------

    def row(self, label: str) -> Locator:
        """Row of a parameter."""
        label_of = self.page.locator("label", has_text=re.compile(f"^{label}\\b"))
        return self.root.locator(".convis-row", has=label_of).first

    def value(self, label: str) -> float:
        """Number shown for a parameter."""
        return float(self.row(label).locator(".convis-field").input_value().replace("\u2212", "-"))

    def nudge(self, label: str, key: str = "PageUp", times: int = 1) -> None:
        """Focus the slider of a parameter and press a key: PageUp moves it by a tenth of its length."""
        self.row(label).locator(".convis-slider").focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def type(self, label: str, text: str) -> None:
        """Type into the field of a parameter."""
        field = self.row(label).locator(".convis-field")
        field.fill(text)
        field.press("Enter")


def goes_on(target: Locator, timeout_s: float = 20.0) -> Pixels:
    """Wait until what is shown there changes; return what it shows then."""
    return wait_until_changed(target, pixels(target), timeout_s=timeout_s)


def is_still(target: Locator, seconds: float = 0.5) -> bool:
    """Whether nothing changes there for a while."""
    before = pixels(target)
    time.sleep(seconds)
    return changed_fraction(before, pixels(target)) == 0.0
