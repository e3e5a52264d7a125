"""Older ipykernels take messages in other ways and on other threads; the explorer plays and stops on each."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.browser.dashboards import DashboardPage, goes_on, is_still
from tests.browser.pages import LabPage, wait_until
from tests.browser.servers import Server

INSTALLED = Path(sys.prefix) / "kernels"
"""Where set-up puts other versions of ipykernel, each in a folder of its own."""
VERSIONS = ("6.31.0", "7.1.0")
EXPLORE = "import convis_widgets, ipykernel\nexplorer = convis_widgets.explore(stimulus='moving bar')\nexplorer"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, lab_server: Server) -> str:
    """A version of ipykernel, which the server offers as the kernel of that name."""
    version = str(request.param)
    packages = INSTALLED / version
    if not packages.is_dir():
        pytest.skip(f"ipykernel {version} is absent: pip install --no-deps --target {packages} ipykernel=={version}")
    folder = lab_server.home / "data" / "kernels" / version
    folder.mkdir(parents=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": launch, "display_name": version, "language": "python", "env": {"PYTHONPATH": str(packages)}}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return version


def test_it_plays_answers_and_stops(version: str, lab: LabPage) -> None:
    lab.open(EXPLORE, name=f"kernel_{version}.ipynb", kernel=version)
    lab.run_all()
    assert lab.value("ipykernel.__version__") == version
    lab.widget(".convis-dashboard", timeout_s=60)
    dashboard = DashboardPage(lab.page.locator(".convis-dashboard").first)
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    dashboard.nudge("tau center")
    shown = dashboard.value("tau center")
    wait_until(
        lambda: abs(lab.value("float(explorer.model.p.receptive_field.tau_center)") / shown - 1) < 0.01,
        "the model has it",
    )
    assert dashboard.stop() < 1.0
    assert lab.value("explorer.player.state") == "stopped" and is_still(dashboard.canvas("raster"))
    assert dashboard.error == "" and lab.errors == []
