"""Dashboards without a page: what a person calls from the notebook, and what is refused there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core import getipython
from ipywidgets.widgets import widget, widget_box

import convis_widgets
from convis_core import filters, models, samples, streams
from convis_core.errors import ConvisError, FitError, ParameterError, StreamError, UnknownNameError
from convis_core.loops.fit import fit
from convis_widgets.apps.explorer import Explorer
from convis_widgets.live.widget import LiveWidget
from convis_widgets.views.losscurve import LossCurve


def test_set_changes_the_running_model_and_refuses_what_cannot_be(frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(stimulus=frames, loop=False, speed=None)
    explorer.set("receptive_field.tau_center", 0.012)
    explorer.player.submit(lambda: None).result(10.0)
    assert float(explorer.model.p.receptive_field.tau_center) == pytest.approx(0.012)
    with pytest.raises(UnknownNameError, match="tau_centre"):
        explorer.set("receptive_field.tau_centre", 0.02)
    with pytest.raises(ParameterError, match="between"):
        explorer.set("receptive_field.tau_center", -1.0)
    explorer.close()


def test_an_empty_stimulus_is_said_when_it_is_played() -> None:
    explorer = convis_widgets.explore(models.L(), np.zeros((0, 5, 5)))
    explorer.player.play()
    assert explorer.player.wait(10.0) == "failed"
    assert isinstance(explorer.player.error, StreamError)
    explorer.close()


def test_a_run_fills_every_view(frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(stimulus=frames, loop=False, speed=None)
    explorer.player.play()
    assert explorer.player.wait(30.0) == "finished"
    assert explorer.frames.snapshot().arrays["frame"].shape == (8, 9)
    assert explorer.mosaic.snapshot().arrays["weights"].shape == (34, 31, 31)
    assert explorer.raster is not None
    assert explorer.raster.snapshot().n_events > 0
    assert len(explorer.course.rates.bins) == 10
    assert explorer.transport.snapshot().fields["position_s"] == pytest.approx(0.2)
    explorer.close()


def test_a_model_without_spikes_is_shown_without_a_raster(frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(models.LN(kernel_dim=(5, 3, 3)), frames, loop=False, speed=None)
    explorer.player.play()
    assert explorer.player.wait(30.0) == "finished"
    assert explorer.raster is None
    explorer.close()


def test_a_stimulus_of_one_chunk_is_drawn_in_every_round(frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(stimulus=frames, loop=True, speed=None, dt=len(frames))
    drawn = explorer.hub._foreign
    for _ in range(2):
        explorer.player.step()
        assert explorer.player.wait(30.0) == "paused"
        explorer.player.submit(lambda: None).result(10.0)
        assert drawn[explorer.course._means[0].model_id].arrays["x"][-1] == pytest.approx(0.19)
        assert drawn[explorer.course._playhead.model_id].arrays["x"][0] == pytest.approx(0.2)
    explorer.course.clear()
    assert drawn[explorer.course._playhead.model_id].arrays["x"][0] == 0.0
    explorer.close()


def test_a_film_of_ones_own_can_be_chosen_again(tmp_path: Path, frames: np.ndarray) -> None:
    film = tmp_path / "film.mp4"
    with streams.VideoWriter(film, steps_per_second=25.0) as writer:
        writer.put(frames[:10])
    explorer = convis_widgets.explore(stimulus=film, speed=None)
    for chosen, name in [("moving bar", "RepeatingStream"), (film.name, "VideoReader")]:
        explorer._chooser.value = chosen
        explorer.player.submit(explorer.player.pause).result(10.0)
        explorer.player.step()
        assert explorer.player.wait(30.0) == "paused", explorer.player.error
        assert type(explorer.player.stimulus).__name__ == name
    explorer.close()


def test_an_unknown_model_or_optimiser_lists_those_there_are() -> None:
    with pytest.raises(ConvisError, match="CentreSurround"):
        convis_widgets.explore("Cat")
    stimulus, response = samples.generate_sample_data(size=(20, 6, 6), seed=1)
    with pytest.raises(UnknownNameError, match="Adam"):
        convis_widgets.fit_explorer(models.LN(kernel_dim=(3, 3, 3)), stimulus, response, optimizer="Nope")
    with pytest.raises(FitError, match="as many frames"):
        convis_widgets.fit_explorer(models.LN(kernel_dim=(3, 3, 3)), stimulus, response[:10])


def test_a_fit_shows_its_loss_its_filter_and_its_prediction() -> None:
    stimulus, response = samples.generate_sample_data(size=(120, 8, 8), seed=1)
    fit = convis_widgets.fit_explorer(models.LN(kernel_dim=(5, 3, 3)), stimulus, response, dt=60, epochs=2)
    fit.player.play()
    assert fit.player.wait(60.0) == "finished"
    assert len(fit.loss.losses) == 4
    assert fit.mosaic.snapshot().arrays["weights"].shape == (5, 3, 3)
    assert fit.transport.snapshot().fields["duration_s"] == 4
    fit.close()


def test_a_fit_that_fails_shows_the_parameters_that_the_model_got_back() -> None:
    stimulus, response = samples.generate_sample_data(size=(300, 8, 8), seed=1)
    fit = convis_widgets.fit_explorer(
        models.LN(kernel_dim=(5, 3, 3)), stimulus, response, dt=60, optimizer="SGD", lr=100
    )
    fit.player.play()
    assert fit.player.wait(60.0) == "failed"
    fit.player.submit(lambda: None).result(10.0)
    shown = fit.mosaic.snapshot().arrays["weights"]
    np.testing.assert_array_equal(shown, fit.model.kernel().detach().numpy()[0, 0])
    fit.close()


def test_a_model_without_a_filter_is_fitted_all_the_same(frames: np.ndarray) -> None:
    fit = convis_widgets.fit_explorer(filters.TemporalLowPassFilterRecursive(), frames, frames, dt=100, epochs=1)
    fit.player.play()
    assert fit.player.wait(60.0) == "finished"
    assert len(fit.loss.losses) == 2
    assert "no linear filter" in fit.mosaic.title
    fit.close()


@pytest.mark.parametrize("lr", [0.0, -1.0, 1e5, float("nan")])
def test_a_learning_rate_that_the_slider_does_not_have_is_refused(lr: float, frames: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="between 1e-08 and 100"):
        convis_widgets.fit_explorer(models.LN(kernel_dim=(3, 3, 3)), frames, frames, lr=lr)


def test_the_loss_does_not_jump_where_an_optimiser_takes_all_chunks_at_once() -> None:
    clip, target = samples.generate_sample_data(size=(400, 8, 8))
    model, curve = models.LN(kernel_dim=(5, 3, 3)), LossCurve()
    for name in ("SGD", "LBFGS"):
        getattr(model.set_optimizer, name)(lr=1e-12)
        for step in fit(model, clip, target, dt=100):
            curve.on_step(step)
            assert step.n_chunks == (1 if name == "SGD" else 4)
    *chunks, whole = curve.losses
    assert whole == pytest.approx(np.mean(chunks), rel=1e-4)
    curve.close()


def test_a_cell_that_is_run_again_closes_what_it_made_before(
    frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent: dict[str, dict[str, str]] = {}

    def explore(cell: str, run: str) -> Explorer:
        parent.update(metadata={"cellId": cell}, header={"msg_id": run})
        return convis_widgets.explore(stimulus=frames, play=True)

    kernel = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setattr(getipython, "get_ipython", lambda: SimpleNamespace(kernel=kernel))
    made = [explore("a", "1"), explore("a", "1"), explore("b", "2")]
    assert [explorer.player.state == "closed" for explorer in made] == [False] * 3
    made.append(explore("a", "3"))
    assert [explorer.player.state == "closed" for explorer in made] == [True, True, False, False]
    for explorer in made[2:]:
        explorer.close()
    explore("a", "4").close()  # one that was closed before is no trouble


def test_nothing_that_is_left_of_a_closed_dashboard_refers_to_what_is_gone(frames: np.ndarray) -> None:
    before = set(widget._instances)
    convis_widgets.explore(stimulus=frames).close()
    left = [made for model_id, made in list(widget._instances.items()) if model_id not in before]
    for made in left:
        made.get_state()  # which a page asks for when it is loaded again; it fails for a reference to what is closed
    assert not any(isinstance(made, (widget_box.Box, LiveWidget)) for made in left)


def test_where_no_widget_can_be_shown_a_dashboard_says_how_to_see_it(frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(stimulus=frames)
    assert explorer._repr_mimebundle_()["text/plain"] == "Explorer of CentreSurround. Run this cell to see it."
    explorer.close()


def test_in_a_script_dashboards_live_side_by_side(frames: np.ndarray) -> None:
    one, other = (convis_widgets.explore(stimulus=frames, play=True) for _ in range(2))
    assert "closed" not in (one.player.state, other.player.state)
    one.close()
    other.close()
