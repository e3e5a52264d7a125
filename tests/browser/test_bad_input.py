"""Films of every shape, films that are broken, and a model that raises: the page says why, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.dashboards import DashboardPage, goes_on
from tests.browser.films import write_film
from tests.browser.pages import LabPage, pixels, wait_until

SHOW = "\nexplorer.close()\nexplorer = convis_widgets.explore(stimulus={path!r}, play={play})\nexplorer"
RAISES = """
explorer.close()
import convis_core as convis
class Tired(convis.models.CentreSurround):
    left = 5
    def forward(self, x):
        Tired.left -= 1
        if Tired.left == 0:
            raise RuntimeError("I am tired")
        return super().forward(x)
explorer = convis_widgets.explore(Tired(), "moving bar")
explorer
"""
FILMS = {"tall.mp4": (90, 50, 24.0), "odd.mp4": (33, 47, 29.97)}
BROKEN = ("missing", "empty", "truncated", "text")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of films; the broken ones too."""
    folder = tmp_path_factory.mktemp("films")
    for name, (height, width, fps) in FILMS.items():
        write_film(folder / name, height, width, fps)
    whole = (folder / "tall.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("This is not a film.\n" * 100)
    return folder


@pytest.fixture(scope="module")
def bad_lab(shared_lab: LabPage, films: Path) -> LabPage:
    """A notebook with one cell for every case below."""
    cells = ["import convis_widgets\nexplorer = convis_widgets.explore()"]
    cells += [SHOW.format(path=str(films / name), play=True) for name in FILMS]
    cells += [SHOW.format(path=str(films / f"{name}.mp4"), play=False) for name in BROKEN]
    shared_lab.open(*cells, RAISES, name="bad_input.ipynb")
    shared_lab.run_cell(0)
    return shared_lab


def shown_by(lab: LabPage, cell: int) -> DashboardPage:
    """Run a cell and return the dashboard it shows."""
    lab.run_cell(cell)
    root = lab.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".convis-dashboard")
    root.wait_for(timeout=60_000)
    return DashboardPage(root)


@pytest.mark.parametrize("name", FILMS)
def test_a_film_of_another_size_and_rate(bad_lab: LabPage, keep_page: None, name: str) -> None:
    dashboard = shown_by(bad_lab, 1 + list(FILMS).index(name))
    dashboard.wait_for_state("playing")
    goes_on(dashboard.canvas("frames"))
    height, width, _ = FILMS[name]
    scale = min(1.0, 60 / max(height, width))
    expected = f"{round(height * scale)} \u00d7 {round(width * scale)} px"
    wait_until(lambda: dashboard.info("Stimulus").startswith(expected), f"{expected}: {dashboard.info('Stimulus')}")
    box = dashboard.box(dashboard.canvas("frames"))
    assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.1) or height > width
    assert dashboard.error == ""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_film_is_named_and_replaced(bad_lab: LabPage, keep_page: None, name: str) -> None:
    dashboard = shown_by(bad_lab, 3 + BROKEN.index(name))
    wait_until(lambda: dashboard.error != "" or name == "truncated", "an error is shown")
    if name != "truncated" or dashboard.error:
        assert f"{name}.mp4" in dashboard.error and "natural scene is shown instead" in dashboard.error
        assert len(dashboard.error) > len(f"{name}.mp4") + 60, "cause and remedy"
    dashboard.play()
    goes_on(dashboard.canvas("frames"))
    dashboard.nudge("tau center")
    assert dashboard.value("tau center") > 0.0101


def test_a_model_that_raises_is_shown_and_can_be_started_again(bad_lab: LabPage, keep_page: None) -> None:
    dashboard = shown_by(bad_lab, 7)
    dashboard.press("Play")
    dashboard.wait_for_state("error")
    assert "raised RuntimeError on frames 80 to 99: I am tired" in dashboard.error
    assert bad_lab.value("explorer.player.output.n_frames") == 80, "what was computed before stays"
    assert (pixels(dashboard.canvas("raster")).std(axis=2) > 20).any()
    dashboard.play()
    wait_until(lambda: dashboard.position > 0.2, "it goes further than before", 20)
    assert dashboard.error == ""
    assert bad_lab.errors == []
