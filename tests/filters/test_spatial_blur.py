"""Filters that blur: what a kernel of unit sum must do, and the stored runs far from their wrong borders."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core import Layer, Resolution
from convis_core.filters import GaussianFilter, SpatialRecursiveFilter
from convis_core.ops.deriche_recursion import recursion

BLURS = [SpatialRecursiveFilter, GaussianFilter]


def blur(cls: type[Layer], sigma: float, ppd: float = 10.0) -> Layer:
    layer = cls(resolution=Resolution(ppd, 1000.0)).double()
    layer.gaussian(sigma)  # type: ignore[operator]
    return layer


@pytest.mark.parametrize("sigma", ["0.05", "0.1", "0.15"])
def test_stored_blur_far_from_the_border(shared: Path, sigma: str) -> None:
    data = np.load(shared / "reference" / "convis" / "spatial_recursive.npz")
    wanted = data[f"output_sig{sigma}_impulse"][0, 0, 0]
    got = blur(SpatialRecursiveFilter, float(sigma)).run(data["input_impulse"]).array()[0, 0, 0]
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * wanted.max())
    inside, noise = (..., slice(8, -8), slice(8, -8)), data[f"output_sig{sigma}_random"]
    got = blur(SpatialRecursiveFilter, float(sigma)).run(data["input_random"]).array()[inside]
    far = 8 * 1.695 / (10 * float(sigma))
    border = (2 + far) / 2 * math.exp(-far)  # what of the kernel reaches the stored, dark border
    np.testing.assert_allclose(got, noise[inside], rtol=0, atol=(1e-5 + border) * np.abs(noise).max())


@pytest.mark.parametrize("cls", BLURS)
@pytest.mark.parametrize("sigma", [0.03, 0.3, 3.0])
def test_uniform_stays_uniform_and_borders_are_alike(cls: type[Layer], sigma: float) -> None:
    """The stored filter darkened corners to 0.43 and leaked the first row into the last."""
    layer = blur(cls, sigma)
    np.testing.assert_allclose(layer.run(np.ones((2, 9, 13))).array(), 1.0, rtol=1e-6)
    x = np.random.default_rng(1).random((3, 9, 13))
    y = layer.run(x).array()[0, 0]
    np.testing.assert_allclose(layer.run(x[:, ::-1, ::-1].copy()).array()[0, 0, :, ::-1, ::-1], y, atol=1e-6)
    np.testing.assert_allclose(layer.run(x.swapaxes(1, 2).copy()).array()[0, 0].swapaxes(1, 2), y, atol=1e-6)


def spread(layer: Layer, axis: int) -> float:
    """Standard deviation of the response to a spot, along an axis, in pixels."""
    x = np.zeros((1, 81, 81))
    x[0, 40, 40] = 1.0
    response = layer.run(x).array()[0, 0, 0].sum(axis=1 - axis)
    return math.sqrt(float((response * (np.arange(81) - 40.0) ** 2).sum()))


@pytest.mark.parametrize(("sigma_px", "wanted"), [(1, 1.172), (2, 2.359), (4, 4.720)])
def test_width_of_the_recursive_blur(sigma_px: float, wanted: float) -> None:
    layer = blur(SpatialRecursiveFilter, sigma_px / 10)
    for axis in (0, 1):
        assert spread(layer, axis) == pytest.approx(wanted, abs=1e-3)


def test_width_of_the_gaussian_along_either_axis() -> None:
    layer = GaussianFilter(sigma_x=0.1, sigma_y=0.3).double()
    assert spread(layer, 0) == pytest.approx(1.0, rel=2e-3)
    assert spread(layer, 1) == pytest.approx(3.0, rel=2e-3)


@pytest.mark.parametrize("row", [0, 1, 2, 3, 7, 8])
def test_stored_gaussian_kernels_but_for_their_sum(shared: Path, row: int) -> None:
    """The stored ones sum to as much as 1.03; their names of the axes are turned."""
    with np.load(shared / "reference" / "convis" / "nf_gauss_10ppd.npz") as file:
        data = dict(file)
    wanted = data[f"kernel_{row:02}"]
    assert wanted.size > 1 and not data["even"][row]  # the others are one pixel, or centred between pixels
    sigma_x, sigma_y = float(data["y_sig"][row]), float(data["x_sig"][row])
    here = GaussianFilter(sigma_x=sigma_x, sigma_y=sigma_y, resolution=Resolution(10.0, 1000.0)).double()
    kernel = here.kernel()[0, 0, 0].detach().numpy()
    r = [min(n, m) // 2 for n, m in zip(kernel.shape, wanted.shape, strict=True)]

    def middle(k: np.ndarray) -> np.ndarray:
        a, b = k.shape[0] // 2, k.shape[1] // 2
        part = k[a - r[0] : a + r[0] + 1, b - r[1] : b + r[1] + 1]
        return part / part.sum()

    np.testing.assert_allclose(middle(kernel), middle(wanted), atol=1e-5)


@pytest.mark.parametrize("sigma", [0.11, 0.7, 5.0, 60.0])
@pytest.mark.parametrize("n", [1, 2, 17])
def test_closed_form_of_the_matrix_is_the_recursion(sigma: float, n: int) -> None:
    """Of one scale everywhere, given as such and as one scale for each pixel."""
    one = recursion(torch.tensor(sigma, dtype=torch.float64))
    many = recursion(torch.full((n, 1), sigma, dtype=torch.float64))
    assert one is not None and many is not None and many[0].alpha is None
    torch.testing.assert_close(one[0].matrix(n), many[0].matrix(n), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(one[0].matrix(n).sum(-1), torch.ones(1, n, dtype=torch.float64))
