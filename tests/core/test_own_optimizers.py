"""The optimisers of our own: downhill only and within bounds; without a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import convis_core as convis
from convis_core import Layer, parameter
from convis_core.errors import FitError
from convis_core.estimation import BoundedLBFGS, FiniteDifferences, resume_checkpoint, save_checkpoint
from convis_core.filters.spiking import LeakyIntegrateAndFireNeuron
from convis_core.loops.divergence import DivergedError

STIMULUS, RESPONSE = convis.samples.generate_sample_data(size=(80, 8, 8), seed=1)


def searched(
    loss_of: Callable[[Tensor], Tensor], start: Tensor, low: float = -math.inf, high: float = math.inf
) -> tuple[Tensor, list[float]]:
    """Where a search ends, and all losses it has seen."""
    x = start.clone().requires_grad_(True)
    search, seen = BoundedLBFGS([x], max_iter=500, tolerance_change=1e-15, bounds=[(x, low, high)]), []

    def closure() -> Tensor:
        search.zero_grad()
        assert low <= float(x.detach().min()) and float(x.detach().max()) <= high  # not even while it looks around
        loss = loss_of(x)
        loss.backward()  # type: ignore[no-untyped-call]
        seen.append(float(loss.detach()))
        return loss

    search.step(closure)
    return x.detach(), seen


# Within bounds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 10, 50])
def test_it_follows_the_banana_valley(n: int) -> None:
    """Rosenbrock's function has its minimum at 1; 400 evaluations are as many as a strong-Wolfe search takes."""
    start = torch.full((n,), -1.2, dtype=torch.float64)
    there, seen = searched(lambda x: ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum(), start)
    torch.testing.assert_close(there, torch.ones(n, dtype=torch.float64), rtol=0, atol=1e-6)
    assert len(seen) < 400


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8))
def test_a_bounded_parabola_ends_where_no_allowed_direction_goes_down(seed: int, n: int) -> None:
    """The conditions of Karush, Kuhn and Tucker hold at its end, and at nothing but the minimum."""
    dice = torch.Generator().manual_seed(seed)
    root = torch.randn(n, n, generator=dice, dtype=torch.float64)
    curve = root @ root.T + 0.1 * torch.eye(n, dtype=torch.float64)
    push = 3.0 * torch.randn(n, generator=dice, dtype=torch.float64)
    there, _ = searched(lambda x: 0.5 * x @ curve @ x - push @ x, torch.zeros(n, dtype=torch.float64), -0.5, 0.3)
    slope = curve @ there - push
    assert float(slope[there <= -0.5].clamp(max=0.0).abs().sum()) < 1e-4
    assert float(slope[there >= 0.3].clamp(min=0.0).abs().sum()) < 1e-4
    assert float(slope[(there > -0.5) & (there < 0.3)].abs().sum()) < 1e-4


def test_a_start_out_of_bounds_is_brought_in_first() -> None:
    there, seen = searched(lambda x: (x - 3.0).square().sum(), torch.tensor([5.0, -9.0]).double(), -1.0, 1.0)
    assert there.tolist() == [1.0, 1.0] and seen[0] == 4.0 + 16.0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_never_ends_higher_than_it_began(seed: int) -> None:
    """Not on a surface with as many valleys as one likes, nor with walls where it is not finite."""
    dice = np.random.default_rng(seed)
    waves, phases = torch.from_numpy(dice.normal(0, 3, (6, 3))), torch.from_numpy(dice.normal(0, 3, 6))
    there, seen = searched(lambda x: torch.sin(waves @ x + phases).sum() + x.square().sum(), torch.zeros(3).double())
    end = torch.sin(waves @ there + phases).sum() + there.square().sum()
    assert float(end) == min(seen) <= seen[0]


def test_parameters_of_unlike_size_are_found_where_whole_steps_leave_the_bounds() -> None:
    """Time constants of 0.01 s beside strengths of 200 Hz: the fit of a retina in one pass."""
    frames = np.random.default_rng(1).random((8, 4, 4)).repeat(4, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    truth = {"opl.sigma_center": 0.15, "opl.tau_center": 0.02, "bipolar.lambda_amp": 200.0}
    start = {"opl.sigma_center": 0.1, "opl.tau_center": 0.01, "bipolar.lambda_amp": 50.0}

    def retina(values: dict[str, float]) -> convis.retina.Retina:
        resolution = convis.Resolution(10.0, 200.0)
        made = convis.retina.Retina({"ganglion-layers": [{"sign": 1}]}, resolution=resolution).double()
        for handle in made.p:
            handle.requires_grad = handle.name in values
        for name, value in values.items():
            made.p[name].set(value)
        return made

    target = retina(truth).run(frames)[0]
    model = retina(start)
    model.set_optimizer.BoundedLBFGS()
    model.optimize(frames, target, epochs=2)
    for name, value in truth.items():
        assert float(model.p[name]) == pytest.approx(value, rel=1e-6), name
    model = retina(start)
    model.set_optimizer.LBFGS()
    model.optimize(frames, target, epochs=2)
    assert abs(float(model.p.bipolar.lambda_amp) - 50.0) < 1.0  # torch's own goes nowhere


def test_a_filter_is_found_from_all_chunks_together() -> None:
    stimulus, response = convis.samples.generate_sample_data(size=(200, 12, 12), seed=1)
    torch.manual_seed(0)
    model = convis.models.LN(kernel_dim=(12, 8, 8))
    before = model.compute_loss(stimulus, response).sum()
    model.set_optimizer.BoundedLBFGS()
    steps = list(model.fit(stimulus, response, dt=50, epochs=5))
    assert [(s.n_chunks, s.ends_epoch) for s in steps] == [(4, True)] * 5
    assert model.compute_loss(stimulus, response).sum() < 1e-6 * before


def test_a_step_too_far_is_taken_back() -> None:
    """The logarithm is not finite beyond 0, and the first step of 1000 is far beyond."""
    x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    search = BoundedLBFGS([x], lr=1000.0, max_iter=100)

    def closure() -> Tensor:
        search.zero_grad()
        if float(x.detach().min()) <= 0.0:
            raise DivergedError("not finite")
        loss = (x - x.log()).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    search.step(closure)
    torch.testing.assert_close(x.detach(), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-5)


def test_it_goes_on_after_a_checkpoint_as_if_nothing_had_been(tmp_path: Path) -> None:
    def fitted(interrupt: bool) -> list[np.ndarray]:
        torch.manual_seed(0)
        model = convis.models.LN(kernel_dim=(6, 5, 5))
        model.set_optimizer.BoundedLBFGS(max_iter=3)
        for step in model.fit(STIMULUS, RESPONSE, dt=20, epochs=4):
            if interrupt and step.epoch == 1:
                save_checkpoint(tmp_path / "fit.ckpt", model, step)
                break
        if interrupt:
            torch.manual_seed(9)
            model = convis.models.LN(kernel_dim=(6, 5, 5))
            model.set_optimizer.BoundedLBFGS(max_iter=3)
            bookmark = resume_checkpoint(tmp_path / "fit.ckpt", model)
            for _ in model.fit(STIMULUS, RESPONSE, dt=20, epochs=4, resume=bookmark):
                pass
        return [p.detach().numpy() for p in model.parameters()]

    for one, other in zip(fitted(False), fitted(True), strict=True):
        np.testing.assert_array_equal(one, other)


# Without a gradient -----------------------------------------------------------------------------


def neuron(g_L: float) -> LeakyIntegrateAndFireNeuron:
    made = LeakyIntegrateAndFireNeuron(g_L=g_L, noise_sigma=0.1, seed=3)
    made.noise_sigma.requires_grad_(False)
    return made


def rates(response: Tensor, target: Tensor) -> Tensor:
    return (response.sum(2) - target.sum(2)).square().sum()


def test_a_neuron_is_fitted_to_its_spikes_through_its_noise() -> None:
    current = np.random.default_rng(0).uniform(0, 300, (300, 6, 6)).astype("float32")
    spikes, model = neuron(50.0).run(current), neuron(100.0)
    model.set_optimizer.Adam()
    with pytest.raises(FitError, match="FiniteDifferences"):
        model.optimize(current, spikes, loss_fn=rates)
    model.set_optimizer.FiniteDifferences()
    losses = model.optimize(current, spikes, loss_fn=rates, epochs=40)
    assert losses[-1] < 0.02 * losses[0]
    assert float(model.g_L.detach()) == pytest.approx(50.0, rel=0.05)


class Line(Layer, register=False):
    """A gain between 0 and 2 and an offset."""

    gain = parameter(1.0, bounds=(0.0, 2.0), doc="factor")
    offset = parameter(0.0, doc="what is added")

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x + self.offset


def test_measured_slopes_are_those_of_the_gradient() -> None:
    """The loss is a parabola in both numbers, whose central differences are exact."""
    x = np.random.default_rng(0).standard_normal((50, 2, 2))
    slopes = []
    for name in ("SGD", "FiniteDifferences"):
        model = Line(gain=0.5, offset=0.3).double()
        optimizer = getattr(model.set_optimizer, name)(lr=1e-13)
        model.optimize(x, 2.0 * x + 1.0)
        if name == "SGD":
            slopes.append([float(p.grad) * float(p.detach()) for p in model.parameters() if p.grad is not None])
        else:
            slopes.append([float(kept["mean"]) / (1 - 0.7) for kept in optimizer.state.values()])
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-6)


def test_differences_at_a_bound_stay_within() -> None:
    seen = []

    class Watched(Line, register=False):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(float(self.gain.detach()))
            return super().forward(x)

    model, x = Watched(gain=2.0), np.random.default_rng(0).standard_normal((50, 2, 2)).astype("float32")
    model.set_optimizer.FiniteDifferences()
    model.optimize(x, 3.0 * x, epochs=5)
    assert float(model.gain.detach()) == 2.0 and max(seen) == 2.0 and min(seen) < 2.0
    model.optimize(x, 1.0 * x, epochs=60)
    assert float(model.gain.detach()) == pytest.approx(1.0, abs=0.02)


def test_what_they_refuse() -> None:
    model = convis.models.LN(kernel_dim=(10, 5, 5))
    with pytest.raises(FitError, match=r"twice for each number, and these are 25\d .*Freeze"):
        model.set_optimizer.FiniteDifferences()
    for name, value in {"lr": 0.0, "distance": -1.0, "smallest": math.nan, "betas": (0.5, 1.0)}.items():
        with pytest.raises(FitError, match=name):
            Line().set_optimizer.FiniteDifferences(**{name: value})
    for name, value in {"lr": 0.0, "max_iter": 0, "history_size": 0, "tolerance_grad": math.inf}.items():
        with pytest.raises(FitError, match=name):
            Line().set_optimizer.BoundedLBFGS(**{name: value})
    with pytest.raises(FitError, match="one group"):
        BoundedLBFGS([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(2)]}])
    for kind in (BoundedLBFGS, FiniteDifferences):
        with pytest.raises(FitError, match=r"step\(closure\)"):
            kind([torch.zeros(1)]).step()
