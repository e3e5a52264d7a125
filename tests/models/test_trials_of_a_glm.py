"""Trials of unequal length: a GLM hears in each the spikes of that trial and no other."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

import convis_core as convis
from convis_core.models import GLM
from convis_core.tensors import cells_as_channels

LENGTHS = (300, 120, 500)
OPTIONS = {"kernel_dim": (2, 4, 3), "n_history": 6, "n_basis": 3}


def movies(lengths: tuple[int, ...] = LENGTHS) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, 4, 3, generator=generator) for n in lengths]


def simulated(n_cells: int = 1, lengths: tuple[int, ...] = LENGTHS) -> tuple[GLM, list[Tensor], list[Tensor]]:
    torch.manual_seed(0)
    model = GLM(**OPTIONS, n_cells=n_cells, coupling=n_cells > 1)
    model.filter.weight.data *= 1.5
    model.offset, model.history = -0.7, -0.8
    films = movies(lengths)
    spikes = [model.simulate(film, seed=k).spikes[0, :, :, 0, 0].T for k, film in enumerate(films)]
    return model, films, [trial[:, 0] for trial in spikes] if n_cells == 1 else spikes


@pytest.mark.parametrize("n_cells", [1, 2])
@pytest.mark.parametrize("dt", [None, 64])
def test_the_loss_of_a_list_is_that_of_each_trial_alone(n_cells: int, dt: int | None) -> None:
    model, films, spikes = simulated(n_cells)
    targets = [cells_as_channels(trial) for trial in spikes]
    together = model.given(spikes).compute_loss(films, targets, dt=dt, loss_fn=model.likelihood)
    alone = [
        model.given(trial).compute_loss(film, target, dt=dt, loss_fn=model.likelihood)
        for trial, film, target in zip(spikes, films, targets, strict=True)
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-6)


def test_a_run_hears_the_trial_it_was_told_to_start() -> None:
    model, films, spikes = simulated()
    model.given(spikes)
    for number in (2, 0, 1):
        model.start_trial(number)
        heard = model.run(films[number], dt=50)[0]
        single = copy.deepcopy(model).given(spikes[number])
        single.clear_state()
        torch.testing.assert_close(heard, single.run(films[number])[0])
    model.clear_state()  # which is the start of the first
    fresh = model.run(films[0])[0]
    model.start_trial(0)
    torch.testing.assert_close(model.run(films[0])[0], fresh)


@pytest.mark.parametrize(("optimizer", "options", "epochs"), [("Adam", {"lr": 0.03}, 25), ("LBFGS", {}, 2)])
def test_a_fit_to_trials_finds_history_and_filter(optimizer: str, options: dict[str, float], epochs: int) -> None:
    true, films, spikes = simulated(lengths=(3000, 1500, 4000))
    model = GLM(**OPTIONS).given(spikes)
    getattr(model.set_optimizer, optimizer)(**options)
    before = model.compute_loss(films, spikes, loss_fn=model.likelihood).sum()
    model.optimize(films, spikes, dt=1000, loss_fn=model.likelihood, epochs=epochs)
    assert model.compute_loss(films, spikes, loss_fn=model.likelihood).sum() < before
    assert np.corrcoef(model.kernel().detach().ravel(), true.kernel().detach().ravel())[0, 1] > 0.97
    found, wanted = (m.history_filters().detach()[0] for m in (model, true))
    assert float((found - wanted).abs().max()) < 0.4 * float(wanted.abs().max())


def test_what_follows_the_last_frame_of_a_trial_does_not_matter() -> None:
    model, films, _ = simulated()
    early, late = torch.zeros(120, 1), torch.zeros(500, 1)
    early[-1] = late[400] = 5.0
    model.given([early, late])
    model.start_trial(0)
    plain = model.run(films[1])[0]
    model.given([torch.zeros(120, 1), late])
    model.start_trial(0)
    torch.testing.assert_close(model.run(films[1])[0], plain)  # a spike acts in the next frame, which is none
    with pytest.raises(convis.ConvisError, match=r"given 1 trial.s. of 120 frames.* at least 130"):
        model.run(films[0][:10])


def test_a_glm_inside_a_model_hears_them_too() -> None:
    model, films, spikes = simulated()
    model.given(spikes)
    whole = convis.models.Sequential(model, convis.filters.NLRectify())
    outer = whole.compute_loss(films, spikes, loss_fn=model.likelihood)
    np.testing.assert_allclose(outer, model.compute_loss(films, spikes, loss_fn=model.likelihood))


def test_the_trial_is_kept_with_the_state() -> None:
    model, films, spikes = simulated()
    model.given(spikes)
    model.start_trial(2)
    model.run(films[2][:100])
    kept = model.get_state()
    rest = model.run(films[2][100:200])[0]
    model.start_trial(1)
    model.set_state(kept)
    torch.testing.assert_close(model.run(films[2][100:200])[0], rest)


def test_lists_that_do_not_fit_are_refused() -> None:
    model, films, spikes = simulated()
    model.given(spikes[:2])
    with pytest.raises(convis.ConvisError, match=r"spikes of 2 trial\(s\) and is to start trial 2"):
        model.compute_loss(films, spikes, loss_fn=model.likelihood)
    model.given(spikes[0])
    with pytest.raises(convis.ConvisError, match=r"given\(\[\.\.\.\]\) with an array for each trial"):
        model.compute_loss(films[:2], spikes[:2], loss_fn=model.likelihood)
    with pytest.raises(convis.ConvisError, match="flat list"):
        model.given([torch.zeros(2, 30, 1)])
    with pytest.raises(convis.ConvisError, match=r"1 cell.*got \[1, 3, 20, 1, 1\]"):
        model.given([torch.zeros(30, 1), torch.zeros(20, 3)])
    with pytest.raises(convis.ConvisError, match="NaN"):
        model.given([torch.zeros(30), torch.full((20,), torch.nan)])
    for spikes_per_s in (-1.0, 0.5):
        with pytest.raises(convis.ConvisError, match=f"whole numbers of at least 0, got {spikes_per_s:g}"):
            model.given(torch.full((20,), spikes_per_s))
    model.forget_spikes()
    with pytest.raises(convis.ConvisError, match="none were given"):
        model.compute_loss(films, spikes, loss_fn=model.likelihood)
