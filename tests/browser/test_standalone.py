"""``convis-explore`` as a person without a notebook uses it: an address with a token, a page, and a clean end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.contrast import unreadable
from tests.browser.dashboards import DashboardPage, goes_on, is_still
from tests.browser.films import write_film
from tests.browser.pages import Pixels, coloured_fraction, pixels, wait_until, wait_until_changed, wait_until_still
from tests.browser.servers import jupyter_environment, running

COMMAND = "import sys; from convis_widgets.apps.cli import main; sys.exit(main())"


@dataclass
class Served:
    """A running ``convis-explore``."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path


@pytest.fixture
def served(tmp_path: Path, free_port: int) -> Iterator[Served]:
    """The explorer on a film of odd size and rate."""
    film = write_film(tmp_path / "a film.mp4", 45, 61, 25.0)
    command = [sys.executable, "-u", "-c", COMMAND, film.name, f"--port={free_port}", "--no-browser"]
    log = tmp_path / "explore.log"
    with running(command, folder=tmp_path, log=log, env=jupyter_environment(tmp_path)) as process:
        pattern = re.compile(rf"http://127\.0\.0\.1:{free_port}/\?token=\w+")
        wait_until(lambda: process.poll() is not None or bool(pattern.search(log.read_text())), "an address", 60)
        found = pattern.search(log.read_text())
        assert found, log.read_text()
        yield Served(process, found.group(), log)


def test_without_the_token_nothing_is_served(served: Served) -> None:
    bare = served.address.partition("?")[0]
    for address in (bare, f"{bare}?token=0", f"{bare}api/kernels", f"{bare}voila/api/shutdown/0"):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert "login" in answer.url and b"convis" not in answer.read(), address
        except urllib.error.HTTPError as error:
            assert error.code in (401, 403, 404, 405), address


def test_the_page_plays_answers_and_ends(served: Served, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(served.address, timeout=90_000)
    page.locator(".convis-dashboard").wait_for(timeout=60_000)
    dashboard = DashboardPage(page.locator(".convis-dashboard"))
    wait_until(lambda: dashboard.info("Stimulus").startswith("44 \u00d7 60"), "the film's proportions are kept", 20)
    frames, raster = dashboard.canvas("frames"), dashboard.canvas("raster")
    before: Pixels = pixels(raster)
    dashboard.play()
    goes_on(frames)
    wait_until_changed(raster, before, fraction=0.005, timeout_s=20)

    curves = wait_until_still(dashboard.figure("Impulse response"))
    dashboard.nudge("tau center", times=3)
    wait_until_changed(dashboard.figure("Impulse response"), curves, fraction=0.002)

    assert dashboard.stop() < 1.0
    assert is_still(frames) and dashboard.error == "" and errors == []

    family = psutil.Process(served.process.pid).children(recursive=True)
    assert family, "a kernel of its own"
    for process in family:
        process.kill()
    gone = "root => root.matches('.jupyter-widgets-disconnected')"
    wait_until(lambda: dashboard.root.evaluate(gone), "the page knows that the kernel has ended")
    assert "Load the page again" in dashboard.root.evaluate("root => getComputedStyle(root, '::before').content")
    page.reload(timeout=90_000)
    page.locator(".convis-dashboard").wait_for(timeout=60_000)
    family = psutil.Process(served.process.pid).children(recursive=True)
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(timeout=20) == 0
    # no word of trust or time-outs; what a kernel itself says is its own
    said = [f"The explorer is at {served.address}", "Ctrl-C ends it.", "", "The explorer has ended."]
    assert [line for line in served.log.read_text().splitlines() if not line.startswith("[IPKernelApp]")] == said
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def brightness(seen: Pixels) -> float:
    """What most of it is, from 0 for black to 255."""
    return float(np.median(seen))


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_page_has_the_colours_of_the_system_and_all_it_needs(served: Served, page: Page, scheme: str) -> None:
    def as_the_system(seen: Pixels) -> bool:
        return brightness(seen) < 60 if scheme == "dark" else brightness(seen) > 200

    requests: list[Request] = []
    messages: list[ConsoleMessage] = []
    page.on("request", lambda request: requests.append(request))
    page.on("console", lambda message: messages.append(message))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(served.address, wait_until="commit")
    page.locator("#loading").wait_for(timeout=60_000)
    assert as_the_system(pixels(page)), "while it is loaded, too"

    page.locator(".convis-dashboard").wait_for(timeout=60_000)
    dashboard = DashboardPage(page.locator(".convis-dashboard"))
    dashboard.play()
    goes_on(dashboard.canvas("raster"))
    dashboard.pause()
    wait_until(lambda: coloured_fraction(pixels(dashboard.card("Kernel in 3-D"))) > 0.005, "the filter is drawn")
    assert as_the_system(pixels(page))
    for card in page.locator(".convis-card:not(.convis-frames)").all():
        assert as_the_system(pixels(card)), card.inner_text()
    for title in ("Impulse response", "Spikes", "Mean rate"):
        assert coloured_fraction(pixels(dashboard.card(title))) > 0.001, f"the colours of {title} stand out"
    assert unreadable(dashboard.root) == {}

    here = served.address.partition("?")[0]
    asked = {request.url for request in requests if not request.url.startswith(("data:", "blob:"))}
    assert [url for url in asked if not url.startswith(here)] == []
    assert [message.text for message in messages if message.type == "error"] == []

    page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
    wait_until(lambda: not as_the_system(pixels(dashboard.card("Filter"))), "it follows a switch", 5)
