"""Kernels of few functions: they answer as the whole kernel does, and a fit finds their coefficients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import convis_core as convis
from convis_core.estimation import KernelBasis, losses, regularisers
from convis_core.filters import RF, BasisConv3d, BasisRF, Conv3d
from convis_core.ops.kernel_bases import KERNEL_BASES, kernel_basis
from convis_core.ops.lags import raised_cosines

DIM = (12, 7, 6)


def noise(frames: int, size: tuple[int, int] = (7, 6), seed: int = 0) -> Tensor:
    return torch.randn(frames, *size, generator=torch.Generator().manual_seed(seed))


def smooth_kernel(basis: KernelBasis | str = "raised_cosine") -> Tensor:
    """A separable kernel that a basis can make: biphasic in time, a blob in space."""
    in_time, in_x, in_y = kernel_basis(basis, DIM)
    course = in_time @ torch.cos(torch.arange(in_time.shape[1]) * 0.9).double()
    blob = torch.outer(in_x @ torch.eye(in_x.shape[1])[2].double(), in_y @ torch.eye(in_y.shape[1])[2].double())
    kernel = course[:, None, None] * blob
    return (kernel / kernel.norm()).float()


@pytest.mark.parametrize(("small", "whole"), [(BasisConv3d, Conv3d), (BasisRF, RF)])
@pytest.mark.parametrize("basis", KERNEL_BASES)
def test_it_answers_as_the_filter_with_its_kernel(small: type[BasisConv3d], whole: type[Conv3d], basis: str) -> None:
    conv = small(1, 2, DIM, basis).double()
    conv.bias = torch.tensor([0.3, -0.2])
    other = whole(1, 2, DIM).double()
    other.weight.data, other.bias.data = conv.kernel().detach(), conv.bias.detach()
    movie = noise(30, (9, 8)).double()
    torch.testing.assert_close(conv.run(movie)[0], other.run(movie)[0])


@pytest.mark.parametrize("small", [BasisConv3d, BasisRF])
@pytest.mark.parametrize("flip", [True, False])
def test_a_kernel_that_the_basis_can_make_is_set_exactly(small: type[BasisConv3d], flip: bool) -> None:
    kernel, conv = smooth_kernel(), small(kernel_dim=DIM)
    whole = (RF if small is BasisRF else Conv3d)(kernel_dim=DIM)
    conv.set_weight(kernel, flip=small is BasisConv3d)
    torch.testing.assert_close(conv.kernel()[0, 0], kernel)
    given = conv.kernel().detach()[0, 0].flip([axis - 2 for axis in small.reversed_by_flip[flip]])
    conv.set_weight(given, flip=flip)
    whole.set_weight(given, flip=flip)
    torch.testing.assert_close(conv.kernel(), whole.kernel())


def test_another_kernel_is_replaced_by_the_nearest_one() -> None:
    conv, wanted = BasisConv3d(kernel_dim=DIM), noise(12)
    conv.set_weight(wanted)
    rest = wanted - conv.kernel().detach()[0, 0]
    assert float(rest.norm()) < float(wanted.norm())
    for axis, matrix in enumerate(kernel_basis("raised_cosine", DIM)):  # what is left has nothing of the basis
        rest = torch.tensordot(rest, matrix.float(), dims=([axis], [0])).movedim(-1, axis)
    assert float(rest.abs().max()) < 1e-4


@pytest.mark.parametrize("population", [True, False])
def test_a_fit_finds_the_kernel_with_few_coefficients(population: bool) -> None:
    torch.manual_seed(0)
    movie = noise(1000)
    true = convis.models.L(DIM, population, bias=False)
    true.conv.set_weight(smooth_kernel())
    response = true.run(movie)[0]
    model = convis.models.L(DIM, population, bias=False, basis="raised_cosine")
    assert model.conv.kernel().shape == true.conv.weight.shape
    model.set_optimizer.LBFGS(max_iter=50, line_search_fn="strong_wolfe")
    before = model.compute_loss(movie, response, dt=500).sum()
    model.optimize(movie, response, dt=500)
    assert model.compute_loss(movie, response, dt=500).sum() < 1e-4 * before
    torch.testing.assert_close(model.kernel(), true.kernel(), rtol=0, atol=0.02)


def test_coefficients_are_as_large_as_their_kernel() -> None:
    conv = BasisConv3d(kernel_dim=DIM)
    torch.testing.assert_close(conv.coefficients.norm(), conv.kernel().norm())


def test_bumps_that_cannot_be_told_apart_do_no_harm() -> None:
    conv = BasisConv3d(kernel_dim=(40, 1, 1))
    assert conv.coefficients.shape[2] > torch.linalg.matrix_rank(raised_cosines(40, 21))
    course = (raised_cosines(40, 21) @ torch.linspace(-1, 1, 21).double()).float()[:, None, None]
    conv.set_weight(course)
    torch.testing.assert_close(conv.kernel()[0, 0], course, rtol=1e-4, atol=1e-4)


def test_with_little_data_it_comes_closer_than_free_weights() -> None:
    movie, truth = noise(400), smooth_kernel()
    true = convis.models.LNP(DIM, nonlinearity="softplus")
    true.filter.set_weight(truth, flip=False)
    counts = torch.poisson(true.run(movie)[0], generator=torch.Generator().manual_seed(1))
    agreement = []
    for basis in (None, "raised_cosine"):
        torch.manual_seed(0)
        model = convis.models.LNP(DIM, nonlinearity="softplus", basis=basis)
        model.set_optimizer.LBFGS(max_iter=40, line_search_fn="strong_wolfe")
        model.optimize(movie, counts, loss_fn=model.likelihood)
        agreement.append(float(np.corrcoef(model.kernel().detach().ravel(), true.kernel().detach().ravel())[0, 1]))
    assert agreement[1] > agreement[0] + 0.2


def test_adam_and_penalties_take_it_as_any_other_layer() -> None:
    torch.manual_seed(0)
    movie = noise(300)
    model = convis.models.LN((8, 5, 5), basis=KernelBasis(raised_cosines, (4, None, None)))
    assert model.conv.coefficients.shape == (1, 1, 4, 5, 5)
    target = torch.relu(convis.models.L((8, 5, 5)).run(movie)[0]).detach()
    model.set_optimizer.Adam(lr=0.01)
    course = [
        step.loss
        for step in convis.fit(
            model,
            movie,
            target,
            dt=100,
            epochs=15,
            loss_fn=losses.mean_squared_error,
            penalties=[regularisers.Smoothness(1e-5)],
        )
    ]
    assert np.mean(course[-3:]) < 0.8 * np.mean(course[:3])


def test_a_glm_of_few_functions_keeps_its_history() -> None:
    movie = noise(200)
    model = convis.models.GLM(DIM, n_history=6, n_basis=3, basis="spline")
    model.history = -0.5
    spikes = model.simulate(movie, seed=1).spikes
    assert {"filter.coefficients", "offset", "history"} == set(model.given(spikes).get_parameters())
    model.set_optimizer.LBFGS()
    losses_ = model.optimize(movie, spikes, loss_fn=model.likelihood, epochs=2)
    assert losses_[-1] < losses_[0]


def test_what_it_learnt_can_be_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model, again = (convis.models.LN(DIM, basis="spline") for _ in range(2))
    model.save_parameters(tmp_path / "fitted.npz")
    again.load_parameters(tmp_path / "fitted.npz")
    torch.testing.assert_close(again.kernel(), model.kernel())


def test_axes_without_a_basis_have_every_point_for_itself() -> None:
    in_time, in_x, in_y = KernelBasis(raised_cosines, (3, None, 5)).matrices((10, 6, 5))
    torch.testing.assert_close(in_time, raised_cosines(10, 3))
    torch.testing.assert_close(in_x, torch.eye(6).double())
    assert in_y.shape == (5, 5) and not bool((in_y == torch.eye(5)).all())


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(convis.ConvisError, match=r"no basis 'haar'.*spline, raised_cosine"):
        BasisConv3d(kernel_dim=DIM, basis="haar")
    with pytest.raises(convis.ConvisError, match=r"a name or a KernelBasis, got 5"):
        BasisConv3d(kernel_dim=DIM, basis=5)  # type: ignore[arg-type]
    with pytest.raises(convis.ConvisError, match=r"12 points.* by 13 functions"):
        BasisConv3d(kernel_dim=DIM, basis=KernelBasis(counts=(13, 4, 4)))
    with pytest.raises(convis.ConvisError, match="by 3 functions, at least 4"):
        BasisConv3d(kernel_dim=DIM, basis=KernelBasis(counts=(3, 4, 4)))
    with pytest.raises(convis.ConvisError, match=r"kernel of this BasisRF is \[1, 1, 12, 7, 6\]"):
        BasisRF(kernel_dim=DIM).set_weight(torch.ones(12, 7, 7))
