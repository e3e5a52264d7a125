"""Kernels of the original: of the same form as ours, but cut off and not of the sum that is meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core.filters import Conv1d, GaussianFilter
from convis_core.ops.kernels import cascade
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.recursive_time import exponential_filter
from tests.reference.convis_parts import Array, here, load

RATES = (1000, 200)
KERNELS = range(14)


def low_pass(tau: float, length: int, data: dict[str, Array]) -> Array:
    """Ours, of unit sum, as long as needed."""
    conv = Conv1d(kernel_dim=(1,), bias=False, resolution=here(data)).double()
    conv.exponential(tau)
    kernel = conv.kernel()[0, 0, :, 0, 0].detach().numpy()
    return np.pad(kernel, (0, max(length - len(kernel), 0)))[:length]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("row", KERNELS)
def test_exponential_kernels(shared: Path, rate: int, row: int) -> None:
    """One pole: ours times a number, so that they sum to 0.5 to 1.06; several: densities of a gamma distribution."""
    data = load(shared, f"nf_exponential_{rate}sps")
    kernel, n = data[f"kernel_{row:02}"], int(data["n"][row])
    steps, gain = float(data["tau"][row]) * rate, float(data["amplification"][row])
    assert data["sums"][row] == pytest.approx(kernel.sum())
    if len(kernel) < 3:
        assert kernel.tolist() == [1.0], "what is shorter than a few steps is left out"
    elif n == 0:
        got = low_pass(float(data["tau"][row]), len(kernel), data)
        shown = got > 1e-3 * got[0]  # ours ends where theirs need not
        scale = gain * np.exp(-0.4 / steps) / (steps if data["normalize"][row] else 1.0)
        np.testing.assert_allclose(got[shown] / got[0], kernel[shown] / kernel[0], rtol=1e-5)
        np.testing.assert_allclose(kernel[0], scale, rtol=1e-9)
    else:
        fine = 256  # ours are of steps as they are: in very fine ones, a step later, it is theirs
        ours = cascade(torch.tensor(steps / n * fine, dtype=torch.float64), (len(kernel) + 1) * fine, n + 1)
        got = gain * fine * ours[fine::fine].numpy()
        np.testing.assert_allclose(got[: len(kernel)], kernel[: len(got)], rtol=0, atol=0.05 * kernel.max())
        if n == 1:
            np.testing.assert_allclose(
                cascade(torch.tensor(steps, dtype=torch.float64), len(kernel), 2).numpy(),
                kernel / kernel.sum(),
                rtol=0,
                atol=1e-9,
            )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("row", range(5))
def test_high_pass_kernels(shared: Path, rate: int, row: int) -> None:
    """An impulse less an exponential, of the same form; ours of sum 1 - w, theirs off by up to 0.1."""
    data = load(shared, f"nf_highpass_{rate}sps")
    kernel, tau, weight = data[f"kernel_{row:02}"], float(data["tau"][row]), float(data["relative_weight"][row])
    conv = Conv1d(kernel_dim=(1,), bias=False, resolution=here(data)).double()
    conv.highpass_exponential(tau, weight)
    ours = conv.kernel()[0, 0, :, 0, 0].detach().numpy()
    assert ours.sum() == pytest.approx(1 - weight, abs=1e-6)
    assert data["sums"][row] == pytest.approx(kernel.sum())
    n = min(len(kernel), len(ours)) - 1
    np.testing.assert_allclose(kernel[1 : n + 1] / kernel[1], ours[1 : n + 1] / ours[1], rtol=1e-5)
    assert kernel[0] == 1.0 and kernel[1] == pytest.approx(-weight / (tau * rate) * np.exp(-0.4 / (tau * rate)))
    assert data["kernel_resolution_none"].tolist() == [1.0]


@pytest.mark.parametrize("row", range(10))
def test_gaussian_kernels_at_20_pixels_per_degree(shared: Path, row: int) -> None:
    """Ours but for their sum, which is 0.99 to 1.18; even ones are centred between pixels; x and y are turned."""
    data = load(shared, "nf_gauss_20ppd")
    kernel = data[f"kernel_{row:02}"]
    sigma_x, sigma_y = float(data["y_sig"][row]), float(data["x_sig"][row])
    assert data["sums"][row] == pytest.approx(kernel.sum())
    if kernel.size == 1:
        assert kernel.item() == 1.0
        return
    layer = GaussianFilter(sigma_x=sigma_x, sigma_y=sigma_y, resolution=here(data)).double()
    ours = layer.kernel()[0, 0, 0].detach().numpy()
    if data["even"][row]:  # between pixels: of our two middle ones the ratio is that of the next
        along = np.arange(kernel.shape[0]) - (kernel.shape[0] - 1) / 2
        wanted = np.exp(-0.5 * (along / (20 * sigma_x)) ** 2)
        np.testing.assert_allclose(kernel / kernel.max(), np.outer(wanted, wanted) / wanted.max() ** 2, rtol=1e-9)
        return
    r = [min(n, m) // 2 for n, m in zip(ours.shape, kernel.shape, strict=True)]

    def middle(k: Array) -> Array:
        a, b = k.shape[0] // 2, k.shape[1] // 2
        return k[a - r[0] : a + r[0] + 1, b - r[1] : b + r[1] + 1] / k[a, b]

    peak = 1.0 if kernel.max() < 1 else kernel.max()  # theirs is clipped at 1
    np.testing.assert_allclose(middle(ours), middle(kernel) * peak, rtol=0, atol=1e-5)


@pytest.mark.parametrize("ppd", [10, 20])
def test_gaussian_kernels_with_more_axes_are_the_same(shared: Path, ppd: int) -> None:
    """And asked for unit sum they are what they are without."""
    data = load(shared, f"nf_gauss_{ppd}ppd")
    for name in ("kernel_3d", "kernel_5d"):
        np.testing.assert_array_equal(data[name].squeeze(), data["kernel_03"])
    np.testing.assert_array_equal(data["kernel_normalize_true"], data["kernel_01"])


def test_recursive_coefficients(shared: Path) -> None:
    """Deriche's smoothing of an impulse by the stored numbers is ours; and so is the exponential."""
    data = load(shared, "nf_recursive_coefficients")
    spot = np.zeros(81)
    spot[40] = 1.0
    for density, *coefficients in zip(*(data[k] for k in ("density", "A1", "A2", "A3", "A4", "B1", "B2")), strict=True):
        a1, a2, a3, a4, b1, b2 = coefficients
        there, back = np.zeros(83), np.zeros(83)
        for i in range(40, 81):  # with what lies before the impulse, and after it from the other end
            there[i] = a1 * spot[i] + a2 * spot[i - 1] + b1 * there[i - 1] + b2 * there[i - 2]
        for i in range(40, -1, -1):
            back[i] = a3 * spot[i + 1] + a4 * spot[i + 2] + b1 * back[i + 1] + b2 * back[i + 2]
        line = torch.as_tensor(spot)[None, None, None, None]
        ours = recursive_blur(line.expand(1, 1, 1, 3, 81), 1 / float(density))[0, 0, 0, 1].numpy()
        reach = 1.0 + 1.695 * density * 40  # what the border adds
        np.testing.assert_allclose(ours, (there + back)[:81], rtol=0, atol=1e-6 + reach * np.exp(-1.695 * density * 40))
    impulse = torch.zeros(1, 1, 50, 1, 1, dtype=torch.float64)
    impulse[:, :, 0] = 1.0
    tau, step = float(data["ab_tau"]), float(data["ab_step"])
    ours = exponential_filter(impulse, torch.tensor(tau, dtype=torch.float64), step, impulse[:, :, 1])[0].flatten()
    keep = -data["ab_a"][1]
    np.testing.assert_allclose(ours, data["ab_b"][0] * keep ** np.arange(50), rtol=1e-9)
