"""A retina at the edges of what it is made for: single pixels and frames, no layer or many, copies in mid run."""

from __future__ import annotations

import copy
import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import convis_core as convis
from convis_core import ConvisError, Resolution
from convis_core.retina import Retina, RetinaConfiguration

QUICK = settings(max_examples=6, derandomize=True)


def film(t: int = 60, x: int = 6, y: int = 7, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 1, t, x, y, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_the_smallest_images(size: tuple[int, int]) -> None:
    retina = Retina(spikes=False)
    currents = retina.run(film(50, *size))
    for current in currents:
        assert tuple(current.shape[3:]) == size
        assert bool(torch.isfinite(current).all())


def test_a_single_pixel_is_a_uniform_field() -> None:
    flicker = torch.rand(80, generator=torch.Generator().manual_seed(3))
    one = Retina(spikes=False).run(flicker[:, None, None])
    many = Retina(spikes=False).run(flicker[:, None, None].expand(80, 6, 5))
    for a, b in zip(one, many, strict=True):
        torch.testing.assert_close(a.expand_as(b), b, rtol=1e-4, atol=1e-3)


def test_a_single_frame_has_lasted_for_ever() -> None:
    retina = Retina(spikes=False)
    frame = film(1)
    first = retina.run(frame, record=["opl"]).array("opl")
    retina.clear_state()
    later = retina.run(frame.expand(1, 1, 40, 6, 7), record=["opl"]).array("opl")
    np.testing.assert_allclose(later, np.broadcast_to(first, later.shape), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_any_number_of_layers(n_layers: int, tmp_path: Path) -> None:
    config = RetinaConfiguration()
    for _ in range(2):
        config.remove("ganglion-layers.0")
    for k in range(n_layers):
        config.set(f"ganglion-layers.={k}.sign", 1.0 if k % 2 == 0 else -1.0)
    config.write(tmp_path / "retina.xml")
    retina = Retina.from_xml(tmp_path / "retina.xml")
    if n_layers == 0:
        assert retina.run(film(), record=["bipolar"]).array("bipolar").shape == (1, 1, 60, 6, 7)
        return
    o = retina.run(film())
    assert len(o) == n_layers
    assert RetinaConfiguration.read(tmp_path / "retina.xml") == retina.to_configuration()


@QUICK
@given(cuts=st.lists(st.integers(1, 59), max_size=4, unique=True), seed=st.integers(0, 5))
def test_events_and_counts_tell_the_same_spikes_in_any_chunks(cuts: list[int], seed: int) -> None:
    retina = Retina(seed=seed)
    frames = film(60, seed=seed)
    edges = [0, *sorted(cuts), 60]
    parts = [retina.run(frames[:, :, a:b]) for a, b in itertools.pairwise(edges)]
    whole = Retina(seed=seed).run(frames)
    for name in whole.names:
        unit, time = whole.spike_times(name)
        assert len(time) == int(whole.array(name).sum())
        assert bool(np.all(np.diff(time) >= 0)) and bool(np.all((time >= 0) & (time <= 0.06 + 1e-9)))
        counts = np.zeros(whole.array(name).shape)
        first = 0 if name == whole.names[0] else 42
        flat = counts[0, 0].reshape(60, 42)
        np.add.at(flat, (np.minimum((time * 1000 + 1e-6).astype(int), 59), unit - first), 1)
        np.testing.assert_array_equal(flat.reshape(60, 6, 7), whole.array(name)[0, 0])
        joined = np.concatenate([part.spike_times(name)[1] for part in parts])
        np.testing.assert_allclose(np.sort(joined), time, rtol=0, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))], ids=["copy", "pickle"])
@pytest.mark.parametrize("options", [{"stage_delay": 1}, {"spikes": False}, {}], ids=str)
def test_a_copy_in_mid_run_goes_on_alike(copied: Any, options: dict[str, Any]) -> None:
    retina = Retina(seed=3, **options)
    frames = film(80)
    retina.run(frames[:, :, :33])
    twin = copied(retina)
    for a, b in zip(retina.run(frames[:, :, 33:]), twin.run(frames[:, :, 33:]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_unknown_stages_are_named_with_those_there_are() -> None:
    with pytest.raises(ConvisError, match=r"amacrine.*") as caught:
        Retina().run(film(), record=["amacrine"])
    assert "bipolar" in str(caught.value) and "ganglion_0" in str(caught.value)


def test_what_is_no_number_is_refused_and_what_was_computed_is_kept() -> None:
    frames = film(90)
    frames[0, 0, 70, 2, 2] = torch.nan
    with pytest.raises(ConvisError, match="frame 70") as caught:
        Retina(seed=1).run(frames, dt=30)
    assert caught.value.output.n_frames == 60


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("sigma_center", -0.1, "deg"), ("tau_center", -0.01, "s"), ("relative_weight", -1.0, "")],
)
def test_values_that_cannot_be_are_refused_and_change_nothing(name: str, value: float, unit: str) -> None:
    retina = Retina()
    before = float(getattr(retina.opl, name).detach())
    with pytest.raises(ConvisError, match=rf"{name}.*{unit}"):
        setattr(retina.p.opl, name, value)
    assert float(getattr(retina.opl, name).detach()) == before


@pytest.mark.parametrize("ppd", [5.0, 20.0])
def test_twice_the_rate_is_half_the_error(ppd: float) -> None:
    """The stages hold their input over a step, which is of first order; a uniform field knows no pixels."""

    def peak(rate: float) -> float:
        n = int(0.2 * rate)
        flash = np.zeros((2 * n, 2, 2))
        flash[n:] = 0.5
        retina = Retina(spikes=False, resolution=Resolution(ppd, rate)).double()
        return float(retina.run(flash, record=["bipolar"]).array("bipolar").max())

    exact = peak(32_000.0)
    errors = [abs(peak(rate) - exact) for rate in (1000.0, 2000.0, 4000.0)]
    assert 1.8 < errors[0] / errors[1] < 2.3 and 1.8 < errors[1] / errors[2] < 2.4


def test_the_quickstart_s_names_lead_to_the_same_tensors() -> None:
    o = convis.models.Retina(seed=1).run(film())
    assert o[0] is o.ganglion_spikes_ON and o[1] is o.ganglion_spikes_OFF
    assert convis.models.Retina is convis.retina.Retina
