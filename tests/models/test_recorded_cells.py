"""Models for recordings: what they compute, that they are found again, and that they can run freely."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import convis_core as convis
from convis_core.models import GLM, LNP, SeparableLN, SpikingModel, SubunitModel
from convis_core.ops.output_nonlinearity import OUTPUT_NONLINEARITIES
from convis_core.ops.spike_feedback import feed_spikes_back
from convis_core.tensors import cells_as_channels


def noise(frames: int, size: tuple[int, int] = (5, 4), seed: int = 0) -> Tensor:
    return torch.randn(frames, *size, generator=torch.Generator().manual_seed(seed))


def correlation(a: Tensor, b: Tensor) -> float:
    return float(np.corrcoef(a.detach().numpy().ravel(), b.detach().numpy().ravel())[0, 1])


def fitted(model: LNP, movie: Tensor, target: object, epochs: int = 4) -> LNP:
    model.set_optimizer.LBFGS(max_iter=30, line_search_fn="strong_wolfe")
    losses = model.optimize(movie, target, loss_fn=model.likelihood, epochs=epochs)
    assert losses[-1] < losses[0]
    return model


# SeparableLN ------------------------------------------------------------------------------------


@pytest.mark.parametrize("population", [False, True])
def test_a_separable_model_answers_as_its_whole_kernel_does(population: bool) -> None:
    model = SeparableLN(kernel_dim=(4, 5, 4), rank=2, n_cells=3, population=population, nonlinearity="linear").double()
    convolve = convis.filters.Conv3d if population else convis.filters.RF
    whole = convolve(1, 3, (4, 5, 4), bias=False).double()
    whole.weight.data = model.kernel().detach()
    movie = noise(30, (7, 6)).double()
    torch.testing.assert_close(model.run(movie)[0], whole.run(movie)[0])


def test_the_kernel_is_of_the_rank_that_was_asked_for() -> None:
    kernel = SeparableLN(kernel_dim=(6, 5, 4), rank=2).kernel().reshape(6, 20)
    assert int(torch.linalg.matrix_rank(kernel)) == 2


def test_a_separable_filter_is_found_from_counts() -> None:
    torch.manual_seed(0)
    true = SeparableLN(kernel_dim=(4, 5, 4), rank=1)
    true.time_courses = torch.tensor([0.2, 1.0, 0.5, -0.4]).reshape(1, 1, 4, 1, 1)
    true.maps = 1.5 * noise(1, seed=3)[0].reshape(1, 1, 1, 5, 4)
    movie = noise(3000)
    counts = torch.poisson(true.run(movie)[0], generator=torch.Generator().manual_seed(1))
    model = SeparableLN(kernel_dim=(4, 5, 4), rank=1)
    model.set_optimizer.LBFGS(max_iter=60, line_search_fn="strong_wolfe")
    model.optimize(movie, counts, loss_fn=convis.estimation.losses.poisson_loss, epochs=2)
    assert correlation(model.kernel(), true.kernel()) > 0.98


def test_smoothness_in_time_and_space_finds_its_factors() -> None:
    model = SeparableLN(kernel_dim=(6, 5, 4))
    in_time = convis.estimation.regularisers.Smoothness(1.0, space=0.0)(model)
    in_time.backward()
    assert model.time_courses.grad is not None and bool(model.time_courses.grad.any())
    assert model.maps.grad is None or not bool(model.maps.grad.any())


# LNP and GLM ------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", ["exponential", "softplus", "sigmoid"])
def test_an_lnp_model_is_found_by_its_likelihood(nonlinearity: str) -> None:
    true = LNP(kernel_dim=(3, 5, 4), nonlinearity=nonlinearity)
    true.filter.set_weight(0.14 * noise(3, seed=5), flip=False)
    movie = noise(6000)
    spikes = true.simulate(movie, dt=1000, seed=1).spikes
    if nonlinearity == "sigmoid":
        assert set(spikes.unique().tolist()) == {0.0, 1.0}
    model = fitted(LNP(kernel_dim=(3, 5, 4), nonlinearity=nonlinearity), movie, spikes, epochs=2)
    assert correlation(model.kernel(), true.kernel()) > 0.97
    assert float(model.offset.detach().abs()) < 0.15


def test_many_cells_share_one_stimulus_and_are_fitted_as_each_alone() -> None:
    movie, rng = noise(1500), np.random.default_rng(0)
    weights = 0.3 * rng.standard_normal((3, 20))
    counts = rng.poisson(np.exp(movie.flatten(1).numpy() @ weights.T - 0.5))
    torch.manual_seed(1)
    together = fitted(LNP(kernel_dim=(1, 5, 4), n_cells=3).double(), movie, cells_as_channels(counts), epochs=3)
    for cell in range(3):
        alone = fitted(LNP(kernel_dim=(1, 5, 4)).double(), movie, counts[:, cell], epochs=3)
        torch.testing.assert_close(together.kernel()[cell], alone.kernel()[0], atol=1e-3, rtol=1e-3)


def test_the_intensity_hears_the_spikes_before_and_no_others() -> None:
    model = GLM(kernel_dim=(1, 1, 1), n_cells=2, n_history=3, n_basis=2, coupling=True).double()
    generator = torch.Generator().manual_seed(0)
    model.history = torch.randn(2, 2, generator=generator)
    model.coupling = torch.randn(2, 2, 2, generator=generator)
    spikes = torch.zeros(8, 2)
    spikes[2, 1] = 2.0
    drive = model.given(spikes).run(torch.zeros(8, 1, 1))[0].log()[0, :, :, 0, 0].detach()
    wanted = torch.zeros(2, 8, dtype=torch.float64)
    wanted[:, 3:6] = 2.0 * model.coupling_filters().detach()[:, 1]
    torch.testing.assert_close(drive, wanted)
    torch.testing.assert_close(model.coupling_filters()[1, 1], model.history_filters()[1])


def test_history_and_coupling_of_a_simulated_pair_are_found_again() -> None:
    options = {"kernel_dim": (2, 4, 4), "n_cells": 2, "n_history": 15, "n_basis": 5, "coupling": True}
    true, movie = GLM(**options), noise(12000, (4, 4))
    true.filter.weight.data = 0.12 * torch.randn(2, 1, 2, 4, 4, generator=torch.Generator().manual_seed(4))
    true.offset = -1.0
    true.history = torch.tensor([[-3.0, -1.0, -0.2, 0.0, 0.0], [-2.0, -1.5, -0.3, 0.1, 0.0]])
    true.coupling = torch.tensor([[0.0] * 5, [0.4, 0.3, 0.1, 0.0, 0.0]]).repeat_interleave(2, 0).reshape(2, 2, 5)
    true.coupling.data[0, 1] = torch.tensor([-0.6, -0.5, -0.2, 0.0, 0.0])
    spikes = true.simulate(movie, seed=2).spikes
    assert 0.1 < float(spikes.mean()) < 1.0
    model = fitted(GLM(**options).given(spikes), movie, spikes)
    for cell in range(2):
        assert correlation(model.history_filters()[cell], true.history_filters()[cell]) > 0.9
    for to, source, size in ((1, 0, 1.0), (0, 1, -1.0)):
        found, wanted = (m.coupling_filters()[to, source].detach() for m in (model, true))
        assert correlation(found, wanted) > 0.9
        assert size * float(found.sum()) > 0.6 * abs(float(wanted.sum()))
        assert abs(float(found.sum() - wanted.sum())) < 0.4 * abs(float(wanted.sum()))
    assert correlation(model.kernel(), true.kernel()) > 0.95


def test_chunks_of_a_fit_see_the_spikes_of_the_chunk_before() -> None:
    movie = noise(300)
    model = GLM(kernel_dim=(3, 5, 4), n_history=20, n_basis=4)
    model.history = -0.5
    spikes = model.simulate(movie, seed=1).spikes
    model.given(spikes)
    whole = model.compute_loss(movie, spikes, loss_fn=model.likelihood).sum()
    parts = model.compute_loss(movie, spikes, dt=7, loss_fn=model.likelihood).sum()
    assert parts == pytest.approx(whole, rel=1e-5)


def test_trials_of_one_stimulus_are_a_batch() -> None:
    movie = noise(50)
    model = GLM(kernel_dim=(1, 5, 4), n_history=5, n_basis=3)
    model.history = -1.0
    trials = torch.poisson(torch.full((3, 50, 1), 0.5), generator=torch.Generator().manual_seed(0))
    together = model.given(trials).run(movie[None, None].expand(3, -1, -1, -1, -1))[0]
    for k in range(3):
        model.clear_state()
        torch.testing.assert_close(model.given(trials[k]).run(movie)[0][0], together[k])


def test_what_does_not_belong_to_a_glm_is_refused() -> None:
    model, movie = GLM(kernel_dim=(1, 5, 4), n_history=5), noise(20)
    with pytest.raises(convis.ConvisError, match=r"none were given.*model.given\(spikes\)"):
        model.run(movie)
    with pytest.raises(convis.ConvisError, match=r"given 1 trial.* of 10 frames"):
        model.given(np.zeros(10)).run(movie)
    with pytest.raises(convis.ConvisError, match=r"1 cell.*got \[1, 2, 20, 1, 1\]"):
        model.given(np.zeros((20, 2)))
    with pytest.raises(convis.ConvisError, match="NaN"):
        model.given(np.full(20, np.nan))
    with pytest.raises(convis.ConvisError, match="at least 2 raised cosines"):
        GLM(n_basis=1)
    with pytest.raises(convis.ConvisError, match="at least 2 cells"):
        GLM(coupling=True)
    with pytest.raises(convis.ConvisError, match="exponential, softplus"):
        LNP(nonlinearity="cubic")
    with pytest.raises(convis.ConvisError, match="LNP or a GLM, got LN"):
        SpikingModel(convis.models.LN())  # type: ignore[arg-type]


# Subunits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("convolved", [True, False])
def test_subunits_add_up_as_their_equation_says(convolved: bool) -> None:
    size = (6, 5) if convolved else None
    model = SubunitModel((2, 3, 3) if convolved else (2, 6, 5), 2, 3, size, convolved, "rectified").double()
    model.threshold = torch.tensor([0.1, -0.2])
    movie = noise(20, (6, 5)).double()
    subunits = torch.relu(model.subunits(movie[None, None]) + model.threshold.reshape(-1, 1, 1, 1))
    pooled = torch.einsum("bktxy,ckxy->bct", subunits, model.pooling.weight[:, :, 0])
    model.clear_state()
    wanted = torch.nn.functional.softplus(pooled)[..., None, None]
    torch.testing.assert_close(model.run(movie)[0], wanted.detach())


def test_a_subunit_fit_explains_what_a_linear_filter_cannot() -> None:
    torch.manual_seed(3)
    movie = noise(3000, (6, 5))
    drive = torch.relu(movie[:, 1:5, 1:4]).sum(dim=(1, 2)) - torch.relu(-movie[:, 1:5, 1:4]).sum(dim=(1, 2)).neg()
    counts = torch.poisson(0.3 * torch.relu(drive - 6.0), generator=torch.Generator().manual_seed(0))
    losses = []
    for model in (
        LNP(kernel_dim=(1, 6, 5), nonlinearity="softplus"),
        SubunitModel((1, 1, 1), 2, size=(6, 5)),
    ):
        model.set_optimizer.LBFGS(max_iter=60, line_search_fn="strong_wolfe")
        loss_fn = convis.estimation.losses.poisson_loss
        model.optimize(movie, counts, loss_fn=loss_fn, epochs=2)
        losses.append(model.compute_loss(movie, counts, loss_fn=loss_fn).sum())
    assert losses[1] < losses[0] - 100


def test_the_size_of_independent_subunits_is_that_of_their_kernel() -> None:
    with pytest.raises(convis.ConvisError, match="size of kernel_dim"):
        SubunitModel((1, 3, 3), size=(6, 6), convolved=False)


# Running freely ---------------------------------------------------------------------------------


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("nonlinearity", list(OUTPUT_NONLINEARITIES))
def test_the_compiled_loop_gives_the_spikes_of_the_plain_one(nonlinearity: str, coupled: bool) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    drive, uniform, past = 2 * draw(2, 3, 80) - 0.5, draw(2, 3, 80), torch.floor(3 * draw(2, 3, 4))
    filters = 0.2 * draw(3, 3, 4) - 0.15 if coupled else 0.5 * draw(3, 4) - 0.4
    plain, fast = (
        feed_spikes_back(drive, uniform, filters, past, nonlinearity, compiled=compiled) for compiled in (False, True)
    )
    assert float(plain[0].sum()) > 20
    torch.testing.assert_close(fast[0], plain[0], rtol=0, atol=0)
    torch.testing.assert_close(fast[1], plain[1])
    torch.testing.assert_close(fast[2], plain[0][..., -4:], rtol=0, atol=0)


def test_without_feedback_counts_have_the_mean_and_variance_of_poisson() -> None:
    model = LNP(kernel_dim=(1, 1, 1))
    model.offset = float(np.log(2.0))
    counts = model.simulate(torch.zeros(20000, 1, 1), seed=3).spikes
    assert float(counts.mean()) == pytest.approx(2.0, abs=0.05)
    assert float(counts.var()) == pytest.approx(2.0, abs=0.1)


def test_the_rate_of_a_free_run_is_the_intensity_given_its_own_spikes() -> None:
    model = GLM(kernel_dim=(2, 5, 4), n_cells=2, n_history=6, n_basis=3, coupling=True).double()
    model.filter.weight.data *= 0.3
    model.history, model.coupling = -0.5, 0.05
    movie = noise(200).double()
    free = model.simulate(movie, dt=33, seed=5)
    torch.testing.assert_close(model.given(free.spikes).run(movie)[0], free.rate)


def test_a_run_that_excites_itself_without_bound_is_stopped() -> None:
    model = GLM(kernel_dim=(1, 1, 1), n_history=5, n_basis=3)
    model.history = 2.0
    for drive in (torch.zeros(500, 1, 1), torch.zeros(500, 1, 1).double()):
        with pytest.raises(convis.ConvisError, match=r"in frame [0-9]+ of the chunk"):
            model.simulate(drive, seed=1)


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_shapes_that_do_not_fit_are_refused(wrong: int) -> None:
    arguments = [torch.zeros(1, 2, 5), torch.zeros(1, 2, 5), torch.zeros(2, 3), torch.zeros(1, 2, 3)]
    arguments[wrong] = arguments[wrong][..., :-1, :]
    with pytest.raises(convis.ConvisError, match=r"\[to, from, lag\]"):
        feed_spikes_back(*arguments)
