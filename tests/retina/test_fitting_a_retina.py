"""What made a current can be found from the current: scales, time constants, and the strength of the gain control."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import FitError
from convis_core.retina import Retina


def retina(sigma: float, tau: float, strength: float) -> Retina:
    made = Retina({"ganglion-layers": [{"sign": 1}]}, resolution=Resolution(10.0, 200.0)).double()
    made.p.opl.sigma_center.set(sigma)
    made.p.opl.tau_center.set(tau)
    made.p.bipolar.lambda_amp.set(strength)
    return made


def test_a_fit_recovers_the_retina_that_made_the_data() -> None:
    frames = np.random.default_rng(1).random((8, 4, 4)).repeat(4, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    truth = {"opl.sigma_center": 0.15, "opl.tau_center": 0.02, "bipolar.lambda_amp": 200.0}
    target = retina(*truth.values()).run(frames)[0]
    model = retina(0.1, 0.01, 50.0)
    for handle in model.p:
        handle.requires_grad = handle.name in truth
    rates = {"opl.sigma_center": 0.01, "opl.tau_center": 0.001, "bipolar.lambda_amp": 30.0}
    groups = [{"params": [model.p[name].tensor], "lr": rate} for name, rate in rates.items()]
    losses = model.optimize(frames, target, optimizer=torch.optim.Adam(groups, betas=(0.8, 0.95)), epochs=80)
    assert losses[-1] < 1e-4 * losses[0]
    for name, value in truth.items():
        assert float(model.p[name]) == pytest.approx(value, rel=0.05), name


@pytest.mark.parametrize("dt", [None, 9])
def test_a_retina_is_its_own_best_fit(dt: int | None) -> None:
    """Chunks go on where the last one ended: the loss of the truth is 0 in all of them."""
    frames = np.random.default_rng(2).random((30, 5, 6))
    truth = retina(0.1, 0.01, 100.0)
    target = truth.run(frames)[0]
    truth.clear_state()
    assert float(truth.compute_loss(frames, target, dt).sum()) < 1e-18
    truth.p.bipolar.lambda_amp.set(110.0)
    assert float(truth.compute_loss(frames, target, dt).sum()) > 1e-6


def test_a_search_that_leaves_the_range_of_a_time_constant_says_so_and_who_does_not() -> None:
    """The first step of LBFGS is 1 in all numbers together, whatever their unit."""
    frames = np.random.default_rng(0).random((20, 5, 5)).repeat(6, axis=0)
    target, model = retina(0.05, 0.01, 0.0).run(frames)[0], retina(0.05, 0.02, 0.0)
    for handle in model.p:
        handle.requires_grad = handle.name == "opl.tau_center"
    model.set_optimizer.LBFGS()
    says = r"LBFGS left the range in which Retina is defined: tau must be.*set_optimizer.BoundedLBFGS"
    with pytest.raises(FitError, match=says):
        model.optimize(frames, target, dt=100)
    assert float(model.p.opl.tau_center) == 0.02
    model.set_optimizer.BoundedLBFGS()
    model.optimize(frames, target, dt=100)
    assert float(model.p.opl.tau_center) == pytest.approx(0.01, rel=1e-6)


def test_gradients_through_spikes_need_no_gradient_of_the_neurons() -> None:
    """The currents of a spiking retina can be recorded with their gradient."""
    cells = Retina(seed=1)
    o = cells.run(np.random.default_rng(3).random((10, 5, 5)), grad=True, record="ganglion_0")
    o.ganglion_0.sum().backward()
    weight = cells.p.opl.lambda_opl.tensor
    assert weight.grad is not None and bool(torch.isfinite(weight.grad))
