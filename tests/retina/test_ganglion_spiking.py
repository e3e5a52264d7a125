"""Spiking ganglion cells: exact times, refractory times that vary, adaptation; and the stored spike trains."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import UnknownNameError
from convis_core.retina import AdaptiveGanglionSpiking, GanglionSpiking, Retina, RetinaConfiguration
from tests.retina.virtual_retina import film

QUIET = {"noise_sigma": 0.0, "refr_sigma": 0.0}
TRAINS = [
    *((name, "disc") for name in ("lif_square_no_noise", "lif_adap", "lif_units_list", "full_square_no_noise")),
    *((name, "disc") for name in ("lif_circular_no_noise", "lif_circular_logpolar")),
    ("lif_square_no_noise", "grating"),
    ("lif_adap", "uniform"),
    ("full_square_no_noise", "finland_80x64"),
]


def spiking(config: RetinaConfiguration, dtype: torch.dtype = torch.float64) -> Retina:
    retina = Retina(config, stage_delay=1, virtual_retina_logpolar=True, seed=1).to(dtype)
    retina.parse_config(config)  # with the digits of that precision
    return retina


@pytest.mark.parametrize(("name", "clip"), TRAINS)
def test_stored_trains_without_noise(shared: Path, name: str, clip: str) -> None:
    """As many spikes of every cell, at the same times to the last digit stored."""
    folder = shared / "reference" / "virtualretina"
    data = np.load(folder / "outputs" / f"{name}.npz")
    config = RetinaConfiguration.read(folder / "configs" / f"{name}.xml")
    positions, numbers = data[f"{clip}__unit_xy_deg"], data[f"{clip}__unit_id"]
    if "circular" in name:  # whose rings are turned by chance
        keys = "x-offset__deg", "y-offset__deg", "mvaspike-id"
        units = [dict(zip(keys, (*xy, int(k)), strict=True)) for xy, k in zip(positions, numbers, strict=True)]
        config.set("ganglion-layers.0.spiking-channel.all-units", units)
    retina = spiking(config)
    frames, luminance = film(shared, clip)
    retina.settle(luminance)
    o = retina.run(frames.repeat(4 if clip == "finland_80x64" else 1, axis=0), dt=17)
    np.testing.assert_allclose(np.concatenate(retina.unit_positions()), positions, atol=1e-6)
    unit, time = o.spike_times()
    for k in numbers:
        got, wanted = np.sort(time[unit == k]), np.sort(data[f"{clip}__spike_time"][data[f"{clip}__spike_id"] == k])
        assert len(got) == len(wanted), k
        np.testing.assert_allclose(got, wanted, atol=6e-6)
    assert len(time) == len(data[f"{clip}__spike_time"])


@pytest.mark.parametrize("clip", ["uniform", "disc"])
def test_stored_trains_with_noise(shared: Path, clip: str) -> None:
    """Counts of the trials, and for a constant current the intervals, are of the same distribution."""
    folder = shared / "reference" / "virtualretina"
    data = np.load(folder / "outputs" / "lif_square_noise.npz")
    retina = spiking(RetinaConfiguration.read(folder / "configs" / "lif_square_noise.xml"))
    frames, luminance = film(shared, clip)
    retina.settle(luminance)
    trials = np.unique(data[f"{clip}__trial"])
    stored = [
        (data[f"{clip}__spike_id"][mine], data[f"{clip}__spike_time"][mine])
        for k in trials
        for mine in [data[f"{clip}__trial"] == k]
    ]
    ours = []
    for _ in range(len(trials)):
        retina.clear_state()
        for i in range(retina.n_layers):
            retina.get_submodule(f"gang_{i}_spikes").seed += 100  # type: ignore[operator]
        ours.append(retina.run(frames).spike_times())
    counts = [np.array([len(time) for _, time in trains], dtype=float) for trains in (ours, stored)]
    spread = math.sqrt(sum(max(c.var(ddof=1), 1.0) / len(c) for c in counts))
    assert abs(counts[0].mean() - counts[1].mean()) < 2.6 * spread, "p > 0.01"
    if clip == "uniform":
        a, b = (np.concatenate([intervals(*train) for train in trains]) for trains in (ours, stored))
        error = math.sqrt(a.var() / len(a) + b.var() / len(b))
        assert abs(a.mean() - b.mean()) < 2.6 * error
        assert kolmogorov_smirnov(a, b) > 0.01


def intervals(unit: Any, time: Any) -> Any:
    """Times between the spikes of each cell."""
    return np.concatenate([np.diff(np.sort(time[unit == k])) for k in np.unique(unit)])


def kolmogorov_smirnov(a: Any, b: Any) -> float:
    """Probability that two samples of one distribution differ as much as these."""
    both = np.sort(np.concatenate([a, b]))
    ranks = [np.searchsorted(np.sort(s), both, side="right") / len(s) for s in (a, b)]
    distance = np.abs(ranks[0] - ranks[1]).max() * math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    return float(2 * sum((-1) ** (k - 1) * math.exp(-2 * k**2 * distance**2) for k in range(1, 50)))


@pytest.mark.parametrize("rate", [200.0, 1000.0])
def test_times_are_exact_whatever_the_step(rate: float) -> None:
    """log(x / (x - 1)) / g to the first, and the refractory time more to each further one."""
    cells = GanglionSpiking(resolution=Resolution(10.0, rate), **QUIET).double()
    cells.run(np.full(int(rate), 120.0))
    first = math.log(120 / 70) / 50
    wanted = first + (first + 0.003) * np.arange(len(cells.events[1]))
    np.testing.assert_allclose(cells.events[1], wanted, atol=1e-6)
    assert len(wanted) == int((1 - first) / (first + 0.003)) + 1


@pytest.mark.parametrize("drive", [0.0, 49.0, 2000.0])
def test_silent_below_and_bounded_above(drive: float) -> None:
    cells = GanglionSpiking(refr_mu=0.01, **QUIET)
    spikes = cells.run(np.full((1000, 2, 2), drive)).array()
    assert spikes.sum() == len(cells.events[0])
    assert spikes.sum() == 0 if drive < 50 else 4 * 90 < spikes.sum() <= 4 * 100


def test_refractory_times_have_their_mean_and_deviation() -> None:
    """Above all thresholds nearly all of an interval is the refractory time."""
    cells = GanglionSpiking(refr_mu=0.02, refr_sigma=0.004, noise_sigma=0.0, g_L=0.0, seed=1).double()
    cells.run(np.full((2000, 10, 10), 1e6))
    between = intervals(*cells.events)
    assert len(between) > 5000
    assert between.mean() == pytest.approx(0.02, rel=0.01) and between.std() == pytest.approx(0.004, rel=0.05)
    assert between.min() > 0


@pytest.mark.parametrize("kind", [GanglionSpiking, AdaptiveGanglionSpiking])
@pytest.mark.parametrize("dt", [1, 13])
def test_events_do_not_depend_on_chunks(kind: type[GanglionSpiking], dt: int) -> None:
    current = 150 * np.random.default_rng(1).random((200, 5, 6))
    cells = kind(refr_sigma=0.002, seed=3)
    cells.run(current)
    cell, time = cells.events
    cells.clear_state()
    pieces = [(chunk.output, cells.events) for chunk in cells.stream(current, dt)]
    together = np.concatenate([events[1] for _, events in pieces])
    assert len(together) == len(time) > 50
    np.testing.assert_allclose(np.sort(together), np.sort(time), atol=1e-6)
    assert sorted(np.concatenate([events[0] for _, events in pieces])) == sorted(cell)


def test_adaptation_lowers_the_rate_to_where_it_balances() -> None:
    """With a slow conductance of mean ga = delta tau f the interval is that of the leak g + ga."""
    cells = AdaptiveGanglionSpiking(delta_g=0.5, tau_g=1.0, resolution=Resolution(10.0, 2000.0), **QUIET).double()
    cells.run(np.full(16000, 200.0))
    late = cells.events[1][cells.events[1] > 6.0]
    rate = (len(late) - 1) / (late[-1] - late[0])
    g = 50 + 0.5 * 1.0 * rate
    assert 1 / rate == pytest.approx(0.003 + math.log((200 / g) / (200 / g - 1)) / g, rel=0.01)
    assert rate < 0.93 * len(cells.events[1][cells.events[1] < 0.2]) / 0.2


def test_a_conductance_that_closes_at_once_changes_nothing_after_a_step() -> None:
    plain, adaptive = GanglionSpiking(**QUIET), AdaptiveGanglionSpiking(delta_g=50.0, tau_g=0.0, **QUIET)
    current = np.full(500, 100.0)
    a, b = (int(cells.run(current).array().sum()) for cells in (plain, adaptive))
    assert abs(a - b) <= 2


def test_a_random_start_spreads_the_first_spikes() -> None:
    cells = GanglionSpiking(random_start=True, seed=1, **QUIET)
    cells.run(np.full((30, 20, 20), 100.0))
    _, time = cells.events
    early = 1 - (2 - math.exp(50 * 0.007))  # those that began above it reach the threshold within 7 ms
    assert float((time < 0.007).sum()) / 400 == pytest.approx(early, abs=0.08)
    still = GanglionSpiking(**QUIET)
    still.run(np.full((14, 20, 20), 100.0))
    assert np.ptp(still.events[1]) < 1e-9


def test_outputs_tell_exact_times_by_layer() -> None:
    retina = Retina(seed=1)
    o = retina.run(np.random.default_rng(2).random((300, 6, 6)), dt=70)
    unit, time = o.spike_times()
    assert len(time) == int(o[0].sum() + o[1].sum()) and bool((np.diff(time) >= 0).all())
    on, off = o.spike_times("ganglion_spikes_ON"), o.spike_times(1)
    assert on[0].max() < 36 <= off[0].min() and len(on[0]) + len(off[0]) == len(unit)
    counted = np.bincount((on[1] * 1000).astype(int), minlength=300)
    assert np.abs(counted - o.array(0).sum(axis=(0, 1, 3, 4))).sum() <= 2, "spikes at the very end of a step"
    with pytest.raises(UnknownNameError, match="no exact times"):
        Retina(spikes=False).run(np.zeros((3, 4, 4))).spike_times()


def test_cells_of_every_batch_and_channel_have_a_number_of_their_own() -> None:
    retina = Retina(seed=1)
    o = retina.run(torch.rand(2, 3, 200, 4, 4))
    unit, _ = o.spike_times()
    assert unit.max() < 2 * 3 * 32
    for k, sign in enumerate(("ON", "OFF")):
        numbers, _ = o.spike_times(f"ganglion_spikes_{sign}")
        assert bool((numbers % 32 // 16 == k).all())
        per_plane = np.bincount(numbers // 32, minlength=6)
        np.testing.assert_array_equal(per_plane, o.array(k).sum(axis=(2, 3, 4)).ravel())
