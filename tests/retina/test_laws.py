"""Laws that every stage and the whole retina obey whatever they are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core import Resolution
from convis_core.layer import Layer
from convis_core.retina import (
    Bipolar,
    CustomBipolar,
    GanglionInput,
    LogPolarScheme,
    LuminanceGainControlOPLFilter,
    RecursiveOPLFilter,
    Retina,
)

STAGES: dict[str, Any] = {
    "opl": lambda: RecursiveOPLFilter(n_center=1, relative_weight=0.8),
    "leaky opl": lambda: RecursiveOPLFilter(leaky_heat_equation=True, sigma_center=0.3),
    "log-polar opl": lambda: RecursiveOPLFilter(log_polar=LogPolarScheme(0.1, 2.0)),
    "adaptive opl": lambda: LuminanceGainControlOPLFilter(relative_weight=0.5),
    "bipolar": lambda: Bipolar(lambda_amp=200.0),
    "custom bipolar": lambda: CustomBipolar(False, lambda_amp=200.0, threshold=0.1, transient_weight=5.0),
    "ganglion": lambda: GanglionInput(sigma_surround=0.15, v_0=0.1),
    "currents": lambda: Retina({"contrast-gain-control.adaptation-feedback-amplification__Hz": 100.0}, spikes=False),
}
every_stage = pytest.mark.parametrize("name", STAGES)
every_even_stage = pytest.mark.parametrize("name", [name for name in STAGES if "log-polar" not in name])
"""Those with a scale that is the same everywhere: where it varies, the recursion of the blur has a direction."""
seeds = st.integers(0, 2**31)
law = settings(max_examples=5, deadline=None, derandomize=True)


def noise(seed: int, frames: int = 15, size: tuple[int, int] = (7, 9)) -> Tensor:
    return torch.as_tensor(np.random.default_rng(seed).normal(size=(1, 1, frames, *size)))


def answer(layer: Layer, x: Tensor) -> Tensor:
    layer.clear_state()
    with torch.no_grad():
        response = layer(x)
    return response if isinstance(response, Tensor) else response[0]


@every_stage
@law
@given(seed=seeds)
def test_the_future_does_not_act_on_the_past(name: str, seed: int) -> None:
    layer, x = STAGES[name]().double(), noise(seed)
    changed = x.clone()
    changed[:, :, 9:] += 1.0
    before, after = answer(layer, x), answer(layer, changed)
    assert bool((before[:, :, :9] == after[:, :, :9]).all())
    assert bool((before[:, :, 9:] != after[:, :, 9:]).any())


@every_even_stage
@law
@given(seed=seeds)
def test_rows_and_columns_are_alike(name: str, seed: int) -> None:
    layer, x = STAGES[name]().double(), noise(seed)
    turned = answer(layer, x.transpose(3, 4)).transpose(3, 4)
    straight = answer(layer, x)
    torch.testing.assert_close(turned, straight, rtol=0, atol=1e-9 * float(straight.abs().max()))


@every_even_stage
@law
@given(seed=seeds)
def test_left_and_right_are_alike(name: str, seed: int) -> None:
    layer, x = STAGES[name]().double(), noise(seed)
    flipped = answer(layer, x.flip(3, 4)).flip(3, 4)
    straight = answer(layer, x)
    torch.testing.assert_close(flipped, straight, rtol=0, atol=1e-9 * float(straight.abs().max()))


@every_stage
@law
@given(seed=seeds)
def test_single_and_double_precision_agree(name: str, seed: int) -> None:
    layer, x = STAGES[name](), noise(seed)
    single = answer(layer, x.float()).double()
    double = answer(layer.double(), x)
    torch.testing.assert_close(single, double, rtol=0, atol=2e-5 * float(double.abs().max()))


@pytest.mark.parametrize("name", ["opl", "leaky opl", "log-polar opl"])
@law
@given(seed=seeds, factor=st.floats(-3.0, 3.0))
def test_the_outer_plexiform_layer_is_linear(name: str, seed: int, factor: float) -> None:
    layer = STAGES[name]().double()
    x, y = noise(seed), noise(seed + 1)
    both = answer(layer, x + factor * y)
    torch.testing.assert_close(both, answer(layer, x) + factor * answer(layer, y), rtol=1e-9, atol=1e-9)


@law
@given(seed=seeds)
def test_gain_control_sees_no_sign(seed: int) -> None:
    cells = Bipolar(lambda_amp=300.0).double()
    torch.testing.assert_close(answer(cells, -noise(seed)), -answer(cells, noise(seed)))


@law
@given(seed=seeds, strength=st.floats(1.0, 5000.0))
def test_gain_control_only_ever_lowers_a_constant_response(seed: int, strength: float) -> None:
    x = noise(seed, 1).expand(-1, -1, 200, -1, -1)
    free, controlled = answer(Bipolar().double(), x), answer(Bipolar(lambda_amp=strength).double(), x)
    assert bool((controlled[:, :, -1].abs() <= free[:, :, -1].abs() + 1e-9).all())
    assert bool((controlled[:, :, -1] * x[:, :, -1] >= 0).all()), "and keeps its sign"


@law
@given(seed=seeds)
def test_off_cells_see_the_negative(seed: int) -> None:
    on, off = GanglionInput(v_0=0.2).double(), GanglionInput(v_0=0.2, sign=-1.0).double()
    torch.testing.assert_close(answer(off, noise(seed)), answer(on, -noise(seed)))


@law
@given(seed=seeds, level=st.floats(0.0, 200.0))
def test_currents_are_never_negative_and_grow_with_the_potential(seed: int, level: float) -> None:
    cells = GanglionInput(i_0=level, transient_relative_weight_center=0.0).double()
    x = noise(seed)
    current, more = answer(cells, x), answer(cells, x + 0.1)
    assert bool((current >= 0).all() and (more >= current).all())


@law
@given(seed=seeds, shift=st.integers(1, 4))
def test_a_scene_that_moves_moves_the_response(seed: int, shift: int) -> None:
    """Far from the border, where nothing differs."""
    retina = STAGES["currents"]().double()
    frames = torch.zeros(1, 1, 15, 50, 50, dtype=torch.float64)
    frames[..., 20:27, 20:29] = noise(seed)
    here, there = answer(retina, frames), answer(retina, frames.roll(shift, dims=4))
    inside = here[..., 15:35, 15:35], there[..., 15:35, 15 + shift : 35 + shift]
    torch.testing.assert_close(*inside, rtol=1e-3, atol=1e-3 * float((here - 37.0).abs().max()))


@law
@given(rate=st.sampled_from([100.0, 400.0, 1600.0]), seed=seeds)
def test_resolution_changes_the_response_by_little(rate: float, seed: int) -> None:
    """The same film at twice the rate: what changes falls with the step, so that no constant is hidden."""
    film = noise(seed, 10, (5, 5))
    differences = []
    for fine in (rate, 4 * rate):
        ends = []
        for steps in (fine, 2 * fine):
            frames = film.repeat_interleave(round(steps / 50), dim=2)
            layer = RecursiveOPLFilter(tau_surround=0.02, tau_center=0.02, resolution=Resolution(10.0, steps)).double()
            ends.append(answer(layer, frames)[:, :, -1])
        differences.append(float((ends[0] - ends[1]).abs().max()))
    assert differences[1] < 0.4 * differences[0]
