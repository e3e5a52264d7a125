"""The recursion against the matrices of the same blur, and against what is known of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from convis_core.errors import ShapeError
from convis_core.ops import recursive_blur as blurring
from convis_core.ops.deriche_recursion import recursion
from convis_core.ops.recursive_blur import recursive_blur


def frames(*size: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(2, 1, 5, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("scale", [0.05, 0.5, 3.0, "map", "literal map"])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (30, 21), (300, 310)], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-12)], ids=str)
def test_recursion_and_matrices_agree(
    scale: Any, size: tuple[int, int], dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blurring, "_SMALL", 0)  # small frames, too, by the recursion
    if size == (300, 310) and not isinstance(scale, float):
        size = (40, 50)
    x = frames(*size, dtype=dtype)
    literal = scale == "literal map"
    sigma = scale if isinstance(scale, float) else 0.5 + torch.rand(size, dtype=dtype)
    quick = recursive_blur(x, sigma, virtual_retina_logpolar=literal)
    plain = recursive_blur(x, sigma, virtual_retina_logpolar=literal, compiled=False)
    torch.testing.assert_close(quick, plain, rtol=0, atol=tolerance * float(x.abs().max()))


@pytest.mark.parametrize("compiled", [True, False])
def test_bright_uniform_frames_lose_no_digit(compiled: bool) -> None:
    """A small frame of 1000 stays 1000 in single precision, and a spot of 0.001 on it keeps its sum."""
    x = torch.full((1, 1, 1, 50, 40), 1000.0)
    assert bool((recursive_blur(x, 1.3, compiled=compiled) == 1000.0).all())
    x[..., 25, 20] += 0.25
    spot = recursive_blur(x, 1.3, compiled=compiled) - 1000.0
    assert float(spot.double().sum()) == pytest.approx(0.25, abs=2e-3)


def test_a_map_of_one_scale_is_that_scale() -> None:
    x = frames(12, 13)
    everywhere = recursive_blur(x, 1.7)
    torch.testing.assert_close(recursive_blur(x, torch.full((12, 13), 1.7, dtype=torch.float64)), everywhere)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("size", [(9, 8), (1, 8), (9, 1), (1, 1)], ids=str)
def test_uniform_images_stay_uniform(size: tuple[int, int], compiled: bool) -> None:
    """Where the scale is the same everywhere and where it is not, unless the latter is to be as in Virtual Retina."""
    x = torch.full((1, 1, 2, *size), 3.0, dtype=torch.float64)
    scales = 0.5 + 2 * torch.rand(size, dtype=torch.float64)
    for scale in (2.0, scales):
        torch.testing.assert_close(recursive_blur(x, scale, compiled=compiled), x)
    literal = recursive_blur(x, scales, virtual_retina_logpolar=True, compiled=compiled)
    assert size == (1, 1) or float((literal - 3.0).abs().max()) > 0.1


@pytest.mark.parametrize("each", [False, True])
def test_gradients(each: bool) -> None:
    x = frames(3, 4).requires_grad_(True)
    sigma = torch.full((3, 4) if each else (), 0.8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(recursive_blur, (x, sigma), fast_mode=True)


def test_there_must_be_a_scale_for_every_pixel() -> None:
    with pytest.raises(ShapeError, match=r"\[3, 4\] pixels, got \[4, 3\]"):
        recursive_blur(frames(3, 4), torch.ones(4, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("fitted", [False, True])
def test_no_weight_of_a_matrix_is_too_small_to_have_all_its_digits(dtype: torch.dtype, fitted: bool) -> None:
    scale = torch.tensor(0.5, dtype=dtype, requires_grad=fitted)  # e^-339 a hundred pixels away
    along = recursion(scale)
    assert along is not None
    weights = along[0].matrix(100).detach()
    assert weights.dtype == dtype
    assert float(weights[weights > 0].min()) > torch.finfo(dtype).eps ** 2
    assert 0 < float((weights == 0).float().mean()) < 1
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(1, 100, dtype=dtype))
