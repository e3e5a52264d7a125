"""Whatever the network loses, whenever the page paints: every spike arrives once, in order; the last frame wins."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convis_widgets.live.pump import Pump
from convis_widgets.live.wire import Part, make_part

ACTIONS = st.lists(st.sampled_from(["spike", "urgent", "frame", "ack", "lose", "probe"]), min_size=1, max_size=40)


class Page:
    """A page at the end of a wire that may lose messages; it sees ticks in order and paints when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, list[Part]]] = []
        self.received = -1
        self.events: list[int] = []
        self.frame = -1
        self.lossy = False

    def send(self, seq: int, parts: Any) -> None:
        self.sent.append((seq, list(parts)))
        if self.lossy or seq <= self.received:
            return
        self.received = seq
        for part in parts:
            for chunk in part.appended.get("cell", ()):
                self.events += chunk.tolist()
            self.frame = part.fields.get("frame", self.frame)


def settle(pump: Pump, page: Page) -> None:
    """Answer as a page in view does until nothing is on its way."""
    page.lossy = False
    deadline = time.monotonic() + 5.0
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        seen = len(page.sent)
        if page.sent:
            newest = page.sent[-1][0]
            if page.received < newest:
                pump.missing(newest, page.received)
            else:
                pump.acknowledge(newest)
        time.sleep(0.004)
        quiet = quiet + 1 if len(page.sent) == seen else 0


@settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(actions=ACTIONS)
def test_nothing_is_lost_doubled_or_turned_round(actions: list[str]) -> None:
    page = Page()
    pump = Pump(page.send, lambda seq: None, max_rate=1e6, timeout=60.0, on_error=lambda error: None)
    spikes = frames = 0

    def post_spike() -> None:
        nonlocal spikes
        pump.post(make_part("raster", {}, {"cell": np.array([spikes], np.uint32)}, append=("cell",)))
        spikes += 1

    try:
        for action in actions:
            if action == "spike":
                post_spike()
            elif action == "urgent":
                with pump.together(urgent=True):
                    post_spike()
            elif action == "frame":
                pump.post(make_part("frame", {"frame": frames}))
                frames += 1
            elif action == "ack" and page.received > 0:
                pump.acknowledge(page.received)
            elif action == "probe" and page.sent and page.received < page.sent[-1][0]:
                pump.missing(page.sent[-1][0], page.received)
            else:
                page.lossy = action == "lose"
            time.sleep(0.0005)
            assert len(pump._flights) <= 2
        settle(pump, page)
        assert page.events == list(range(spikes))
        assert page.frame == frames - 1
        assert pump.stats.dropped == 0
    finally:
        pump.close()


def test_a_block_in_which_something_fails_still_lets_go() -> None:
    page = Page()
    pump = Pump(page.send, lambda seq: None, on_error=lambda error: None)
    try:
        with np.testing.assert_raises(KeyError), pump.together(urgent=True):
            pump.post(make_part("frame", {"frame": 1}))
            raise KeyError("in the middle")
        deadline = time.monotonic() + 5.0
        while page.frame != 1 and time.monotonic() < deadline:
            time.sleep(0.002)
        assert page.frame == 1
    finally:
        pump.close()


def test_an_answer_to_a_tick_long_landed_changes_nothing() -> None:
    page = Page()
    pump = Pump(page.send, lambda seq: None, max_rate=1e6, on_error=lambda error: None)
    try:
        pump.post(make_part("frame", {"frame": 1}))
        settle(pump, page)
        acked, sent = pump.stats.acked, pump.stats.sent
        pump.acknowledge(1)
        pump.missing(1, 0)
        time.sleep(0.01)
        assert (pump.stats.acked, pump.stats.sent, pump.stats.resent) == (acked, sent, 0)
    finally:
        pump.close()
