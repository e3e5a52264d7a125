"""The stored fit of a linear-nonlinear model: its loss, its gradient, and where ten epochs lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convis_core.models import LN
from tests.reference.convis_parts import Array, load


def model(weight: Array) -> LN:
    made = LN(kernel_dim=weight.shape, bias=False)
    made.conv.set_weight(weight)
    return made


@pytest.fixture(scope="module")
def fit(shared: Path) -> tuple[dict[str, Array], Array, Array]:
    data = load(shared, "fit_ln")
    chance = np.random.RandomState(int(data["input_seed"]))
    clip = chance.randn(2000, 8, 9).astype(np.float32)
    np.testing.assert_array_equal(clip[:5], data["input_first5"])
    return data, clip, model(chance.randn(6, 4, 5)).run(clip).array()[0, 0]


def reversed_axes(weight: Array) -> Array:
    """The original keeps its weights reversed."""
    return weight[..., ::-1, ::-1, ::-1]


def test_loss_and_gradient_of_the_whole_recording(fit: Any) -> None:
    data, clip, target = fit
    ln = model(data["start_weight"])
    assert ln.compute_loss(clip, target)[0] == pytest.approx(float(data["compute_loss_whole_initial"]), rel=1e-6)
    ln.clear_state()
    apart = ln.run(clip, grad=True)[0][0, 0]
    loss = (apart - apart.new_tensor(target)).square().sum()
    loss.backward()
    gradient = ln.conv.weight.grad
    assert gradient is not None
    wanted = data["gradient_at_w0"]
    np.testing.assert_allclose(reversed_axes(gradient.numpy()), wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())


@pytest.mark.parametrize(("optimizer", "apart"), [("Adam", 0.03), ("SGD", 0.003)])
def test_ten_epochs_lead_to_the_stored_weights(fit: Any, optimizer: str, apart: float) -> None:
    """Nearly, for what goes on across the borders of chunks is right in ours; the start was up to 2 away."""
    data, clip, target = fit
    ln = model(data["start_weight"])
    getattr(ln.set_optimizer, optimizer)(lr=float(data[f"lr_{optimizer}"]))
    losses = ln.optimize(clip, target, 500, epochs=10).reshape(10, 4)
    np.testing.assert_allclose(losses, data[f"loss_{optimizer}"], rtol=0.01)
    weight = reversed_axes(ln.conv.weight.detach().numpy())
    np.testing.assert_allclose(weight, data[f"final_weight_{optimizer}"], rtol=0, atol=apart)
