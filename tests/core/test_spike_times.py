"""Exact times of spikes on the way from the chunks of a run to its output."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import Output
from convis_core.errors import UnknownNameError
from convis_core.loops.collect import Collector
from convis_core.output import Events


def chunk(start: int, **trains: list[tuple[int, float]]) -> Output:
    """Two responses of five frames, with the events of some."""
    events: dict[str, Events] = {
        name: (np.array([u for u, _ in train], dtype=int), np.array([t for _, t in train]))
        for name, train in trains.items()
    }
    return Output([torch.zeros(1, 1, 5, 2, 2)] * 2, ["on", "off"], start=start, events=events)


FIRST = {"on": [(0, 0.001), (1, 0.004)], "off": [(7, 0.002)]}
SECOND = {"on": [(2, 0.006)], "off": [(8, 0.0055), (7, 0.009)]}


@pytest.mark.parametrize("expected", [None, 5, 10, 15])
def test_a_run_has_the_events_of_all_its_chunks(expected: int | None) -> None:
    collector = Collector(expected, keep_graph=False)
    collector.add(chunk(0, **FIRST))
    collector.add(chunk(5, **SECOND))
    whole = collector.output()
    assert whole is not None and whole.n_frames == 10
    unit, time = whole.spike_times("on")
    assert unit.tolist() == [0, 1, 2] and time.tolist() == [0.001, 0.004, 0.006]
    unit, time = whole.spike_times()
    assert unit.tolist() == [0, 7, 1, 8, 2, 7] and bool((np.diff(time) > 0).all())


def test_joined_outputs_have_the_events_of_both() -> None:
    joined = Output.concatenate([chunk(0, **FIRST), chunk(5, **SECOND)])
    assert joined.spike_times(1)[0].tolist() == [7, 8, 7]
    assert joined.detach().spike_times(0)[0].tolist() == [0, 1, 2]


def test_an_output_is_chosen_by_any_whole_number() -> None:
    o = convis.retina.Retina(seed=1).run(convis.samples.moving_bar(60))
    for k in (1, -1, np.int64(1), "ganglion_spikes_OFF"):
        np.testing.assert_array_equal(o.spike_times(k)[1], o.events["ganglion_spikes_OFF"][1])  # type: ignore[arg-type]
    for k in (2, 1.5):
        with pytest.raises(UnknownNameError, match="There is no output"):
            o.spike_times(k)  # type: ignore[arg-type]
        with pytest.raises(UnknownNameError, match="There is no output"):
            o[k]  # type: ignore[index]


def test_no_times_where_there_are_none() -> None:
    with pytest.raises(UnknownNameError, match=r"no exact times of spikes of off.*: on"):
        chunk(0, on=[(0, 0.1)]).spike_times("off")
    with pytest.raises(UnknownNameError, match="of any response"):
        Output([torch.zeros(1, 1, 3, 2, 2)]).spike_times()
    unit, time = chunk(0, on=[]).spike_times("on")
    assert len(unit) == len(time) == 0
