"""What contrast gain control is known for: responses that grow less than the contrast, and come sooner.

Shapley R. M., Victor J. D. (1978), The effect of contrast on the transfer properties of cat
retinal ganglion cells, J. Physiol. 285, 275-298, doi:10.1113/jphysiol.1978.sp012571.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convis_core import Resolution
from convis_core.retina import Bipolar, Retina

RATE, SECONDS = 500.0, 2.0
TIME = np.arange(int(RATE * SECONDS)) / RATE


def transfer(frequency: float, contrast: float, strength: float) -> complex:
    """Gain and phase of bipolar cells for a sine that fills the field, from the second second."""
    cells = Bipolar(lambda_amp=strength, g_leak=5.0, input_amp=150.0, tau=0.01, resolution=Resolution(10.0, RATE))
    drive = contrast * np.sin(2 * np.pi * frequency * TIME)[:, None, None]
    v = cells.double().run(drive).array().ravel()
    half = len(v) // 2
    carrier = np.exp(-2j * np.pi * frequency * TIME[half:])
    found: complex = (v[half:] * carrier).mean() / (drive.ravel()[half:] * carrier).mean()
    return found


@pytest.mark.parametrize("frequency", [1.0, 4.0, 8.0])
def test_the_gain_falls_with_contrast_and_the_response_advances(frequency: float) -> None:
    weak, strong = transfer(frequency, 0.05, 500.0), transfer(frequency, 1.0, 500.0)
    assert abs(strong) < 0.6 * abs(weak)
    assert np.angle(strong) > np.angle(weak) + 0.1


def test_without_gain_control_neither_depends_on_contrast() -> None:
    assert transfer(4.0, 0.05, 0.0) == pytest.approx(transfer(4.0, 1.0, 0.0), rel=1e-9)


def test_slow_changes_lose_more_gain_than_fast_ones() -> None:
    """So that strong contrast is answered as by a faster cell."""

    def loss(frequency: float) -> float:
        return abs(transfer(frequency, 1.0, 500.0)) / abs(transfer(frequency, 0.02, 500.0))

    assert loss(1.0) < loss(4.0) < loss(16.0)


def test_the_steady_response_grows_as_the_cube_root() -> None:
    """Where the feedback is all of the leak: A x = lambda V^3."""
    ends = []
    for x in (100.0, 800.0):
        cells = Bipolar(lambda_amp=1000.0, g_leak=1.0, resolution=Resolution(10.0, RATE)).double()
        ends.append(float(cells.run(np.full((500, 1, 1), x)).array().ravel()[-1]))
    assert ends[1] / ends[0] == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("side", ["ON", "OFF"])
def test_in_the_whole_retina(side: str) -> None:
    """Eight times the contrast, far less than eight times the modulation of the current."""

    def modulation(strength: float, contrast: float) -> float:
        retina = Retina(spikes=False, resolution=Resolution(10.0, RATE))
        retina.p.bipolar.lambda_amp.set(strength)
        x, y = np.mgrid[:12, :12]
        flicker = np.sin(2 * np.pi * 4 * TIME)[:, None, None] * np.sin(2 * np.pi * (x + y) / 8)
        o: Any = retina.run(0.5 + contrast * flicker)
        return float(o.array(f"ganglion_current_{side}")[0, 0, 500:].max()) - 37.0

    free = modulation(0.0, 0.4) / modulation(0.0, 0.05)
    controlled = modulation(2000.0, 0.4) / modulation(2000.0, 0.05)
    assert free == pytest.approx(8.0, rel=0.05)
    assert controlled < 0.7 * free
