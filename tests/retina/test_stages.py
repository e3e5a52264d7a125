"""The outer plexiform layer and the log-polar scheme by what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import ParameterError
from convis_core.retina import LogPolarScheme, RecursiveOPLFilter


@pytest.mark.parametrize("rate", [200.0, 1000.0])
@pytest.mark.parametrize("leaky", [False, True])
def test_constant_light_is_answered_by_the_product_of_the_gains(rate: float, leaky: bool) -> None:
    """Exactly, at any rate: the stored layer was off by 1e-3 at 1 kHz and by 0.03 at 200 Hz."""
    resolution = Resolution(20.0, rate)
    values = {"relative_weight": 0.6, "undershoot_relative_weight_center": 0.7, "lambda_opl": 10.0}
    opl = RecursiveOPLFilter(leaky_heat_equation=leaky, resolution=resolution, **values).double()
    answer = opl.run(np.ones((20, 7, 9))).array()
    np.testing.assert_allclose(answer, 10 * 0.3 * 0.4, rtol=1e-6)
    opl.settle(0.0)
    late = opl.run(np.ones((int(2 * rate), 3, 3))).array()[0, 0, -1]
    np.testing.assert_allclose(late, 10 * 0.3 * 0.4, rtol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_cascade_has_the_delay_of_its_exponentials(n: int) -> None:
    """n + 1 exponentials of tau / n each; the mean of one is e / (1 - e) steps."""
    opl = RecursiveOPLFilter(n_center=n, undershoot=False, sigma_center=0.0, tau_center=0.02, relative_weight=0.0)
    opl = opl.double()
    opl.settle(0.0)
    x = np.zeros((500, 1, 1))
    x[0] = 1.0
    response = opl.run(x).array().ravel()
    keep = np.exp(-0.001 * max(n, 1) / 0.02)
    assert response.sum() == pytest.approx(1.0)
    assert (response * np.arange(500)).sum() == pytest.approx((n + 1) * keep / (1 - keep), rel=1e-5)


def test_without_surround_and_undershoot_the_layer_is_its_centre() -> None:
    x = np.random.default_rng(1).normal(size=(30, 5, 6))
    receptor, _, y = (
        RecursiveOPLFilter(undershoot=False, relative_weight=0.0).double().stages(torch.as_tensor(x)[None, None])
    )
    assert bool((receptor == y).all())


def test_undershoot_of_weight_one_answers_changes_only() -> None:
    opl = RecursiveOPLFilter(undershoot_relative_weight_center=1.0, relative_weight=0.0).double()
    x = np.ones((3000, 1, 1))
    x[:5] = 0.0
    response = opl.run(x).array().ravel()
    assert response.max() > 0.5 and abs(response[-1]) < 1e-9


@pytest.mark.parametrize("factor", [0.0, 1.0])
def test_scales_grow_outside_the_fovea(factor: float) -> None:
    scheme, resolution = LogPolarScheme(0.5, factor), Resolution(10.0, 1000.0)
    x = np.zeros((1, 61, 61))
    x[0, 30, 30] = x[0, 30, 55] = 1.0
    opl = RecursiveOPLFilter(
        log_polar=scheme, undershoot=False, relative_weight=0.0, sigma_center=0.1, resolution=resolution
    )
    y = opl.run(x).array()[0, 0, 0]
    density = scheme.density((61, 61), resolution)
    assert float(density[30, 30]) == 1.0
    assert float(density[30, 55]) == pytest.approx(1 / (1 + factor * 2.0))
    assert (y[30, 55] < 0.3 * y[30, 30]) == (factor > 0)


def test_options_are_checked() -> None:
    with pytest.raises(ParameterError, match="n_center"):
        RecursiveOPLFilter(n_center=-1)
    with pytest.raises(ParameterError, match="luminosity_range"):
        RecursiveOPLFilter(luminosity_range=0)
    with pytest.raises(ParameterError, match="fovea_radius"):
        LogPolarScheme(-1.0, 1.0)


@pytest.mark.parametrize("leaky", [False, True])
def test_uniform_light_stays_uniform_in_a_log_polar_retina(leaky: bool) -> None:
    """But where it is to be as dark at the border as in Virtual Retina."""
    values = {"relative_weight": 0.5, "undershoot_relative_weight_center": 0.5, "sigma_center": 0.2}
    spreads = []
    for literal in (False, True):
        scheme = LogPolarScheme(0.5, 1.0, literal)
        opl = RecursiveOPLFilter(log_polar=scheme, leaky_heat_equation=leaky, **values).double()
        answer = opl.run(np.ones((10, 31, 33))).array()[0, 0, -1]
        spreads.append(np.ptp(answer))
        if not literal:
            np.testing.assert_allclose(answer, 0.25, rtol=1e-6)
    assert spreads[1] > 1e-3
