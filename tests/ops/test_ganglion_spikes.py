"""The loop over events against the loop over steps that was written before it, and its random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.ops.ganglion_spikes import CellMemory, CellNumbers, ganglion_spikes
from convis_core.ops.integrate_and_fire import leaky_integrate_and_fire

STEP = 0.001
law = settings(max_examples=20, deadline=None, derandomize=True)


def rest(current: Tensor) -> CellMemory:
    image = current.new_zeros(*current.shape[:2], *current.shape[3:])
    return CellMemory(image, image, image, torch.zeros_like(image, dtype=torch.int64))


def currents(seed: int, scale: float, frames: int = 80, size: tuple[int, int] = (3, 4)) -> Tensor:
    return torch.as_tensor(scale * np.random.default_rng(seed).random((2, 2, frames, *size)))


@law
@given(
    seed=st.integers(0, 2**31),
    leak=st.floats(0.0, 200.0),
    refractory=st.floats(0.0, 0.01),
    scale=st.sampled_from([20.0, 150.0, 3000.0]),
    noise=st.sampled_from([0.0, 40.0]),
)
def test_both_loops_count_the_same(seed: int, leak: float, refractory: float, scale: float, noise: float) -> None:
    current = currents(seed, scale)
    chance = torch.randn(current.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    start = rest(current)
    options: dict[str, Any] = {"noise": chance, "noise_scale": noise}
    by_steps, v, dead = leaky_integrate_and_fire(
        current, start.v, start.dead_time, g=leak, step=STEP, refractory=refractory, **options
    )
    by_events, events, after = ganglion_spikes(current, start, CellNumbers(leak, refractory), STEP, **options)
    assert float((by_steps - by_events).abs().sum()) <= 1e-3 * float(by_steps.sum()) + 1
    assert len(events[1]) == int(by_events.sum()) == int(after.fired.sum())
    if bool((by_steps == by_events).all()):
        torch.testing.assert_close(after.dead_time, dead, rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(after.v, v, rtol=1e-6, atol=1e-6)


@law
@given(seed=st.integers(0, 2**31), cut=st.integers(1, 79), deviation=st.sampled_from([0.0, 0.002]))
def test_a_cut_changes_no_event(seed: int, cut: int, deviation: float) -> None:
    current, numbers = currents(seed, 300.0), CellNumbers(50.0, 0.003, deviation, 5.0, 0.99, -0.1)
    whole, events, end = ganglion_spikes(current, rest(current), numbers, STEP, seed=seed)
    first, early, memory = ganglion_spikes(current[:, :, :cut], rest(current), numbers, STEP, seed=seed)
    second, late, last = ganglion_spikes(current[:, :, cut:], memory, numbers, STEP, seed=seed, first=cut)
    assert bool((torch.cat([first, second], dim=2) == whole).all())
    np.testing.assert_allclose(np.sort(np.concatenate([early[1], late[1]])), np.sort(events[1]), atol=1e-12)
    for a, b in zip(last, end, strict=True):
        assert bool((a == b).all())


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_no_event(threads: int) -> None:
    """Enough cells to be shared; random refractory times belong to a spike of a cell."""
    before = torch.get_num_threads()
    current = torch.as_tensor(200 * np.random.default_rng(1).random((1, 1, 60, 100, 101)))
    numbers = CellNumbers(50.0, 0.003, 0.001)
    try:
        torch.set_num_threads(1)
        alone = ganglion_spikes(current, rest(current), numbers, STEP, seed=4)
        torch.set_num_threads(threads)
        shared = ganglion_spikes(current, rest(current), numbers, STEP, seed=4)
    finally:
        torch.set_num_threads(before)
    assert bool((alone[0] == shared[0]).all())
    np.testing.assert_array_equal(np.sort(alone[1][1]), np.sort(shared[1][1]))


def test_there_is_room_for_any_number_of_events() -> None:
    """Far more than a first guess allows for: then all is done again with more room."""
    current = torch.full((1, 1, 20, 3, 3), 5e4, dtype=torch.float64)
    spikes, (cell, time), _ = ganglion_spikes(current, rest(current), CellNumbers(0.0, 0.0), STEP)
    assert len(time) == int(spikes.sum()) == pytest.approx(9 * 20 * 50, abs=9)
    assert np.bincount(cell).tolist() == spikes.sum(dim=2).flatten().int().tolist()
    assert bool((np.diff(time) >= 0).all())


def test_events_lie_in_the_steps_they_are_counted_in() -> None:
    current = currents(7, 400.0)
    spikes, (cell, time), _ = ganglion_spikes(current, rest(current), CellNumbers(50.0, 0.002), STEP)
    step = np.minimum((time / STEP - 1e-9).astype(int), 79)
    counted = np.zeros((48, 80))
    np.add.at(counted, (cell, step), 1)
    np.testing.assert_array_equal(counted, spikes.movedim(2, -1).reshape(48, 80).numpy())


def test_other_seeds_have_other_refractory_times() -> None:
    current = torch.full((1, 1, 300, 5, 5), 1e5, dtype=torch.float64)
    numbers = CellNumbers(0.0, 0.02, 0.005)
    trains = [np.sort(ganglion_spikes(current, rest(current), numbers, STEP, seed=s)[1][1]) for s in (1, 1, 2)]
    np.testing.assert_array_equal(trains[0], trains[1])
    assert len(trains[0]) != len(trains[2]) or bool((trains[0] != trains[2]).any())
    assert len(np.unique(trains[0])) > 25, "each cell and spike has its own"
