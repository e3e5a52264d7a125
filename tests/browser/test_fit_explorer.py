"""A fit on the page: it is watched, paused, continued with another optimiser, and the notebook stays free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import keep
from tests.browser.dashboards import DashboardPage, is_still
from tests.browser.pages import LabPage, pixels, wait_until, wait_until_changed

FIT = """
import convis_core as convis
import convis_widgets
stimulus, response = convis.samples.generate_sample_data(size=(1000, 10, 10), seed=1)
model = convis.models.LN(kernel_dim=(8, 5, 5))
fit = convis_widgets.fit_explorer(model, stimulus, response, dt=200, lr=0.001, epochs=10_000)
fit
"""
TOUCHING = """figure => {
    const numbers = [...figure.querySelectorAll(".tick text")].filter(text => text.textContent);
    const boxes = numbers.map(text => text.getBoundingClientRect());
    return boxes.flatMap((one, i) => boxes.slice(i + 1).filter(other =>
        Math.min(one.right, other.right) > Math.max(one.left, other.left)
        && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2
    ).map(other => [one, other]));
}"""
FREE = "the_answer = 6 * 7"


@pytest.fixture(scope="module")
def fit_lab(shared_lab: LabPage) -> LabPage:
    shared_lab.open(FIT, FREE, name="fit.ipynb")
    shared_lab.run_cell(0)
    shared_lab.widget(".convis-dashboard", timeout_s=60)
    return shared_lab


@pytest.fixture
def fit(fit_lab: LabPage, request: pytest.FixtureRequest) -> Iterator[DashboardPage]:
    yield DashboardPage(fit_lab.page.locator(".convis-dashboard").first)
    keep(fit_lab.page, request.node.name)


def updates(lab: LabPage) -> int:
    return int(lab.value("len(fit.loss.losses)"))


def test_the_loss_grows_and_the_filter_changes_while_the_notebook_is_free(fit: DashboardPage, fit_lab: LabPage) -> None:
    loss, tiles = pixels(fit.figure("Loss")), pixels(fit.canvas("mosaic"))
    fit.play()
    loss = wait_until_changed(fit.figure("Loss"), loss, fraction=0.002, timeout_s=30)
    wait_until_changed(fit.canvas("mosaic"), tiles, fraction=0.02, timeout_s=20)
    wait_until_changed(fit.figure("Loss"), loss, fraction=0.002, timeout_s=20)
    fit_lab.run_cell(1)
    assert fit_lab.value("the_answer, fit.player.state") == (42, "running")
    wait_until(lambda: "updates" in fit.info("Loss") and "Adam" in fit.info("Loss"), fit.info("Loss"))


def test_paused_it_rests_and_goes_on_with_another_optimiser(fit: DashboardPage, fit_lab: LabPage) -> None:
    if fit.state != "playing":
        fit.play()
    fit.pause()
    before = updates(fit_lab)
    assert is_still(fit.canvas("mosaic")) and updates(fit_lab) == before
    fit.root.get_by_role("combobox", name="optimiser").select_option("RMSprop")
    fit.play()
    wait_until(lambda: updates(fit_lab) > before + 3, "more updates", 20)
    wait_until(lambda: "RMSprop" in fit.info("Loss"), f"RMSprop at work: {fit.info('Loss')}")
    losses = fit_lab.value("fit.loss.losses")
    assert losses[before + 3] < 2 * losses[before - 1], "it goes on from where it was"
    assert fit.error == "" and fit_lab.errors == []


def test_curves_fill_their_cards_and_no_number_touches_another(fit: DashboardPage) -> None:
    rest = """figure => {
        const [card, plot] = [figure.closest(".convis-card"), figure].map(element => element.getBoundingClientRect());
        return card.bottom - plot.bottom;
    }"""
    for title in ("Loss", "Prediction", "Impulse"):
        figure = fit.figure(title)
        wait_until(lambda figure=figure: figure.evaluate(rest) < 14, f"{title} leaves no room below it", 5)
        wait_until(lambda figure=figure: figure.evaluate(TOUCHING) == [], f"{title}: {figure.evaluate(TOUCHING)}", 5)


def test_the_handle_of_the_rate_has_a_name(fit: DashboardPage) -> None:
    fit.root.get_by_role("slider", name="rate").wait_for()


def test_the_learning_rate_can_be_changed(fit: DashboardPage, fit_lab: LabPage) -> None:
    fit.root.locator(".noUi-handle").focus()
    fit.page.keyboard.press("ArrowRight")
    rate = "model.optimizer.param_groups[0]['lr']"
    wait_until(lambda: fit_lab.value("fit._rate.value") > 0.0011, "the slider moved")
    wait_until(lambda: fit_lab.value(rate) == pytest.approx(fit_lab.value("fit._rate.value")), "the optimiser has it")


def test_a_fit_that_runs_comes_back_after_a_reload(fit: DashboardPage, fit_lab: LabPage) -> None:
    if fit.state != "playing":
        fit.play()
    fit_lab.command("docmanager:save")
    fit_lab.reload()
    fit_lab.widget(".convis-dashboard", timeout_s=60)
    wait_until(lambda: fit.state in ("playing", "finished"), "the state is back", 30)
    path = fit.figure("Loss").locator("path.line").first
    wait_until(lambda: len(path.get_attribute("d") or "") > 100, "the loss is drawn")
    assert pixels(fit.canvas("mosaic")).std() > 10


def test_started_over_the_fit_is_the_same_again(fit: DashboardPage, fit_lab: LabPage) -> None:
    first, reached = fit_lab.value("fit.loss.losses[0], len(fit.loss.losses)")
    fit.press("Restart")
    wait_until(lambda: 0 < updates(fit_lab) < reached, "the curve begins anew")
    fit.wait_for_state("playing")
    fit.stop()
    assert fit_lab.value("fit.loss.losses[0]") == pytest.approx(first, rel=1e-4)
