"""One JupyterLab server and one Chromium for the whole session; a page for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.dashboards import DashboardPage
from tests.browser.pages import LabPage
from tests.browser.servers import Server, jupyterlab
from tests.conftest import ROOT, find_free_port

SCREENSHOTS = Path(__file__).parent.parent / "_screenshots"
VIEWPORT = {"width": 1400, "height": 1400}
TIMEOUT_MS = 30_000
FLAGS = [
    *("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(300))  # a page waits for a server, a kernel and a busy machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("no browser: install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab server of our own."""
    with jupyterlab(tmp_path_factory.mktemp("lab"), find_free_port()) as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile, so that no test sees another's workspace or cookies."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page; what it shows when the test ends is kept as ``tests/_screenshots/<test>.png``."""
    page = context.new_page()
    yield page
    keep(page, request.node.name)


@pytest.fixture
def lab(page: Page, lab_server: Server) -> Iterator[LabPage]:
    """JupyterLab on a page; its kernel ends with the test."""
    lab = LabPage(page, lab_server)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def shared_lab(browser: Browser, lab_server: Server) -> Iterator[LabPage]:
    """JupyterLab on a page that the tests of a file share."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(TIMEOUT_MS)
    lab = LabPage(context.new_page(), lab_server)
    yield lab
    lab.close()
    context.close()


@pytest.fixture(scope="module")
def explorer_lab(shared_lab: LabPage) -> LabPage:
    """The notebook that `make run` opens, with all its cells run."""
    name = "explorer.ipynb"
    shutil.copy(ROOT / "notebooks" / name, shared_lab.server.folder)
    shared_lab.show(name)
    shared_lab.run_all()
    shared_lab.widget(".convis-dashboard", timeout_s=60)
    return shared_lab


@pytest.fixture
def explorer(explorer_lab: LabPage, request: pytest.FixtureRequest) -> Iterator[DashboardPage]:
    """The explorer of that notebook, at rest."""
    dashboard = DashboardPage(explorer_lab.page.locator(".convis-dashboard").first)
    yield dashboard
    keep(explorer_lab.page, request.node.name)
    explorer_lab.value("explorer.player.stop()")
    dashboard.wait_for_rest()


@pytest.fixture
def keep_page(shared_lab: LabPage, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the shared page shows when the test ends."""
    yield
    keep(shared_lab.page, request.node.name)


def keep(page: Page, name: str) -> None:
    """Save what a page shows as ``tests/_screenshots/<name>.png``."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
