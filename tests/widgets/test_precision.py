"""Dashboards of models in every precision that they run in, those that numpy lacks too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convis_widgets
from convis_core import Layer, Resolution, models, samples
from convis_widgets.apps.named_models import build_model, model_names

DTYPES = [torch.bfloat16, torch.float16, torch.float64]


def check_filter(shown: np.ndarray, model: Layer) -> None:
    """What the mosaic shows is the filter of the model, as well as its precision can say it."""
    assert shown.dtype == np.float32 and np.abs(shown).max() > 0
    exact = model.kernel().detach().double().numpy()[0, 0]
    np.testing.assert_allclose(shown, exact[:: -(-len(exact) // 40)], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", model_names())
def test_every_named_model_is_explored(name: str, dtype: torch.dtype) -> None:
    frames = np.random.default_rng(1).random((60, 8, 9))
    model = build_model(name, Resolution(10.0, 1000.0)).to(dtype)
    explorer = convis_widgets.explore(model, frames, loop=False, speed=None)
    explorer.player.play()
    assert explorer.player.wait(60.0) == "finished", explorer.player.error
    last = explorer.frames.snapshot().arrays["frame"]
    np.testing.assert_allclose(last, torch.tensor(frames[-1]).to(dtype).double(), rtol=1e-6)
    assert len(explorer.course.rates.bins) == 3
    if "weights" in explorer.mosaic.snapshot().arrays:  # some have no linear filter
        check_filter(explorer.mosaic.snapshot().arrays["weights"], model)
    explorer.close()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_spikes_are_shown(dtype: torch.dtype, cells: models.CentreSurround, frames: np.ndarray) -> None:
    explorer = convis_widgets.explore(cells.to(dtype), frames, loop=False, speed=None)
    explorer.player.play()
    assert explorer.player.wait(60.0) == "finished", explorer.player.error
    assert explorer.raster is not None and explorer.player.output is not None
    counted = sum(float(response.double().sum()) for response in explorer.player.output)
    assert explorer.raster.snapshot().n_events == counted > 50
    explorer.close()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_fit_is_shown(dtype: torch.dtype) -> None:
    stimulus, response = samples.generate_sample_data(size=(120, 8, 8), seed=1)
    model = models.LN(kernel_dim=(5, 3, 3)).to(dtype)
    fit = convis_widgets.fit_explorer(model, stimulus, response, dt=60, epochs=2)
    fit.player.play()
    assert fit.player.wait(60.0) == "finished", fit.player.error
    check_filter(fit.mosaic.snapshot().arrays["weights"], model)
    drawn = fit.hub._foreign[fit.prediction._response.model_id].arrays["y"]
    assert len(drawn) == 60 and np.ptp(drawn) > 0
    fit.close()
