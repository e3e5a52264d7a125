"""The recursive outer plexiform layer: stored runs where they can be trusted, else an analytic answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.retina import RecursiveOPLFilter

Array = np.ndarray[Any, Any]


def stored(shared: Path, name: str) -> Any:
    return np.load(shared / "reference" / "convis" / f"{name}.npz")


@pytest.mark.parametrize("sigma", ["0.05", "0.1", "0.15", "0.3"])
def test_the_blur_of_the_stored_filter_far_from_the_border(shared: Path, sigma: str) -> None:
    data = stored(shared, "spatial_recursive")
    spot = torch.as_tensor(data["input_impulse"])[None, None]
    blurred = recursive_blur(spot, float(sigma) * float(data["pixel_per_degree"]))[0, 0, 0].numpy()
    wanted = data[f"output_sig{sigma}_impulse"][0, 0, 0]
    tail = 2e-3 if sigma == "0.3" else 1e-5  # the widest kernel reaches the stored, dark border
    np.testing.assert_allclose(blurred, wanted, rtol=0, atol=tail * wanted.max())


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.15, 0.3])
def test_a_bright_row_does_not_leak_to_the_other_end(shared: Path, sigma: float) -> None:
    """In the stored filter the last row got a fifth of the first."""
    data = stored(shared, "spatial_recursive")
    rows = recursive_blur(torch.as_tensor(data["input_row0"])[None, None], sigma * 10)[0, 0, 0, :, 5]
    ones = recursive_blur(torch.as_tensor(data["input_ones"])[None, None], sigma * 10)
    assert float(rows[-1]) < 0.01 and bool((rows.diff() < 1e-6).all())
    torch.testing.assert_close(ones, torch.ones_like(ones), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("clip", ["impulse", "checker", "fullstep"])
def test_stored_runs_in_the_interior(shared: Path, clip: str) -> None:
    """To two per cent: the gain of the stored filters is up to 1.005, and their dark border reaches far in."""
    data = stored(shared, "opl_RecursiveOPLFilter_1000sps")
    opl = RecursiveOPLFilter()
    opl.settle(0.0)
    inside = (..., slice(5, -5), slice(5, -5))
    got, wanted = opl.run(data[f"input_{clip}"], dt=60).array()[inside], data[f"output_{clip}_whole"][inside]
    assert np.abs(got - wanted).max() < 0.02 * np.abs(wanted).max()


def impulse_response(opl: RecursiveOPLFilter, frames: int) -> Array:
    x = np.zeros((frames, 1, 1))
    x[0] = 1.0
    opl.settle(0.0)
    return opl.run(x).array().ravel()


@pytest.mark.parametrize("rate", [200.0, 1000.0, 4000.0])
def test_the_response_in_time_is_the_closed_form(rate: float) -> None:
    """Centre, undershoot and surround of a uniform flash, as sums of exponentials of whole steps."""
    n = int(0.1 * rate)
    opl = RecursiveOPLFilter(relative_weight=0.7, resolution=Resolution(10.0, rate)).double()

    def exponential(tau: float) -> Array:
        keep = np.exp(-1 / (rate * tau))
        return (1 - keep) * keep ** np.arange(n)

    centre = exponential(0.01)
    receptor = centre - 0.8 * np.convolve(centre, exponential(0.1))[:n]
    wanted = receptor - 0.7 * np.convolve(receptor, exponential(0.004))[:n]
    np.testing.assert_allclose(impulse_response(opl, n), wanted, rtol=0, atol=1e-6 * wanted.max())


def test_halving_the_step_halves_the_error() -> None:
    """A step of light is held exactly; what is left is that an input acts within its own step."""
    ends = {}
    for rate in (500, 1000, 2000, 64000):
        opl = RecursiveOPLFilter(relative_weight=0.5, resolution=Resolution(10.0, rate)).double()
        opl.settle(0.0)
        ends[rate] = float(opl.run(np.ones((round(0.02 * rate), 1, 1))).array().ravel()[-1])
    errors = [abs(ends[rate] - ends[64000]) for rate in (500, 1000, 2000)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("leaky", [False, True])
@pytest.mark.parametrize("dt", [1, 7, 60])
def test_chunks_of_any_length(leaky: bool, dt: int) -> None:
    """The stored layers lost their history at every chunk that was shorter than their kernels."""
    opl = RecursiveOPLFilter(n_center=2, leaky_heat_equation=leaky, stage_delay=1).double()
    x = np.random.default_rng(1).random((60, 6, 7))
    whole = opl.run(x).array()
    opl.clear_state()
    np.testing.assert_allclose(opl.run(x, dt).array(), whole, rtol=1e-12, atol=1e-12)


def test_every_parameter_is_heard_at_once() -> None:
    """In the stored layers some parameters did not reach the kernels once these were made."""
    opl = RecursiveOPLFilter(relative_weight=0.5, n_center=1)
    x = np.random.default_rng(2).random((30, 9, 9))

    def answer() -> Array:
        opl.clear_state()
        return opl.run(x).array()

    for handle in opl.p:
        before, kept = answer(), handle.value
        handle.set(kept * 1.3)
        assert np.abs(answer() - before).max() > 1e-4, handle.name
        handle.set(kept)
        np.testing.assert_array_equal(answer(), before)


def test_cascades_of_another_length_differ() -> None:
    """The stored layer had the number of filters as a parameter and did not use it."""
    responses = [impulse_response(RecursiveOPLFilter(n_center=n, relative_weight=0.0), 60) for n in (0, 1, 3)]
    peaks = [int(r.argmax()) for r in responses]
    assert peaks[0] == 0 < peaks[1] < 12 and peaks[2] > 0


def test_the_resolution_is_that_of_its_making() -> None:
    import convis_core as convis

    with convis.use_resolution(Resolution(20.0, 200.0)):
        opl = RecursiveOPLFilter()
    x = np.random.default_rng(3).random((20, 8, 8))
    again = RecursiveOPLFilter(resolution=Resolution(20.0, 200.0))
    np.testing.assert_array_equal(opl.run(x).array(), again.run(x).array())
    assert np.abs(RecursiveOPLFilter().run(x).array() - again.run(x).array()).max() > 1e-3


@pytest.mark.parametrize("luminance", [0.0, 0.5, 2.0])
def test_adapted_to_a_luminance_means_silent_at_it(luminance: float) -> None:
    opl = RecursiveOPLFilter(relative_weight=0.3, lambda_opl=10.0).double()
    opl.settle(luminance)
    answer = opl.run(np.full((40, 4, 5), luminance)).array()
    np.testing.assert_allclose(answer, 10 * 0.2 * 0.7 * luminance, rtol=1e-6, atol=1e-9)
    opl.settle(None)
    opl.run(np.zeros((1, 4, 5)))
    assert opl.adapted_to is None
