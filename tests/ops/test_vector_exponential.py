"""The exponential of compiled loops against that of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convis_core.ops.compiled import compile_loop
from convis_core.ops.vector_exponential import decay, decay_constants


@compile_loop
def fill(x: Any, y: Any, constants: Any) -> None:
    for i in range(x.size):
        y[i] = decay(x[i], constants)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 3e-15)])
def test_it_is_the_exponential(dtype: Any, tolerance: float) -> None:
    x = np.concatenate([[0.0], np.geomspace(1e-6, 20.0, 2000)]).astype(dtype)
    y = np.empty_like(x)
    fill(x, y, decay_constants(x.dtype))
    np.testing.assert_allclose(y, np.exp(-x), rtol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_too_small_for_a_number_is_as_good_as_none(dtype: Any) -> None:
    x = np.array([100.0, 1e4, 1e30], dtype)
    y = np.empty_like(x)
    fill(x, y, decay_constants(x.dtype))
    assert bool((y >= 0).all() and (y < 1e-35).all())
