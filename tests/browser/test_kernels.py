"""Older ipykernels take messages in other ways and on other threads; the explorer plays and stops on each."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error

from tests.browser.dashboards import DashboardPage, goes_on, is_still
from tests.browser.pages import LabPage, wait_until
from tests.browser.servers import Server

INSTALLED = Path(sys.prefix) / "kernels"
"""Where set-up puts other versions of ipykernel, each in a folder of its own."""
PRESENT = importlib.metadata.version("ipykernel")
VERSIONS = ("6.31.0", "7.1.0", PRESENT)
FORGETFUL = ("7.1.0",)
"""Versions that may leave the first request to a new kernel unread: ipykernel 7.0 to 7.3, see its pull request 1529."""
EXPLORE = "import convis_widgets, ipykernel\nexplorer = convis_widgets.explore(stimulus='moving bar')\nexplorer"

DRAG = """slider => {
    let turn = 0;
    slider.dragging = setInterval(() => {
        slider.value = String(Number(slider.min) + (0.3 + 0.2 * Math.sin(turn++ / 10)) * (slider.max - slider.min));
        slider.dispatchEvent(new Event("input"));
    }, 16);
}"""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, lab_server: Server) -> str:
    """A version of ipykernel, which the server offers as the kernel of that name."""
    version = str(request.param)
    packages = INSTALLED / version
    if version != PRESENT and not packages.is_dir():
        pytest.skip(f"ipykernel {version} is absent: pip install --no-deps --target {packages} ipykernel=={version}")
    folder = lab_server.home / "data" / "kernels" / version
    folder.mkdir(parents=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": launch, "display_name": version, "language": "python", "env": {"PYTHONPATH": str(packages)}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return version


def start(lab: LabPage, version: str) -> None:
    """Open and run the explorer; where the kernel may forget the request, on another one then, as a user would."""
    forgetful = version in FORGETFUL
    lab.patience_s = 30.0 if forgetful else lab.patience_s
    for others in (3, 2, 1, 0) if forgetful else (0,):
        try:
            lab.open(EXPLORE, name=f"kernel_{version}.ipynb", kernel=version)
            return lab.run_all()
        except Error:
            if not others:
                raise
            lab.close()


def test_it_plays_answers_and_stops(version: str, lab: LabPage) -> None:
    start(lab, version)
    assert lab.value("ipykernel.__version__") == version
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    slider = dashboard.row("tau center").locator(".convis-slider")
    slider.evaluate(DRAG)
    in_model = "float(explorer.model.p.receptive_field.tau_center)"
    before = lab.value(in_model)
    wait_until(lambda: abs(lab.value(in_model) / before - 1) > 0.01, "the model follows the slider")
    goes_on(dashboard.canvas("frames"))
    # the slider moves on all the while
    assert dashboard.stop() < 1.0
    assert lab.value("explorer.player.state") == "stopped"
    slider.evaluate("slider => clearInterval(slider.dragging)")
    shown = dashboard.value("tau center")
    wait_until(lambda: abs(lab.value(in_model) / shown - 1) < 0.01, "the model has the last value")
    assert is_still(dashboard.canvas("raster"))
    assert dashboard.error == "" and lab.errors == []
