"""``convis-explore`` in a browser: a film is played, and Stop means stop."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from convis_core.streams import VideoWriter
from tests.browser.pages import changed_fraction, pixels, wait_until, wait_until_changed, wait_until_still
from tests.browser.servers import jupyter_environment, running

COMMAND = "import sys; from convis_widgets.apps.cli import main; sys.exit(main())"


@pytest.fixture
def address(tmp_path: Path, free_port: int) -> Iterator[str]:
    """The page that shows a film of odd size and rate: bright columns wander over it for four seconds."""
    columns, frames = np.arange(46), np.arange(96)
    waves = 0.5 + 0.5 * np.sin((columns[None, :] - frames[:, None]) / 3.0)
    with VideoWriter(tmp_path / "waves.mp4", steps_per_second=24.0) as writer:
        writer.put(np.repeat(waves[:, None, :], 34, axis=1))
    command = [sys.executable, "-u", "-c", COMMAND, "waves.mp4", "--no-browser", f"--port={free_port}"]
    log = tmp_path / "explore.log"
    with running(command, folder=tmp_path, log=log, env=jupyter_environment(tmp_path)) as process:
        found = re.compile(rf"http://127\.0\.0\.1:{free_port}/\?token=\w+")
        wait_until(lambda: process.poll() is not None or bool(found.search(log.read_text())), "an address", 60.0)
        shown = found.search(log.read_text())
        assert shown, log.read_text()
        yield shown.group()


def test_a_film_is_played_and_stopped(page: Page, address: str) -> None:
    page.goto(address, timeout=90_000)  # Voila answers when the notebook has run
    page.get_by_role("button", name="Play (space)").wait_for(timeout=60_000)
    frames = page.locator(".convis-frames canvas").first
    raster = page.locator(".convis-raster canvas").first
    before = wait_until_still(frames), wait_until_still(raster)

    page.get_by_role("button", name="Play (space)").click()
    wait_until_changed(frames, before[0], fraction=0.05)
    wait_until_changed(raster, before[1], fraction=0.005)

    page.get_by_role("button", name="Stop", exact=True).click()
    time.sleep(1.0)
    stopped = pixels(frames)
    time.sleep(0.5)
    assert changed_fraction(stopped, pixels(frames)) == 0.0
    assert page.get_by_role("alert").locator("visible=true").count() == 0
