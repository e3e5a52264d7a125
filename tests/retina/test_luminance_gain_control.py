"""Receptors that adapt: where they settle, and over how many decades of light."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.retina import LuminanceGainControlOPLFilter


@pytest.mark.parametrize("luminance", [0.0, 1.0, 210.0, 1e5])
@pytest.mark.parametrize("reversal", [0.0, -0.2])
def test_it_settles_where_its_currents_balance(luminance: float, reversal: float) -> None:
    """x + A V E = (g + A V) V."""
    values = {"relative_weight": 0.4, "reversal": reversal, "tau_horizontal": 0.02}
    opl = LuminanceGainControlOPLFilter(resolution=Resolution(10.0, 2000.0), **values).double()
    light = torch.full((1, 1, 4000, 3, 3), luminance, dtype=torch.float64)
    receptor, horizontal, y = (s[0, 0, -1, 1, 1].item() for s in opl.stages(light))
    assert horizontal == pytest.approx(receptor, rel=1e-3, abs=1e-9)
    assert luminance + 200 * receptor * reversal == pytest.approx((10 + 200 * receptor) * receptor, rel=1e-3, abs=1e-9)
    assert y == pytest.approx(receptor - 0.4 * horizontal, rel=1e-5, abs=1e-9)


def test_a_hundred_times_the_light_is_ten_times_the_response() -> None:
    ends = []
    for luminance in (1e3, 1e5):
        opl = LuminanceGainControlOPLFilter().double()
        ends.append(float(opl.run(np.full((2000, 2, 2), luminance)).array()[0, 0, -1, 0, 0]))
    assert ends[1] / ends[0] == pytest.approx(10, rel=0.05)


def test_a_fresh_start_is_in_the_dark() -> None:
    opl = LuminanceGainControlOPLFilter()
    first = opl.run(np.full((50, 4, 4), 100.0)).array()
    assert first[0, 0, 0].max() < 0.2
    opl.settle(100.0)
    np.testing.assert_array_equal(opl.run(np.full((50, 4, 4), 100.0)).array(), first)
