"""Fits of profiles to images made of them: whatever their place, width and angle, they come back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convis_core import Resolution
from convis_core.analysis import fit_centre_surround, fit_gaussian, spatial_profile
from convis_core.errors import FitError, ShapeError
from convis_core.models import CentreSurround

SIZE = (19, 23)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)


def blob(x: float, y: float, sigma: tuple[float, float], angle: float = 0.0) -> Any:
    dx, dy = ROWS - x, COLUMNS - y
    along, across = dy * math.cos(angle) - dx * math.sin(angle), dy * math.sin(angle) + dx * math.cos(angle)
    return np.exp(-0.5 * ((along / sigma[0]) ** 2 + (across / sigma[1]) ** 2))


def round_blob(x: float, y: float, sigma: float) -> Any:
    return blob(x, y, (sigma, sigma)) / (2 * math.pi * sigma**2)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    x=st.floats(6, 12),
    y=st.floats(7, 15),
    narrow=st.floats(1.0, 1.8),
    ratio=st.floats(1.3, 2.2),
    angle=st.floats(0.0, 3.1),
    height=st.sampled_from([-3.0, 0.01, 50.0]),
)
def test_a_gaussian_comes_back(x: float, y: float, narrow: float, ratio: float, angle: float, height: float) -> None:
    found = fit_gaussian(height * blob(x, y, (narrow * ratio, narrow), angle) + 0.3 * height)
    assert (found.x, found.y) == pytest.approx((x, y), abs=1e-3)
    assert found.sigma == pytest.approx((narrow * ratio / 10, narrow / 10), rel=1e-3)  # 10 pixels a degree
    assert abs(math.sin(found.angle - angle)) < 5e-3
    assert found.amplitude == pytest.approx(height, rel=1e-3) and found.offset == pytest.approx(0.3 * height, rel=1e-2)
    assert found.explained > 1 - 1e-6


@settings(deadline=None, max_examples=8, derandomize=True)
@given(
    x=st.floats(7, 11),
    y=st.floats(9, 13),
    center=st.floats(1.0, 1.6),
    ratio=st.floats(2.0, 3.0),
    weight=st.floats(0.4, 1.0),
)
def test_a_centre_and_its_surround_come_back(x: float, y: float, center: float, ratio: float, weight: float) -> None:
    image = 5.0 * (round_blob(x, y, center) - weight * round_blob(x, y, ratio * center))
    found = fit_centre_surround(image, resolution=Resolution(pixel_per_degree=20.0))
    assert (found.x, found.y) == pytest.approx((x, y), abs=1e-3)
    assert (found.sigma_center, found.sigma_surround) == pytest.approx((center / 20, ratio * center / 20), rel=5e-3)
    assert (found.weight_center, found.weight_surround) == pytest.approx((5.0, 5.0 * weight), rel=2e-2)
    assert found.explained > 1 - 1e-5


def test_noise_moves_a_fit_a_little() -> None:
    clean = blob(8.0, 12.0, (2.5, 1.5), 0.7)
    noisy = clean + 0.05 * np.random.default_rng(1).normal(size=SIZE)
    found = fit_gaussian(noisy)
    assert (found.x, found.y) == pytest.approx((8.0, 12.0), abs=0.15)
    assert found.sigma == pytest.approx((0.25, 0.15), rel=0.1) and 0.8 < found.explained < 0.99


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fit", [fit_gaussian, fit_centre_surround])
def test_a_field_of_one_pixel_stays_at_its_pixel(fit: Any, seed: int) -> None:
    """A narrow Gaussian beside it, and far higher, would pass through the same pixels."""
    image = 0.05 * np.random.default_rng(seed).normal(size=(12, 12))
    image[5, 7] += 1.0
    found = fit(image)
    assert (found.x, found.y) == pytest.approx((5.0, 7.0), abs=0.45)
    if fit is fit_gaussian:
        assert 0.7 < found.amplitude < 1.5 and found.sigma[1] >= 0.03


def test_a_separable_filter_falls_apart_into_its_space_and_time() -> None:
    space, time = -blob(9.0, 11.0, (2.0, 1.5)), np.sin(np.arange(12) / 2.0)
    found_space, found_time = spatial_profile((time[:, None, None] * space)[None, None])
    np.testing.assert_allclose(found_space, -space / np.abs(space).max(), atol=1e-9)
    np.testing.assert_allclose(found_time[:, None, None] * found_space, time[:, None, None] * space, atol=1e-9)


def test_the_kernel_of_a_model_tells_its_own_widths() -> None:
    model = CentreSurround(duration=0.05, extent=0.7)
    kernel = model.kernel().detach()[0, 0]
    found = fit_gaussian(kernel[6].clamp(min=0))  # early, when the surround is still to come
    middle = (kernel.shape[1] - 1) / 2
    assert (found.x, found.y) == pytest.approx((middle, middle), abs=1e-3)
    assert found.sigma[0] == pytest.approx(found.sigma[1], rel=1e-3)


@pytest.mark.parametrize("fit", [fit_gaussian, fit_centre_surround])
def test_what_has_no_profile_is_refused(fit: Any) -> None:
    for image in (np.zeros((5, 5)), np.ones((2, 2)), np.full((5, 5), np.nan)):
        with pytest.raises(FitError, match="9 pixels"):
            fit(image)
    with pytest.raises(ShapeError, match="image"):
        fit(np.ones(9))
    with pytest.raises(ShapeError, match=r"\[lag, x, y\]"):
        spatial_profile(np.ones((2, 3, 4, 5)))
