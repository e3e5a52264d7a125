"""What holds for every neuron model: compiled and plain loops agree, cuts change nothing, misfits are named."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops import neuron_loops
from convis_core.ops.adaptive_exponential import adaptive_exponential
from convis_core.ops.fitzhugh_nagumo import fitzhugh_nagumo
from convis_core.ops.hodgkin_huxley import hodgkin_huxley
from convis_core.ops.izhikevich import izhikevich
from convis_core.ops.neuron_loops import substeps

# name: the op with its options, what a fresh neuron starts from, and how strong a random input is
MODELS: dict[str, tuple[Callable[..., Any], tuple[float, ...], float]] = {
    "adaptive_exponential euler": (partial(adaptive_exponential, method="euler"), (-70.6, 0.0), 3000.0),
    "adaptive_exponential exponential": (adaptive_exponential, (-70.6, 0.0), 3000.0),
    "fitzhugh_nagumo euler": (fitzhugh_nagumo, (-1.2, -0.62), 3.0),
    "fitzhugh_nagumo rk4": (partial(fitzhugh_nagumo, method="rk4"), (-1.2, -0.62), 3.0),
    "hodgkin_huxley euler": (partial(hodgkin_huxley, method="euler"), (0.0, 0.053, 0.596, 0.318), 40.0),
    "hodgkin_huxley exponential": (hodgkin_huxley, (0.0, 0.053, 0.596, 0.318), 40.0),
    "izhikevich euler": (izhikevich, (-65.0, -13.0), 25.0),
    "izhikevich rk4": (partial(izhikevich, method="rk4"), (-65.0, -13.0), 25.0),
}
every_model = pytest.mark.parametrize("name", MODELS)


def movie(name: str, dtype: torch.dtype = torch.float64, n_steps: int = 60, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return MODELS[name][2] * torch.rand(2, 3, n_steps, 3, 5, dtype=dtype, generator=generator)


def advance(name: str, current: Tensor, states: Any = None, **options: Any) -> tuple[Tensor, Any, Any]:
    op, start, _ = MODELS[name]
    fresh = tuple(current.new_full((*current.shape[:2], *current.shape[3:]), value) for value in start)
    return op(current, *(fresh if states is None else states), **{"step": 0.001, **options})  # type: ignore[no-any-return]


@every_model
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("step", [0.001, 0.0023])
def test_compiled_and_plain_loops_agree(name: str, dtype: torch.dtype, step: float) -> None:
    current = movie(name, dtype)
    traces = len(MODELS[name][1])
    fast = advance(name, current, step=step, traces=traces)
    plain = advance(name, current, step=step, traces=traces, compiled=False)
    assert fast[0].sum() > 20 and fast[0].dtype == dtype
    torch.testing.assert_close(fast[0], plain[0], rtol=0, atol=0)
    # exponentials of double precision differ in the last digit, and single precision rounds nearly all of that away
    tolerance = 1e-4 if dtype == torch.float32 else 1e-9
    for a, b in zip((*fast[1], *fast[2]), (*plain[1], *plain[2]), strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
    for trace, state in zip(fast[1], fast[2], strict=True):
        torch.testing.assert_close(trace[:, :, -1], state, rtol=0, atol=0)


@every_model
@settings(deadline=None, max_examples=10, derandomize=True)
@given(cuts=st.sets(st.integers(1, 29)), compiled=st.booleans())
def test_cutting_time_changes_nothing(name: str, cuts: set[int], compiled: bool) -> None:
    current = movie(name, torch.float32, n_steps=30)
    whole = advance(name, current, compiled=compiled)
    states, parts = None, []
    for chunk in torch.tensor_split(current, sorted(cuts), dim=2):
        spikes, _, states = advance(name, chunk, states, compiled=compiled)
        parts.append(spikes)
    for cut, uncut in zip((torch.cat(parts, dim=2), *states), (whole[0], *whole[2]), strict=True):
        torch.testing.assert_close(cut, uncut, rtol=0, atol=0)


@every_model
def test_threads_share_the_cells_and_inputs_are_left_as_they_were(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neuron_loops, "_STEPS_WORTH_A_THREAD", 10)
    current = movie(name, torch.float32, n_steps=40)[:1, :1].repeat(1, 1, 1, 3, 3)
    kept, threads = current.clone(), torch.get_num_threads()
    alone = advance(name, current[..., 7:8, 3:4])
    try:
        torch.set_num_threads(3)
        shared = advance(name, current)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(shared[0][..., 7:8, 3:4], alone[0], rtol=0, atol=0)
    assert bool((current == kept).all())


@every_model
def test_no_frames_and_strong_input_do_no_harm(name: str) -> None:
    current = movie(name)
    spikes, recorded, states = advance(name, current[:, :, :0], traces=1, compiled=False)
    assert spikes.shape[2] == recorded[0].shape[2] == 0
    # Euler's method cannot follow the gates of Hodgkin and Huxley far below rest
    for strength in (-0.2 if name == "hodgkin_huxley euler" else -8.0, 8.0):
        for compiled in (True, False):
            result = advance(name, current * strength, states, compiled=compiled)
            assert all(bool(torch.isfinite(t).all()) for t in (result[0], *result[2]))


@every_model
def test_what_does_not_fit_is_named(name: str) -> None:
    current = movie(name)
    states = advance(name, current)[2]
    with pytest.raises(ShapeError, match=r"should be torch\.float64 \[2, 3, 3, 5\], got torch\.float64 \[2, 3, 2, 5\]"):
        advance(name, current, (states[0][:, :, :2], *states[1:]))
    with pytest.raises(ShapeError, match=r"got torch\.float32"):
        advance(name, current, tuple(s.float() for s in states))
    with pytest.raises(ShapeError, match=r"got \[3\]"):
        advance(name, torch.zeros(3, dtype=torch.float64), states)
    with pytest.raises(ParameterError, match="'heun'"):
        advance(name, current, method="heun")
    with pytest.raises(ParameterError, match="must be above 0, got -"):
        advance(name, current, longest_step=-1.0)


@given(step=st.floats(1e-5, 1.0), longest=st.floats(1e-5, 1.0))
def test_frames_are_cut_into_the_fewest_steps(step: float, longest: float) -> None:
    n = substeps(step, longest)
    assert step / n <= longest * (1 + 1e-8)
    assert n == 1 or step / (n - 1) > longest * (1 - 1e-8)
