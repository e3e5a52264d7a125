"""The whole retina where things are odd: tiny images, many layers, copies in mid run, cuts among events."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import ConvisError, ParameterError, ResolutionWarning, RunError, UnknownNameError
from convis_core.retina import LogPolarScheme, RecursiveOPLFilter, Retina
from convis_core.retina.cell_array import CellArray, sample_map
from convis_core.streams import SequenceStream


def clip(frames: int = 80, size: tuple[int, int] = (5, 6), seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).random((frames, *size))


def layers(*signs: int) -> dict[str, Any]:
    return {"ganglion-layers": [{"sign": sign, "spiking-channel": {"sigma-V": 0.1}} for sign in signs]}


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2)])
@pytest.mark.parametrize("frames", [1, 3])
def test_images_of_any_size_and_a_single_frame(size: tuple[int, int], frames: int) -> None:
    o = Retina(seed=1).run(clip(frames, size), record=["opl", "adaptation"])
    for part in o:
        assert tuple(part.shape) == (1, 1, frames, *size)
        assert bool(torch.isfinite(part).all())


@pytest.mark.parametrize("signs", [(), (1,), (1, -1, 1, -1)], ids=len)
def test_as_many_outputs_as_layers_and_each_by_its_sign(signs: tuple[int, ...]) -> None:
    retina = Retina(layers(*signs), spikes=False)
    o = retina.run(clip())
    assert len(o) == max(len(signs), 1)
    assert retina.stages[-len(signs) :] == tuple(f"ganglion_{i}" for i in range(len(signs))) or not signs
    for i, sign in enumerate(signs):
        twin = signs.index(sign)
        torch.testing.assert_close(o[i], o[twin])
    with pytest.raises(UnknownNameError, match=rf"no stage 'ganglion_{len(signs)}' to record"):
        retina.run(clip(), record=f"ganglion_{len(signs)}")


def test_movies_of_a_batch_are_answered_as_each_by_itself() -> None:
    x = torch.as_tensor(np.stack([clip(seed=1), clip(seed=2)]))[:, None]
    retina = Retina(spikes=False).double()
    retina.p.bipolar.lambda_amp.set(100.0)
    both = retina.run(x)
    assert both[0].dtype == torch.float64
    for k in range(2):
        retina.clear_state()
        torch.testing.assert_close(retina.run(x[k : k + 1])[0][0], both[0][k])


@pytest.mark.parametrize("how", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("delay", [0, 1])
def test_a_copy_in_mid_run_goes_on_as_the_original_does(how: Any, delay: int) -> None:
    frames = clip(120)
    retina = Retina(seed=5, stage_delay=delay)
    retina.run(frames[:50])
    twin = how(retina)
    ours, theirs = retina.run(frames[50:]), twin.run(frames[50:])
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a, b)
    for our_events, their_events in zip(ours.spike_times(), theirs.spike_times(), strict=True):
        np.testing.assert_array_equal(our_events, their_events)
    untouched = Retina(seed=5, stage_delay=delay).run(frames)
    assert torch.equal(untouched[0][:, :, 50:], ours[0])


@pytest.mark.parametrize("dt", [1, 7, 50])
def test_times_of_spikes_are_those_of_the_counts_however_the_run_is_cut(dt: int) -> None:
    frames = 2 * clip(100, (3, 4))
    # in double precision: which operations a processor fuses depends on the cut, and single leaves some 5e-9 s of that
    whole, cut = Retina(seed=2).double().run(frames), Retina(seed=2).double().run(frames, dt=dt)
    for name in whole.names:
        unit, time = whole.spike_times(name)
        assert len(unit) == int(whole.array(name).sum()) > 0
        other_unit, other_time = cut.spike_times(name)
        order, other = np.lexsort((time, unit)), np.lexsort((other_time, other_unit))
        np.testing.assert_array_equal(unit[order], other_unit[other])
        np.testing.assert_allclose(time[order], other_time[other], rtol=0, atol=1e-12)
        assert time.min() >= 0 and time.max() <= 0.1 + 1e-9


def test_what_is_remembered_in_the_dark_ends_at_0_and_not_among_numbers_without_digits() -> None:
    """Between the two lies what many processors calculate with thirty times as slowly."""
    retina = Retina(spikes=False)
    retina.p.bipolar.lambda_amp.set(100.0)
    retina.run(clip(200, (3, 3)))
    dark = retina.run(np.zeros((12_000, 3, 3)), dt=1000)
    remembered = [value for value in retina.get_state().values() if isinstance(value, torch.Tensor)]
    assert len(remembered) > 5
    for value in (*remembered, *dark):
        assert not bool(((value != 0) & (value.abs() < torch.finfo(value.dtype).tiny)).any())
    assert bool((retina.s["bipolar.v"] == 0).all())


def test_a_seed_repeats_and_another_does_not() -> None:
    frames = np.full((150, 4, 4), 0.5)
    first, again, other = (Retina(seed=seed).run(frames) for seed in (3, 3, 4))
    assert torch.equal(first[0], again[0]) and not torch.equal(first[0], other[0])


@pytest.mark.parametrize("seed", ["a", 1.5, -1, True])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(ParameterError, match="seed must be a whole number"):
        Retina(seed=seed)


@pytest.mark.parametrize("luminance", [math.nan, math.inf])
def test_nothing_is_adapted_to_what_is_no_number(luminance: float) -> None:
    """All potentials would be NaN, and no cell would ever spike."""
    retina, twin = Retina(seed=1), Retina(seed=1)
    for model in (retina, twin):
        model.run(clip(30))
    with pytest.raises(ParameterError, match="must be a finite number"):
        retina.settle(luminance)
    assert torch.equal(retina.run(clip(30))[0], twin.run(clip(30))[0])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_short_floats_are_computed_with_longer_ones(kind: torch.dtype) -> None:
    """Where the loops know no shorter ones."""
    frames = torch.full((200, 3, 4), 0.5)
    o = Retina(seed=1).to(kind).run(frames, 50)
    assert o[0].dtype == kind and abs(float(o[0].sum()) / float(Retina(seed=1).run(frames)[0].sum()) - 1) < 0.2


def test_errors_and_warnings_speak_of_the_retina() -> None:
    """And not of what stands for it in a run."""
    retina = Retina(seed=1)
    with pytest.warns(ResolutionWarning, match="and Retina takes 1000 steps"):
        retina.run(SequenceStream(clip(5), 50.0))
    retina.forward = None  # type: ignore[assignment, method-assign]
    with pytest.raises(RunError, match="Retina raised TypeError on frames 0 to 4"):
        retina.run(clip(5))


@pytest.mark.parametrize("dt", [4, 20])
def test_what_is_not_a_number_is_refused_with_its_first_frame(dt: int) -> None:
    frames = clip(20)
    frames[10:, 2, 2] = math.nan
    with pytest.raises(ConvisError, match=r"NaN or infinite, the first in frame 10\."):
        Retina(spikes=False).run(frames, dt=dt)


def test_a_run_that_fails_leaves_the_recording_off() -> None:
    retina = Retina(spikes=False)
    retina.run(clip(), record="opl")
    with pytest.raises(ConvisError):
        retina.run(clip(size=(9, 9)), record="opl")
    assert retina.run(clip()).names == retina.output_names


def test_bipolar_cells_that_were_left_out_stay_out_of_another_configuration() -> None:
    retina = Retina(layers(1), bipolar=False, spikes=False)
    retina.parse_config(layers(1, -1))
    assert retina.bipolar is None and "bipolar" not in retina.stages
    with pytest.raises(UnknownNameError, match="no stage 'adaptation' to record"):
        retina.run(clip(), record="adaptation")
    assert len(retina.run(clip())) == 2


# Parts ---------------------------------------------------------------------------------------


def test_cells_one_by_one_keep_their_places_and_numbers() -> None:
    group = {
        "square-array": {"size-x__deg": 0.0, "size-y__deg": 0.0, "uniform-density__inv-deg": 10.0, "noise_pos": 0.3},
        "all-units": [
            {"x-offset__deg": 0.1, "y-offset__deg": -0.2, "mvaspike-id": 7},
            {"x-offset__deg": 0.0, "y-offset__deg": 0.3},
        ],
    }
    array = CellArray.of(group)
    assert array is not None and [unit[2] for unit in array.units] == [7, 1]
    np.testing.assert_array_equal(array.positions((9.0, 9.0), 10.0, None, 1), [[0.1, -0.2], [0.0, 0.3]])
    assert CellArray.of({}) is None
    for density in (0.0, -1.0, math.nan):
        with pytest.raises(ParameterError, match="density of cells must be above 0"):
            CellArray(density=density)


def test_weights_of_reading_a_map_sum_to_one_in_every_place() -> None:
    places = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    for size in ((1, 1), (1, 5), (5, 1), (4, 3)):
        read = sample_map(torch.ones(2, 1, 3, *size, dtype=torch.float64), places, 10.0)
        assert read.shape == (2, 1, 3, 50, 1)
        torch.testing.assert_close(read, torch.ones_like(read))


def test_the_density_falls_from_one_alike_in_all_directions() -> None:
    scheme, here = LogPolarScheme(0.3, 2.0), Resolution(10.0, 1000.0)
    density = scheme.density((21, 31), here, torch.float64)
    assert density[10, 15] == 1.0 == density.max()
    for turned in (density.flip(0), density.flip(1), density.flip(0, 1)):
        torch.testing.assert_close(turned, density)
    radius = np.hypot(10, 15) / 10.0
    assert float(density[0, 0]) == pytest.approx(scheme.at(radius)) == pytest.approx(1 / (1 + 2 * (radius - 0.3)))
    assert scheme.density((1, 1), here).tolist() == [[1.0]]
    bad: dict[str, Any]
    for bad in ({"fovea_radius": -1.0}, {"scaling_factor": math.nan}):
        with pytest.raises(ParameterError, match=f"{next(iter(bad))} must not be negative"):
            LogPolarScheme(**bad)


@pytest.mark.parametrize(("option", "value"), [("n_center", -1), ("n_center", True), ("luminosity_range", 0.0)])
def test_options_of_the_outer_plexiform_layer_that_are_none_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=option):
        RecursiveOPLFilter(**{option: value})


@pytest.mark.parametrize("options", [{}, {"n_center": 3}, {"leaky_heat_equation": True}, {"undershoot": False}])
def test_uniform_light_is_answered_by_what_the_weights_leave(options: dict[str, Any]) -> None:
    opl = RecursiveOPLFilter(
        relative_weight=0.6, undershoot_relative_weight_center=0.3, lambda_opl=4.0, luminosity_range=2.0, **options
    ).double()
    left = 0.7 if options.get("undershoot", True) else 1.0
    y = opl.run(np.full((5, 3, 1), 5.0)).array()
    np.testing.assert_allclose(y, 4.0 / 2.0 * left * 0.4 * 5.0, rtol=1e-6)
    opl.settle(0.0)
    assert float(opl.run(np.full((1, 3, 1), 5.0)).array().max()) < 5.0, (
        "a light that has just come on is not yet seen whole"
    )
