"""Surrogate gradients: they change no spike, have the slope they say, and let a spiking layer learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core import Layer
from convis_core.errors import ParameterError
from convis_core.filters import Conv3d
from convis_core.filters.spiking import (
    AdaptiveExponential,
    Izhikevich,
    LeakyIntegrateAndFireNeuron,
    RefractoryLeakyIntegrateAndFireNeuron,
)
from convis_core.ops.integrate_and_fire import leaky_integrate_and_fire
from convis_core.ops.surrogate import spike, surrogate_slope

KINDS = ["superspike", "arctan", "triangle"]
every_kind = pytest.mark.parametrize("kind", KINDS)
# how to make it, how strong an input makes it fire
SPIKING: dict[str, tuple[Any, float]] = {
    "integrate and fire": (lambda **o: LeakyIntegrateAndFireNeuron(noise_sigma=0.0, **o), 200.0),
    "integrate and fire, Euler": (lambda **o: LeakyIntegrateAndFireNeuron(noise_sigma=0.0, method="euler", **o), 200.0),
    "refractory": (lambda **o: RefractoryLeakyIntegrateAndFireNeuron(noise_sigma=0.0, **o), 200.0),
    "Izhikevich": (lambda **o: Izhikevich(**o), 20.0),
    "adaptive exponential": (lambda **o: AdaptiveExponential(**o), 3000.0),
}
every_neuron = pytest.mark.parametrize("name", SPIKING)


def movie(scale: float, n: int = 60) -> Tensor:
    return scale * torch.rand(1, 1, n, 2, 3, generator=torch.Generator().manual_seed(1))


# The function ------------------------------------------------------------------------------------


@every_kind
@given(x=st.floats(-50, 50))
def test_a_slope_is_1_at_the_threshold_symmetric_and_falls(kind: Any, x: float) -> None:
    here, there, further = (float(surrogate_slope(torch.tensor(v).double(), kind)) for v in (x, -x, 1.5 * x))
    assert float(surrogate_slope(torch.tensor(0.0), kind)) == 1.0
    assert 0.0 <= further <= here == there <= 1.0


@pytest.mark.parametrize(("kind", "area"), [("superspike", 2.0), ("arctan", 1.0), ("triangle", 1.0)])
def test_a_slope_has_the_area_of_its_sigmoid(kind: Any, area: float) -> None:
    x = torch.linspace(-2000, 2000, 4_000_001, dtype=torch.float64)
    assert float(torch.trapezoid(surrogate_slope(x, kind), x)) == pytest.approx(area, rel=2e-3)


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_spike_is_0_or_1(kind: Any) -> None:
    x = torch.tensor([-1.0, -1e-6, 0.0, 0.3, 5.0], requires_grad=True)
    y = spike(x, x >= 0, kind)
    assert y.tolist() == [0, 0, 1, 1, 1]
    assert y.requires_grad == (kind is not None)
    if kind is not None:
        (gradient,) = torch.autograd.grad(y.sum(), x)
        torch.testing.assert_close(gradient, surrogate_slope(x.detach(), kind))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'sigmoid'.*None or one of: 'superspike', 'arctan', 'triangle'"):
        spike(torch.zeros(1), torch.ones(1) > 0, "sigmoid")  # type: ignore[arg-type]
    for make, _ in SPIKING.values():
        with pytest.raises(ParameterError, match="'sigmoid'"):
            make(surrogate="sigmoid")


# The neurons -------------------------------------------------------------------------------------


@every_neuron
@every_kind
def test_the_spikes_are_the_same_with_and_without(name: str, kind: Any) -> None:
    make, scale = SPIKING[name]
    x = movie(scale)
    with torch.no_grad():
        without = make()(x)
    learning = make(surrogate=kind)
    assert without.sum() > 0
    torch.testing.assert_close(learning(x.requires_grad_()), without, rtol=0, atol=0)


@every_neuron
@every_kind
def test_gradients_reach_the_input_and_are_finite(name: str, kind: Any) -> None:
    make, scale = SPIKING[name]
    x = movie(scale).requires_grad_()
    neuron = make(surrogate=kind)
    (gradient,) = torch.autograd.grad(neuron(x).sum(), x)
    assert bool(torch.isfinite(gradient).all()) and bool((gradient != 0).any())
    if "fire" in name:  # more input, more spikes: the others are too far from linear to say so spike by spike
        assert float(gradient.sum()) > 0


@every_neuron
def test_without_a_surrogate_spikes_have_no_gradient(name: str) -> None:
    make, scale = SPIKING[name]
    assert not make()(movie(scale).requires_grad_()).requires_grad


@settings(deadline=None, max_examples=10)
@given(cut=st.integers(1, 19), kind=st.sampled_from(KINDS))
def test_gradients_cross_a_cut(cut: int, kind: Any) -> None:
    def gradient(edges: list[int]) -> Tensor:
        x = movie(200.0, n=20).double().requires_grad_()
        neuron = LeakyIntegrateAndFireNeuron(noise_sigma=0.0, surrogate=kind).double()
        parts = [neuron(x[:, :, a:b]) for a, b in zip([0, *edges], [*edges, 20], strict=True)]
        weights = torch.arange(20.0, dtype=torch.float64)[:, None, None]
        return torch.autograd.grad((torch.cat(parts, dim=2) * weights).sum(), x)[0]

    torch.testing.assert_close(gradient([cut]), gradient([]))


def test_a_single_euler_step_has_the_gradient_of_the_chain_rule() -> None:
    current = torch.tensor(600.0, dtype=torch.float64, requires_grad=True)
    start = torch.full((1, 1, 1, 1), 0.3, dtype=torch.float64)
    film = current * torch.ones(1, 1, 1, 1, 1, dtype=torch.float64)
    counts, _, _ = leaky_integrate_and_fire(
        film, start, 0 * start, g=50.0, step=0.001, method="euler", surrogate="superspike"
    )
    end = 0.3 + 0.001 * (600.0 - 50.0 * 0.3)
    (gradient,) = torch.autograd.grad(counts.sum(), current)
    assert float(counts.detach()) == 0 and float(gradient) == pytest.approx(0.001 / (1 + abs(end - 1)) ** 2)


def test_a_refractory_neuron_has_no_gradient_while_it_rests() -> None:
    x = torch.full((1, 1, 5, 1, 1), 3000.0, dtype=torch.float64, requires_grad=True)
    start = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    counts, _, _ = leaky_integrate_and_fire(x, start, start + 0.0025, g=50.0, step=0.001, surrogate="triangle")
    (gradient,) = torch.autograd.grad(counts[:, :, :2].sum(), x, allow_unused=True)
    assert gradient is None or not bool(gradient.any())


# Learning ----------------------------------------------------------------------------------------


class Eye(Layer, register=False):
    """A temporal filter in front of a spiking neuron."""

    def __init__(self, surrogate: Any) -> None:
        super().__init__()
        self.conv = Conv3d(kernel_dim=(3, 1, 1), bias=False)
        self.neuron = LeakyIntegrateAndFireNeuron(noise_sigma=0.0, surrogate=surrogate)

    def forward(self, x: Tensor) -> Tensor:
        return self.neuron(self.conv(x))  # type: ignore[no-any-return]


@every_kind
def test_a_spiking_layer_learns_to_fire_as_often_as_another(kind: Any) -> None:
    film = torch.rand(1, 1, 60, 3, 3, generator=torch.Generator().manual_seed(1)) * 2
    teacher, pupil = Eye(None), Eye(kind)
    teacher.conv.set_weight(np.array([120.0, 60.0, 10.0])[:, None, None])
    pupil.conv.set_weight(np.array([30.0, 30.0, 30.0])[:, None, None])
    with torch.no_grad():
        wanted = teacher(film).sum(dim=2)
    optimizer = torch.optim.Adam([pupil.conv.weight], lr=6.0)
    losses = []
    for _ in range(20):
        pupil.clear_state()
        loss = (pupil(film).sum(dim=2) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 1.0 and min(losses) < 0.05 * losses[0]


def test_the_fit_of_the_library_trains_it_too() -> None:
    film = np.random.default_rng(1).random((100, 2, 2)) * 2
    pupil = Eye("superspike")
    pupil.conv.set_weight(np.array([30.0, 30.0, 30.0])[:, None, None])
    before = np.asarray(pupil.p.conv.weight).copy()
    pupil.set_optimizer.SGD(lr=1.0)
    pupil.optimize(film, np.ones((1, 1, 100, 2, 2)), dt=50)  # wants more spikes than there are
    assert np.asarray(pupil.p.conv.weight).sum() > before.sum()
