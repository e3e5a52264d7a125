"""The first two pages of the quickstart, on less data: what they print and promise holds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import convis_core as convis


def test_spikes() -> None:
    some_input = convis.samples.moving_grating(200)
    spk = convis.filters.spiking.LeakyIntegrateAndFireNeuron()
    spk.p.g_L = 1.0
    o = spk.run(20.0 * some_input, dt=100)
    assert o.array().shape == (1, 1, *some_input.shape)
    assert 0 < float(o.mean()) < 1


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[convis.models.LN, list[float]]:
    torch.manual_seed(1)
    inp, out = convis.samples.generate_sample_data(input="random", size=(400, 16, 16), seed=1)
    m = convis.models.LN(kernel_dim=(12, 10, 10), population=True)
    losses = [m.compute_loss(inp, out, dt=200).sum()]
    m.set_optimizer.Adam()
    for _ in range(10):
        m.optimize(inp, out, dt=200)
    losses.append(m.compute_loss(inp, out, dt=200).sum())
    m.set_optimizer.LBFGS()
    m.optimize(inp, out, dt=200)
    losses.append(m.compute_loss(inp, out, dt=200).sum())
    return m, losses


def test_adam_improves_and_lbfgs_finds_the_solution(fitted: tuple[convis.models.LN, list[float]]) -> None:
    _, (initial, after_adam, after_lbfgs) = fitted
    assert after_adam < initial
    assert after_lbfgs < 1e-4 * initial


def test_the_fitted_kernel_is_the_generators(fitted: tuple[convis.models.LN, list[float]]) -> None:
    weight = np.asarray(fitted[0].p.conv.weight)[0, 0]
    true = np.asarray(convis.samples._g.p.conv.weight)[0, 0]
    assert true.shape == (10, 5, 5) and weight.shape == (12, 10, 10)
    padded = np.pad(true, ((0, 2), (2, 3), (2, 3)))  # both span -2 .. +2 around the impulse, and more
    assert np.corrcoef(weight.ravel(), padded.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(weight, padded, atol=0.05)


def test_impulse_responses_compare_models_of_any_kernel_size(fitted: tuple[convis.models.LN, list[float]]) -> None:
    options = {"length": 12, "size": (15, 15), "background": 0.0}
    fit, true = (m.impulse_response(**options).array() for m in (fitted[0], convis.samples._g))
    assert np.corrcoef(fit.ravel(), true.ravel())[0, 1] > 0.99


def test_the_fitted_model_is_saved(fitted: tuple[convis.models.LN, list[float]], tmp_path: Path) -> None:
    fitted[0].save_parameters(tmp_path / "fitted_model.npz")
    twin = convis.models.LN(kernel_dim=(12, 10, 10))
    twin.load_parameters(tmp_path / "fitted_model.npz")
    movie = convis.samples.moving_bar(30)
    np.testing.assert_array_equal(twin.run(movie).array(), _fresh(fitted[0]).run(movie).array())


def _fresh(model: convis.models.LN) -> convis.models.LN:
    model.clear_state()
    return model


def test_a_single_cell_from_the_same_page_runs_with_a_warning() -> None:
    inp, out = convis.samples.generate_sample_data(size=(60, 12, 12), seed=1)
    m = convis.models.LN(kernel_dim=(12, 10, 10), population=False)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert m.compute_loss(inp, out, dt=20).shape == (3,)
        m.set_optimizer.Adam()
        m.optimize(inp, out, dt=20)
        m.set_optimizer.LBFGS()
        m.optimize(inp, out, dt=20)
    assert len(told) == 1 and "build the model with population=True" in str(told[0].message)
