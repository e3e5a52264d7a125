"""The current into ganglion cells: stored runs with their own kernel, and analytic answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.ops.ganglion_current import ganglion_current
from convis_core.ops.smooth_rectification import SATURATION, smooth_rectification
from convis_core.retina import GanglionInput


@pytest.fixture(params=[1000, 200])
def stored(request: pytest.FixtureRequest, shared: Path) -> Any:
    data = np.load(shared / "reference" / "convis" / f"ganglion_input_{request.param}sps.npz")
    return data, Resolution(float(data["pixel_per_degree"]), request.param)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("clip", ["impulse", "checker", "grating"])
def test_the_nonlinearity_is_the_stored_one_but_for_its_saturation(stored: Any, sign: int, clip: str) -> None:
    data, _ = stored
    kernel, x = data["param__transient.weight"].ravel()[::-1].astype(float), data[f"input_{clip}"].astype(float)
    past = np.concatenate([np.zeros((len(kernel) - 1, *x.shape[1:])), x])
    transient = sum(w * past[len(kernel) - 1 - lag : len(past) - lag] for lag, w in enumerate(kernel))
    u = 100 * sign * torch.as_tensor(transient)
    wanted = data[f"output_sign{sign}_tau0.02_w0.7_{clip}"][0, 0] - (u.clamp(min=0) ** 2 / SATURATION).numpy()
    np.testing.assert_allclose(smooth_rectification(u, 37.0), wanted, rtol=0, atol=2e-5 * 137)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("tau", "weight"), [("0.02", "0.7"), ("0.03", "1"), ("0.02", "0.1")])
@pytest.mark.parametrize("clip", ["impulse", "checker", "grating"])
def test_the_layer_follows_the_stored_one(stored: Any, sign: int, tau: str, weight: str, clip: str) -> None:
    """To a few per cent, for the stored kernel is cut off: its sum is 0.316 and 0.288 where 0.3 is meant."""
    data, resolution = stored
    layer = GanglionInput(
        sign=sign,
        transient_tau_center=float(tau),
        transient_relative_weight_center=float(weight),
        resolution=resolution,
    )
    wanted = data[f"output_sign{sign}_tau{tau}_w{weight}_{clip}"]
    error = np.abs(layer.run(data[f"input_{clip}"], dt=37).array() - wanted).max() / np.abs(wanted).max()
    assert error < (0.05 if resolution.steps_per_second == 1000 else 0.2)


@pytest.mark.parametrize("rate", [200.0, 1000.0])
@pytest.mark.parametrize("weight", [0.0, 0.3, 0.8, 1.0])
def test_a_lasting_potential_excites_by_one_minus_the_weight(rate: float, weight: float) -> None:
    """At any rate and any weight, 0 included, for which the stored layer divided by 0."""
    layer = GanglionInput(transient_relative_weight_center=weight, resolution=Resolution(10, rate)).double()
    current = layer.run(np.ones((int(rate), 1, 1))).array().ravel()
    assert current[0] == pytest.approx(37 + 100 * (1 - weight * (1 - np.exp(-1 / (rate * 0.02)))), rel=1e-3)
    assert current[-1] == pytest.approx(37 + 100 * (1 - weight), rel=1e-3)


@pytest.mark.parametrize("sigma", [0.1, 0.2])
def test_pooling_keeps_the_size_and_the_mean(sigma: float) -> None:
    """The stored layer lost the border; inside it agrees as far as a Gaussian is Deriche's kernel."""
    layer = GanglionInput(sigma_surround=sigma)
    flat = layer.run(np.zeros((3, 6, 7))).array()
    np.testing.assert_allclose(flat, 37.0, rtol=1e-5)
    layer.clear_state()
    spot = np.zeros((1, 61, 61))
    spot[0, 30, 30] = 1.0
    pooled = layer.run(spot).array()[0, 0, 0] - 37.0
    layer.p.sigma_surround = 0.0
    layer.clear_state()
    alone = layer.run(spot).array()[0, 0, 0] - 37.0
    assert pooled.sum() == pytest.approx(alone.sum(), rel=1e-3)
    distance = np.arange(61) - 30
    width = np.sqrt((pooled.sum(axis=0) * distance**2).sum() / pooled.sum())
    assert width == pytest.approx(1.18 * sigma * 10, rel=0.02)


def test_clear_state_brings_the_rest_back() -> None:
    layer = GanglionInput()
    x = np.random.default_rng(1).normal(size=(20, 4, 4))
    first = layer.run(x).array()
    assert bool((layer.run(x).array() != first).any())
    layer.clear_state()
    np.testing.assert_array_equal(layer.run(x).array(), first)
    layer.clear_state()
    layer.run(np.zeros((3, 7, 5)))  # another size


@pytest.mark.parametrize("level", [0.0, 37.0])
def test_rectification_is_smooth_and_saturates(level: float) -> None:
    u = torch.tensor([-1e9, -100.0, 0.0, 100.0, 1e12], dtype=torch.float64, requires_grad=True)
    n = smooth_rectification(u, level)
    n.sum().backward()
    assert bool((n >= 0).all() and torch.isfinite(u.grad).all())  # type: ignore[arg-type]
    assert n[2] == level
    assert float(n.detach()[-1]) == pytest.approx(SATURATION, rel=1e-5)
    if level:
        assert u.grad is not None and float(u.grad[2]) == pytest.approx(1.0)
    else:
        torch.testing.assert_close(n[:3].detach(), torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=str)
@pytest.mark.parametrize("level", [0.0, 37.0])
def test_the_compiled_loop_equals_the_plain_one(dtype: torch.dtype, tolerance: float, level: float) -> None:
    x = torch.randn(2, 3, 20, 5, 6, dtype=dtype)
    numbers = {"keep": 0.9, "weight": 0.7, "gain": -100.0, "threshold": 3.0, "level": level}
    plain = ganglion_current(x, x[:, :, 0], compiled=False, **numbers)
    quick = ganglion_current(x, x[:, :, 0], **numbers)
    for a, b in zip(plain, quick, strict=True):
        torch.testing.assert_close(b, a, rtol=tolerance, atol=tolerance * float(a.abs().max()))


def test_large_images_are_shared_between_threads() -> None:
    x = torch.randn(1, 1, 40, 200, 210)
    numbers = {"keep": 0.9, "weight": 0.7, "gain": 100.0, "threshold": 3.0, "level": 37.0}
    plain = ganglion_current(x, x[:, :, 0], compiled=False, **numbers)
    torch.testing.assert_close(ganglion_current(x, x[:, :, 0], **numbers)[0], plain[0], rtol=1e-4, atol=1e-3)
