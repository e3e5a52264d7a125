"""Protocols: whatever is strung together can be found again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convis_core as convis
from convis_core import Resolution
from convis_core.errors import ConvisError, ParameterError, ShapeError
from convis_core.samples import Protocol
from convis_core.streams import RandomStream

RATE = Resolution(10.0, 100.0)


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    repeats=st.integers(1, 3),
    pause=st.integers(0, 3),
    pieces=st.lists(st.integers(1, 9), min_size=30, max_size=30),
)
def test_every_stimulus_is_cut_out_as_it_was_put_in(
    lengths: list[int], repeats: int, pause: int, pieces: list[int]
) -> None:
    rng = np.random.default_rng(0)
    stimuli = {f"stimulus {i}": rng.normal(size=(n, 2, 3)).astype(np.float32) for i, n in enumerate(lengths)}
    protocol = Protocol(stimuli, repeats=repeats, gap=pause / 100.0, grey=0.5, resolution=RATE)
    assert protocol.length == repeats * (sum(lengths) + pause * len(lengths)) + pause
    assert protocol.steps_per_second == 100.0
    read = np.concatenate([protocol.get(n)[0, 0].numpy() for n in (*pieces, protocol.length)])
    for name, clip in stimuli.items():
        assert np.array_equal(protocol.cut(read, name), np.stack([clip] * repeats))
    shown = np.zeros(protocol.length, bool)
    for epoch in protocol.epochs:
        assert not shown[epoch.start : epoch.stop].any()  # one at a time
        shown[epoch.start : epoch.stop] = True
    assert (protocol.array[~shown] == 0.5).all() and (~shown).sum() == pause * (repeats * len(lengths) + 1)


def test_a_name_used_twice_gives_both_in_their_order() -> None:
    first, second = np.zeros((2, 1, 1)), np.ones((2, 1, 1))
    protocol = Protocol([("a", first), ("b", first), ("a", second)], repeats=2, resolution=RATE)
    assert protocol.cut(protocol.array, "a")[:, 0, 0, 0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert [epoch.repeat for epoch in protocol.epochs] == [0, 0, 0, 1, 1, 1]
    uneven = Protocol([("a", first), ("a", np.ones((3, 1, 1)))], resolution=RATE)
    with pytest.raises(ShapeError, match="differ in length"):
        uneven.cut(uneven.array, "a")


@pytest.mark.parametrize("response", ["array", "five axes", "output"])
def test_responses_of_any_kind_are_cut_along_their_time(response: str) -> None:
    protocol = Protocol({"flash": np.ones((4, 2, 3)), "dark": np.zeros((2, 2, 3))}, gap=0.01, resolution=RATE)
    values: Any = protocol.array
    if response == "five axes":
        values = np.stack([values, 2 * values])[None]
    elif response == "output":
        values = convis.filters.NLRectify(resolution=RATE).run(protocol)
    cut = protocol.cut(values, "flash")
    expected = {"array": (1, 4, 2, 3), "five axes": (1, 1, 2, 4, 2, 3), "output": (1, 1, 1, 4, 2, 3)}
    assert cut.shape == expected[response] and cut.min() == 1.0


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"repeats": 0}, ParameterError),
        ({"repeats": 1.5}, ParameterError),
        ({"gap": -0.1}, ParameterError),
        ({"gap": math.nan}, ParameterError),
        ({"gap": math.inf}, ParameterError),
        ({"grey": math.nan}, ParameterError),
        ({"grey": True}, ParameterError),
        ({"stimuli": {}}, ParameterError),
        ({"stimuli": {"a": np.ones((0, 2, 3))}}, ShapeError),
        ({"stimuli": {"a": np.ones((2, 3))}}, ShapeError),
    ],
)
def test_a_protocol_that_cannot_be_shown_is_refused(options: dict[str, Any], kind: type[ConvisError]) -> None:
    with pytest.raises(kind, match="Expected"):
        Protocol(**{"stimuli": {"a": np.ones((2, 2, 3))}, "resolution": RATE, **options})


@pytest.mark.parametrize("stimuli", [None, 3, [np.ones((5, 3, 3))], [("a", "film.mp4")], {"a": RandomStream()}])
def test_what_is_no_list_of_stimuli_is_refused(stimuli: Any) -> None:
    with pytest.raises((ParameterError, ShapeError), match=r"Expected (names and stimuli|.* for 'a')"):
        Protocol(stimuli)


def test_a_response_to_something_else_is_refused() -> None:
    protocol = Protocol({"flash": np.ones((4, 2, 3))}, resolution=RATE)
    with pytest.raises(ShapeError, match="Expected a response of 4 frames, got 5"):
        protocol.cut(np.zeros(5), "flash")
    with pytest.raises(ParameterError, match=r"No stimulus is named 'Flash'.*'flash'"):
        protocol.cut(protocol.array, "Flash")
