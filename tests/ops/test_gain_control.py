"""Contrast gain control against its equation, its fixed point, and the compiled loop against the plain one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from convis_core.errors import ConvisError
from convis_core.ops.deriche_recursion import recursion
from convis_core.ops.gain_control import CustomLaw, Memory, contrast_gain_control

STEP = 0.005
LAWS = {
    "standard": None,
    "custom": CustomLaw(1.5, 0.1, -0.5, False, 0.3, 0.8),
    "custom, both signs": CustomLaw(2.5, 0.05, 0.3, True),
}


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def rest(drive: Tensor) -> Memory:
    v = 0.1 * noise(*drive.shape[:2], *drive.shape[3:], dtype=drive.dtype)
    return Memory(v, 10 * v.abs(), v.clone())


def respond(drive: Tensor, memory: Memory | None = None, **options: Any) -> Any:
    settings: dict[str, Any] = {
        "step": STEP, "leak": 5.0, "feedback": 100.0, "tau": 0.01, "sigma_px": 1.5, "amplification": 150.0, **options,
    }  # fmt: skip
    return contrast_gain_control(drive, memory or rest(drive), **settings)


def test_it_settles_where_the_leak_balances_the_current() -> None:
    """150 I = (5 + 100 V^2) V, the blur of a uniform image being that image."""
    drive = torch.tensor([0.0, 0.2, 1.0, 5.0], dtype=torch.float64)[:, None, None, None, None].expand(-1, 1, 2000, 6, 5)
    v, a, _ = respond(drive, record=True)
    last, called = v[:, 0, -1], 100 * v[:, 0, -1] ** 2
    torch.testing.assert_close(a[:, 0, -1], called / (1 + called / 5e5), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close((5 + a[:, 0, -1]) * last, 150 * drive[:, 0, -1], rtol=1e-9, atol=1e-9)


def test_without_feedback_it_is_a_leaky_integrator() -> None:
    drive = noise(1, 1, 50, 3, 4)
    v, _, _ = respond(drive, feedback=0.0, memory=Memory(*(torch.zeros(1, 1, 3, 4, dtype=torch.float64),) * 3))
    lags = torch.arange(50, dtype=torch.float64)
    kernel = 150 / 5 * (1 - torch.exp(torch.tensor(-5 * STEP))) * torch.exp(-5 * STEP * lags)
    expected = torch.stack([(kernel[: t + 1].flip(0)[:, None, None] * drive[0, 0, : t + 1]).sum(0) for t in range(50)])
    torch.testing.assert_close(v[0, 0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("sigma", [0.0, 0.7, 3.0, "map", "literal map"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)], ids=str)
@pytest.mark.parametrize("size", [(7, 9), (20, 1), (2, 17), (1, 1)], ids=str)
def test_the_compiled_loop_equals_the_plain_one(
    law: str, sigma: float | str, dtype: torch.dtype, tolerance: float, size: tuple[int, int]
) -> None:
    drive = noise(2, 2, 12, *size, dtype=dtype)
    scale: Any = sigma if isinstance(sigma, float) else 0.5 + noise(*size, dtype=dtype).abs()
    options: dict[str, Any] = {"custom": LAWS[law], "sigma_px": scale, "record": True}
    options["virtual_retina_logpolar"] = sigma == "literal map"
    plain = respond(drive, compiled=False, **options)
    quick = respond(drive, **options)
    for a, b in zip((*plain[:2], *plain[2]), (*quick[:2], *quick[2]), strict=True):
        torch.testing.assert_close(b, a, rtol=tolerance, atol=tolerance * float(a.abs().max()))


@pytest.mark.parametrize("law", LAWS)
def test_cuts_change_nothing(law: str) -> None:
    drive = noise(1, 1, 30, 6, 7)
    whole, adaptation, _ = respond(drive, custom=LAWS[law], record=True)
    first, a, memory = respond(drive[:, :, :11], custom=LAWS[law], record=True)
    second, b, _ = respond(drive[:, :, 11:], memory, custom=LAWS[law], record=True)
    torch.testing.assert_close(torch.cat([first, second], dim=2), whole, rtol=0, atol=0)
    torch.testing.assert_close(torch.cat([a, b], dim=2), adaptation, rtol=0, atol=0)


def test_gradients() -> None:
    drive = noise(1, 1, 4, 3, 4).requires_grad_(True)
    values = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (5.0, 100.0, 0.01, 1.5, 150.0)]
    custom = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (1.5, 0.1, -0.5, 0.3, 0.8)]

    def function(drive: Tensor, *numbers: Tensor) -> Tensor:
        leak, feedback, tau, sigma, amplification, p, threshold, reversal, weight, keep = numbers
        plain = {"leak": leak, "feedback": feedback, "tau": tau, "sigma_px": sigma, "amplification": amplification}
        law = CustomLaw(p, threshold, reversal, True, weight, keep)
        return respond(drive, **plain)[0] + respond(drive, **plain, custom=law)[0]

    assert torch.autograd.gradcheck(function, (drive, *values, *custom), fast_mode=True)


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0, 4.0])
def test_the_blur_is_the_kernel_it_claims(scale: float) -> None:
    """k (1 + alpha |n|) exp(-alpha |n|), the edge repeated for ever."""
    along = recursion(torch.tensor(scale, dtype=torch.float64))
    assert along is not None
    matrix = along[0].matrix(41)[0]
    alpha = 1.695 / scale
    q = torch.exp(torch.tensor(-alpha, dtype=torch.float64))
    n = torch.arange(-400, 441, dtype=torch.float64)[None] - torch.arange(41)[:, None]
    wide = (1 - q) ** 2 / (1 + 2 * alpha * q - q**2) * (1 + alpha * n.abs()) * torch.exp(-alpha * n.abs())
    expected = wide[:, 400:441].clone()
    expected[:, 0] += wide[:, :400].sum(1)
    expected[:, -1] += wide[:, 441:].sum(1)
    torch.testing.assert_close(matrix, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(matrix.sum(1), torch.ones(41, dtype=torch.float64), rtol=1e-12, atol=0)


def test_a_blur_below_a_tenth_of_a_pixel_is_none() -> None:
    assert recursion(torch.tensor(0.09)) is None
    assert recursion(torch.tensor(0.11)) is not None


def test_what_does_not_fit_is_refused() -> None:
    drive = noise(1, 1, 5, 3, 4)
    with pytest.raises(ConvisError, match=r"adaptation should be \[1, 1, 3, 4\]"):
        respond(drive, Memory(drive[:, :, 0], drive[:, :, :, 0], drive[:, :, 0]))
    with pytest.raises(ConvisError, match="got \\[5, 3, 4\\]"):
        contrast_gain_control(drive[0, 0], rest(drive), step=STEP, leak=5.0, feedback=1.0, tau=0.1, sigma_px=1.0)
    for name in ("step", "leak", "tau"):
        with pytest.raises(ConvisError, match=f"{name} must be above 0"):
            respond(drive, **{name: 0.0})
    with pytest.raises(ConvisError, match="for each of"):
        respond(drive, sigma_px=torch.ones(4, 3))
