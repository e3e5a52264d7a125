"""Directions of a spike-triggered covariance: those that are there are found, and by chance few others."""

from __future__ import annotations

import numpy as np
import pytest

from convis_core.analysis import significant_directions
from convis_core.errors import ParameterError, ShapeError

LAGS = 4


def cell(seed: int, excite: float, suppress: float) -> tuple[np.ndarray, np.ndarray]:
    """White noise, and spikes that its frames 1 and 2 before, of either sign, excite and suppress."""
    rng = np.random.default_rng(seed)
    stimulus = rng.standard_normal((6000, 1, 2))
    first, second = np.roll(stimulus[:, 0, 0], 1), np.roll(stimulus[:, 0, 1], 2)
    rate = 0.3 * (1 + excite * first**2) / (1 + suppress * second**2)
    return stimulus, rng.poisson(rate)


def test_an_energy_cell_has_one_direction_of_either_kind() -> None:
    found = significant_directions(*cell(1, 1.0, 2.0), LAGS)
    assert found.excitatory.shape == found.suppressive.shape == (1, LAGS, 1, 2)
    assert abs(found.excitatory[0, 1, 0, 0]) > 0.98
    assert abs(found.suppressive[0, 2, 0, 1]) > 0.98
    assert np.linalg.norm(found.excitatory[0]) == pytest.approx(1.0)
    assert np.all(np.diff(found.eigenvalues) <= 0)
    assert found.eigenvalues[0] > found.limits[1] > 1 > found.limits[0] > found.eigenvalues[-1]


def test_spikes_without_a_cause_have_directions_about_as_often_as_the_level_says() -> None:
    findings = 0
    for seed in range(30):
        found = significant_directions(*cell(seed, 0.0, 0.0), LAGS, level=0.1, repeats=40, seed=seed)
        findings += bool(len(found.excitatory) or len(found.suppressive))
    assert findings <= 8  # 3 are expected; more than 8 have a probability below 0.3 %


def test_what_cannot_be_tested_is_refused() -> None:
    stimulus, spikes = cell(1, 0.0, 0.0)
    with pytest.raises(ParameterError, match="repeats"):
        significant_directions(stimulus, spikes, LAGS, repeats=10)
    with pytest.raises(ParameterError, match="level"):
        significant_directions(stimulus, spikes, LAGS, level=1.5)
    with pytest.raises(ParameterError, match="too few"):
        significant_directions(stimulus[:12], np.ones(12), LAGS)
    with pytest.raises(ShapeError):
        significant_directions(stimulus, spikes[:-1], LAGS)
