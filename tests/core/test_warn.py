"""Warnings point at the first line outside the package, however deep they arise."""

from __future__ import annotations

import warnings

import pytest

import convis_core as convis
from convis_core.warn import warn


def inside(depth: int) -> None:
    """Warn from `depth` frames that pass for the package's own."""
    scope = {"warn": warn, "__name__": "convis_core.somewhere"}
    exec("def call(n):\n    warn('hello') if n == 0 else call(n - 1)", scope)
    scope["call"](depth)  # type: ignore[operator]


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_it_points_at_the_caller(depth: int) -> None:
    with pytest.warns(UserWarning, match="hello") as warned:
        inside(depth)
    assert warned[0].filename == __file__
    assert warned[0].lineno == inside.__code__.co_firstlineno + 4


def test_called_from_outside_it_points_at_that_line() -> None:
    with pytest.warns(DeprecationWarning) as warned:
        warn("mine", DeprecationWarning)
    assert warned[0].filename == __file__


def test_once_per_call_site_by_default() -> None:
    model = convis.models.LN(kernel_dim=(2, 4, 4), population=False)
    movie, target = [[[0.0] * 4] * 4] * 12, [[[1.0] * 3] * 3] * 12
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            model.compute_loss(movie, target, dt=4)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "population=True" in str(caught[0].message)
