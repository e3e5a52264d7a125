"""The explorer in Jupyter Notebook 7, which shares JupyterLab's parts but not its frame."""

from __future__ import annotations

import shutil

from playwright.sync_api import Page

from tests.browser.dashboards import DashboardPage, goes_on
from tests.browser.pages import LabPage
from tests.browser.servers import Server
from tests.conftest import ROOT


def test_the_explorer_plays_in_the_notebook(page: Page, lab_server: Server) -> None:
    shutil.copy(ROOT / "notebooks" / "explorer.ipynb", lab_server.folder / "seven.ipynb")
    notebook = LabPage(page, lab_server)
    notebook.show("seven.ipynb", place="notebooks")
    notebook.run_all()
    notebook.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(page.locator(".convis-dashboard").first)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    dashboard.nudge("tau center")
    assert dashboard.stop() < 1.0
    assert dashboard.error == ""
    assert [error for error in notebook.errors if "convis" in error] == []  # Notebook 7 has errors of its own
    notebook.close()
