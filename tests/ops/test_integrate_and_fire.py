"""Integrate and fire against its analytic solution, itself cut into chunks, and stored spike trains."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops import compiled_choice
from convis_core.ops.integrate_and_fire import leaky_integrate_and_fire
from convis_core.ops.noise import block_normal

STEP = 0.001


def rest(current: Tensor) -> Tensor:
    return current.new_zeros(*current.shape[:2], *current.shape[3:])


def fire(current: Tensor, **options: Any) -> tuple[Tensor, Tensor, Tensor]:
    start = rest(current)
    options = {"g": 50.0, "step": STEP, "refractory": 0.003, **options}
    return leaky_integrate_and_fire(current, options.pop("v", start), options.pop("dead_time", start), **options)


def constant(amplitude: float, n_steps: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.full((1, 1, n_steps, 1, 1), amplitude, dtype=dtype)


def random_current(seed: int, dtype: torch.dtype = torch.float64, n_steps: int = 300) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([120.0, 2500.0], dtype=dtype).reshape(1, 2, 1, 1, 1)  # up to several spikes a step
    return torch.rand(2, 2, n_steps, 4, 5, dtype=dtype, generator=generator) * scale


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("refractory", [0.0, 0.003, 0.0041])
@pytest.mark.parametrize(("current", "g"), [(60.0, 50.0), (100.0, 50.0), (5000.0, 50.0), (40.0, 0.0)])
def test_constant_current_fires_at_the_analytic_rate(
    current: float, g: float, refractory: float, compiled: bool
) -> None:
    n_steps = 400
    spikes, _, _ = fire(constant(current, n_steps), g=g, refractory=refractory, compiled=compiled)
    wait = math.log(current / (current - g)) / g if g else 1 / current
    first, period = wait, wait + refractory
    assert spikes.sum() == math.floor((n_steps * STEP - first) / period + 1 + 1e-9)


def test_every_spike_lies_in_the_step_it_is_due() -> None:
    current, g, refractory = 90.0, 50.0, 0.0035
    spikes, _, _ = fire(constant(current, 500), g=g, refractory=refractory)
    wait = -math.log1p(-g / current) / g
    due = wait + (wait + refractory) * np.arange(1000)
    expected = np.bincount(np.floor(due / STEP).astype(int), minlength=500)[:500]
    np.testing.assert_array_equal(spikes.flatten().numpy(), expected)


def test_the_step_does_not_change_the_rate() -> None:
    counts = []
    for step in (0.01, 0.001, 0.0001):
        spikes, _, _ = fire(constant(77.0, round(1 / step)), step=step)
        counts.append(float(spikes.sum()))
    assert counts[0] == counts[1] == counts[2] > 10


@pytest.mark.parametrize("compiled", [True, False])
def test_below_threshold_it_relaxes_exactly_and_never_fires(compiled: bool) -> None:
    current = constant(45.0, 40)
    spikes, v, dead_time = fire(current, v=rest(current) + 0.3, compiled=compiled)
    assert spikes.sum() == 0
    assert v.item() == pytest.approx(0.9 + (0.3 - 0.9) * math.exp(-50 * 0.04), abs=1e-13)
    assert dead_time.item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_current_equal_to_the_leak_approaches_the_threshold_without_firing(
    dtype: torch.dtype, compiled: bool
) -> None:
    spikes, v, _ = fire(constant(50.0, 500, dtype), compiled=compiled)
    assert spikes.sum() == 0
    assert v.item() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("method", ["exact", "euler"])
def test_the_refractory_time_spans_steps_and_holds_the_potential(method: Any) -> None:
    current = constant(0.0, 6)
    current[0, 0, 1] = 4000.0
    spikes, _, dead_time = fire(current, refractory=0.0205, method=method)
    late = 0.00025 if method == "exact" else 0.0  # it fires 0.25 ms into step 1, or at its start
    assert spikes.flatten().tolist() == [0, 1, 0, 0, 0, 0]
    assert dead_time.item() == pytest.approx(0.0205 + 0.001 + late - 0.006, abs=1e-5)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_potential_above_threshold_fires_at_once(compiled: bool) -> None:
    current = constant(0.0, 3)
    spikes, v, dead_time = fire(current, v=rest(current) + 1.5, refractory=0.0035, compiled=compiled)
    assert spikes.flatten().tolist() == [1, 0, 0]
    assert v.item() == 0
    assert dead_time.item() == pytest.approx(0.0005)


@pytest.mark.parametrize("method", ["exact", "euler"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("g", [0.0, 50.0])
def test_compiled_and_plain_loops_count_the_same_spikes(method: Any, dtype: torch.dtype, g: float) -> None:
    current = random_current(1, dtype)
    noise = block_normal(2, 0, 300, (2, 2, 4, 5), dtype=dtype)
    options = {
        "g": g,
        "refractory": torch.tensor([0.0033, 0.0002]),
        "noise": noise,
        "noise_scale": 20.0,
        "method": method,
    }
    compiled, plain = fire(current, **options), fire(current, compiled=False, **options)
    assert compiled[0].sum() > 1000 and compiled[0].dtype == dtype
    assert (compiled[0].max() > 1) == (method == "exact")
    torch.testing.assert_close(compiled[0], plain[0], rtol=0, atol=0)
    for fast, slow in zip(compiled[1:], plain[1:], strict=True):  # logarithms may differ in the last digit
        torch.testing.assert_close(fast, slow, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cells_in_every_state_beside_one_another_are_each_as_if_alone(dtype: torch.dtype) -> None:
    start = torch.tensor([0.0, 0.5, 0.999, 1.0, 1.5], dtype=dtype)[:, None].expand(5, 5)
    dead = torch.tensor([0.0, 0.4, 1.0, 1.7, 3.0], dtype=dtype).expand(5, 5) * STEP
    current = torch.full((1, 1, 8, 5, 5), 90.0, dtype=dtype)
    states = {"v": start[None, None], "dead_time": dead[None, None]}
    together, plain = fire(current, **states), fire(current, **states, compiled=False)
    torch.testing.assert_close(together, plain, rtol=1e-6, atol=1e-9)
    assert together[0].sum() > 5
    for i in range(5):
        for j in range(5):
            one = {name: state[..., i : i + 1, j : j + 1] for name, state in states.items()}
            alone = fire(current[..., i : i + 1, j : j + 1], **one)[0]
            torch.testing.assert_close(alone, together[0][..., i : i + 1, j : j + 1], rtol=0, atol=0)


@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(1, 59)), st.sampled_from(["exact", "euler"]), st.booleans(), st.integers(0, 99))
def test_cutting_time_changes_nothing(cuts: set[int], method: Any, compiled: bool, seed: int) -> None:
    current = random_current(seed, torch.float32, n_steps=60)
    whole = fire(current, method=method, compiled=compiled)
    v, dead_time, parts = rest(current), rest(current), []
    for chunk in torch.tensor_split(current, sorted(cuts), dim=2):
        spikes, v, dead_time = fire(chunk, v=v, dead_time=dead_time, method=method, compiled=compiled)
        parts.append(spikes)
    for cut, uncut in zip((torch.cat(parts, dim=2), v, dead_time), whole, strict=True):
        torch.testing.assert_close(cut, uncut, rtol=0, atol=0)


def test_channels_can_differ_in_leak_and_refractory_time() -> None:
    current = random_current(3)
    g, refractory = torch.tensor([[[20.0]], [[80.0]]]), torch.tensor([[[0.001]], [[0.006]]])
    together, _, _ = fire(current, g=g, refractory=refractory)
    for k in (0, 1):
        alone, _, _ = fire(current[:, k : k + 1], g=float(g[k]), refractory=refractory[k])
        torch.testing.assert_close(together[:, k : k + 1], alone, rtol=0, atol=1e-12)


def test_noise_gives_the_stated_standard_deviation() -> None:
    sigma, g, n_steps = 0.1, 50.0, 400
    current = torch.zeros(1, 1, n_steps, 40, 40, dtype=torch.float64)
    noise = block_normal(5, 0, n_steps, (1, 1, 40, 40), dtype=torch.float64)
    _, v, _ = fire(current, g=g, noise=noise, noise_scale=sigma * math.sqrt(2 * g / STEP))
    assert v.std().item() == pytest.approx(sigma, rel=0.08)


def test_inputs_are_left_as_they_were() -> None:
    current = random_current(4)
    v, dead_time = rest(current) + 0.5, rest(current) + 0.002
    fire(current, v=v, dead_time=dead_time)
    assert (v == 0.5).all() and (dead_time == 0.002).all()


def test_gradients_of_the_potential_after_spikes_are_right() -> None:
    current = constant(70.0, 30).requires_grad_()
    v = torch.full((1, 1, 1, 1), 0.2, dtype=torch.float64, requires_grad=True)
    g = torch.tensor(30.0, dtype=torch.float64, requires_grad=True)

    def potential(current: Tensor, v: Tensor, g: Tensor) -> Tensor:
        spikes, after, _ = leaky_integrate_and_fire(current, v, rest(current), g=g, step=STEP, refractory=0.002)
        assert spikes.sum() == 1
        return after

    assert torch.autograd.gradcheck(potential, (current, v, g))


def test_gradients_are_finite_without_leak_and_while_resting() -> None:
    current = random_current(6).requires_grad_()
    g = torch.tensor(0.0, dtype=torch.float64)
    _, v, _ = fire(current, g=g)
    (gradient,) = torch.autograd.grad(v.sum(), current)
    assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0


def test_without_numba_the_plain_loop_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fire(random_current(7, n_steps=50))
    monkeypatch.setattr(compiled_choice, "_numba_is_present", lambda: False)
    monkeypatch.setitem(__import__("sys").modules, "convis_core.ops.integrate_and_fire_compiled", None)
    for got, wanted in zip(fire(random_current(7, n_steps=50)), expected, strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(("layer", "scale", "refractory"), [("LIF", 1000.0, 0.0), ("GanglionSpiking", 1.0, 0.003)])
@pytest.mark.parametrize("stimulus", ["random", "grating"])
def test_euler_reproduces_stored_spike_trains(
    shared: Path, layer: str, scale: float, refractory: float, stimulus: str
) -> None:
    with np.load(shared / "reference/convis/spiking_lif_1000sps.npz") as stored:
        current = torch.from_numpy(stored[f"input_{layer}_{stimulus}"])[None, None] * scale
        v, expected = torch.from_numpy(stored["V0"])[None, None], stored[f"output_{layer}_{stimulus}"]
    spikes, _, _ = fire(current, v=v, refractory=refractory, method="euler")
    assert expected.any()
    np.testing.assert_array_equal(spikes.numpy(), expected)


@pytest.mark.parametrize(
    ("current", "refractory", "interval"), [(300.0, 0.0, 4), (300.0, 0.003, 6), (2000.0, 0.003, 3), (2000.0, 0.01, 10)]
)
@pytest.mark.parametrize("compiled", [True, False])
def test_euler_intervals_include_the_refractory_time(
    current: float, refractory: float, interval: int, compiled: bool
) -> None:
    spikes, _, _ = fire(constant(current, 120), refractory=refractory, method="euler", compiled=compiled)
    assert np.unique(np.diff(np.flatnonzero(spikes))).tolist() == [interval]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"v": torch.zeros(1, 1, 2, 2)}, ShapeError, r"v should be \[1, 1, 1, 1\].*\[1, 1, 2, 2\]"),
        ({"v": torch.zeros(1, 1, 1, 1)}, ShapeError, "float64.*float32"),
        ({"noise": torch.zeros(1, 1, 2, 1, 1)}, ShapeError, r"shape of the current.*\[1, 1, 2, 1, 1\]"),
        ({"g": torch.ones(3, 1, 1)}, ShapeError, "g must be a number or have one value for each of 1 channels"),
        ({"g": -1.0}, ParameterError, "g must not be negative, got -1"),
        ({"refractory": -0.5}, ParameterError, "refractory must not be negative"),
        ({"method": "heun"}, ParameterError, "'heun'"),
        ({"step": 0.0}, ParameterError, "above 0, got 0.0"),
    ],
)
def test_what_does_not_fit_is_named(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        fire(constant(1.0, 5), **options)


def test_a_current_without_batch_axis_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"got \[5\]"):
        leaky_integrate_and_fire(torch.zeros(5), torch.zeros(1), torch.zeros(1), g=1.0, step=STEP)
