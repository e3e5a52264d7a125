"""Joining chunks: the same as concatenating them, whatever was expected."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convis_core import Output
from convis_core.loops.collect import Collector


def outputs(lengths: list[int]) -> list[Output]:
    """Two responses for each chunk, numbered from the start."""
    whole = torch.arange(float(sum(lengths) * 6)).reshape(1, 1, -1, 2, 3)
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    parts = whole.split(lengths, dim=2)
    return [Output([part, -part], ["on", "off"], start=start) for part, start in zip(parts, starts, strict=True)]


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6), expected=st.none() | st.integers(1, 40))
def test_it_gives_what_came_whatever_was_expected(lengths: list[int], expected: int | None) -> None:
    parts = outputs(lengths)
    collector = Collector(expected, keep_graph=False)
    for part in parts:
        collector.add(part)
    joined = collector.output()
    assert joined is not None
    assert joined.names == ("on", "off")
    for k in range(2):
        torch.testing.assert_close(joined[k], torch.cat([part[k] for part in parts], dim=2))


def test_nothing_gives_nothing() -> None:
    assert Collector(10, keep_graph=False).output() is None


def test_a_single_chunk_is_not_copied() -> None:
    (only,) = outputs([4])
    collector = Collector(4, keep_graph=False)
    collector.add(only)
    joined = collector.output()
    assert joined is not None
    assert joined[0] is only[0]


@pytest.mark.parametrize("expected", [None, 8])
def test_gradients_flow_back_where_they_are_asked_for(expected: int | None) -> None:
    x = torch.ones(1, 1, 8, 1, 1, requires_grad=True)
    collector = Collector(expected, keep_graph=True)
    for part in (2 * x).split(3, dim=2):
        collector.add(Output([part]))
    joined = collector.output()
    assert joined is not None
    joined[0].sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full_like(x, 2.0))
