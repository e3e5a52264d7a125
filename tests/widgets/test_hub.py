"""The hub: one message a tick, the next when the last is painted; nothing that matters is lost."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest
from ipywidgets import FloatText

from convis_widgets.live.hub import Hub
from convis_widgets.live.wire import Part, make_part


def frame(value: float) -> Part:
    return make_part("view", {"time": value}, {"frame": np.full((2, 2), value, np.float32)})


def spikes(*cells: int, to: str = "raster") -> Part:
    return make_part(to, {}, {"cell": np.array(cells, np.uint32)}, append=("cell",))


def test_nothing_more_is_sent_before_the_page_has_painted(connect: Any) -> None:
    hub, page = connect()
    hub.post(frame(1))
    page.wait(1)
    for value in range(2, 50):
        hub.post(frame(value))
    assert page.quiet() == 1
    page.say(type="ack", seq=1, paint_ms=4.0)
    content, buffers = page.wait(2)[1]
    assert content["parts"][0]["fields"] == {"time": 49}
    assert np.frombuffer(buffers[0], np.float32).tolist() == [49.0] * 4
    assert (hub.stats.sent, hub.stats.acked, hub.stats.paint_ms) == (2, 1, 4.0)
    assert hub.stats.round_trip_ms > 0


def test_all_views_travel_in_one_message(connect: Any) -> None:
    hub, page = connect()
    hub.post(frame(0))
    page.wait(1)
    for name in "abc":
        hub.post(make_part(name, {"x": 1}))
    page.say(type="ack", seq=1)
    assert [part["to"] for part in page.wait(2)[1][0]["parts"]] == ["a", "b", "c"]


def test_what_belongs_together_waits_for_the_last_of_it(connect: Any) -> None:
    hub, page = connect()
    with hub.together():
        hub.post(make_part("panel", {"x": 1}))
        assert page.quiet() == 0
        with hub.together():
            hub.post(make_part("curve", {"x": 2}))
        assert page.quiet() == 0
    assert [part["to"] for part in page.wait(1)[0][0]["parts"]] == ["panel", "curve"]
    page.say(type="ack", seq=1)
    with pytest.raises(ZeroDivisionError), hub.together():
        hub.post(make_part("panel", {"x": 3}))
        raise ZeroDivisionError
    page.wait(2)


def test_what_a_person_waits_for_does_not_wait_for_the_page(connect: Any) -> None:
    hub, page = connect()
    hub.post(frame(1))
    page.wait(1)
    hub.post(frame(2))
    with hub.together(urgent=True):
        hub.post(make_part("curve", {"x": 1}))
    assert [part["to"] for part in page.wait(2)[1][0]["parts"]] == ["view", "curve"]
    with hub.together(urgent=True):
        hub.post(make_part("curve", {"x": 2}))
    assert page.quiet() == 2, "one more, and no third"
    page.say(type="ack", seq=1)
    assert page.wait(3)[2][0]["parts"][0]["fields"] == {"x": 2}
    page.say(type="ack", seq=3)
    assert (hub.stats.sent, hub.stats.acked) == (3, 3)


@pytest.mark.parametrize("received", [0, 1])
def test_of_two_messages_only_the_lost_ones_are_sent_again(connect: Any, received: int) -> None:
    hub, page = connect(timeout=0.05)
    hub.post(spikes(1))
    page.wait(1)
    with hub.together(urgent=True):
        hub.post(spikes(2))
    page.wait(2)
    page.say(type="missing", seq=2, received=received)
    if received:
        page.say(type="ack", seq=received)
    again = page.wait(3)[2]
    assert np.frombuffer(again[1][0], np.uint32).tolist() == [1, 2][received:]


def test_spikes_wait_for_the_page_and_none_is_lost(connect: Any) -> None:
    hub, page = connect()
    for cell in range(0, 1000, 2):
        hub.post(spikes(cell, cell + 1))
        if page.of("tick"):
            page.say(type="ack", seq=page.of("tick")[-1][0]["seq"])
    page.say(type="ack", seq=page.of("tick")[-1][0]["seq"])
    page.quiet()
    assert page.events("cell", "uint32").tolist() == list(range(1000))


def test_spikes_beyond_the_limit_are_counted_not_hidden(connect: Any) -> None:
    hub, page = connect(max_events=10)
    hub.post(spikes(0))
    page.wait(1)
    hub.post(spikes(*range(1, 26)))
    page.say(type="ack", seq=1)
    assert page.wait(2)[1][0]["parts"][0]["fields"] == {"dropped": 15}
    assert page.events("cell", "uint32").tolist() == [0, *range(16, 26)]
    assert hub.stats.dropped == 15


def test_many_threads_may_post(connect: Any) -> None:
    hub, page = connect(acknowledge=True, max_rate=1000.0)
    n_threads, n_posts = 8, 200

    def work(thread: int) -> None:
        for i in range(n_posts):
            hub.post(spikes(thread * n_posts + i))
            hub.post(frame(i))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 5
    while len(page.events("cell", "uint32")) < n_threads * n_posts and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(page.events("cell", "uint32").tolist()) == list(range(n_threads * n_posts))
    assert hub.stats.dropped == 0


def test_it_never_sends_faster_than_asked(connect: Any) -> None:
    hub, page = connect(acknowledge=True, max_rate=50.0)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        hub.post(frame(0))
    assert 2 <= len(page.of("tick")) <= 17


class TestAPageThatDoesNotAnswer:
    """It is hidden, closed, reloading, or the server dropped the message."""

    def test_is_asked_at_a_slow_rate_and_sent_no_data(self, connect: Any) -> None:
        hub, page = connect(timeout=0.05)
        hub.post(frame(1))
        hub.post(frame(2))
        page.wait(3, "probe")
        assert len(page.of("tick")) <= 1
        assert hub.stats.timeouts >= 3

    def test_gets_the_newest_as_soon_as_it_paints_again(self, connect: Any) -> None:
        hub, page = connect(timeout=0.05)
        hub.post(frame(1))
        page.wait(1, "probe")
        hub.post(frame(2))
        page.say(type="ack", seq=1)
        assert page.wait(2)[1][0]["parts"][0]["fields"] == {"time": 2}

    def test_gets_a_lost_message_again_once(self, connect: Any) -> None:
        hub, page = connect(timeout=0.05)
        hub.post(spikes(1, 2))
        seq = page.wait(1, "probe")[0][0]["seq"]
        hub.post(spikes(3))
        page.say(type="missing", seq=seq, received=seq - 1)
        page.say(type="missing", seq=seq, received=seq - 1)
        again = page.wait(2)[1]
        assert np.frombuffer(again[1][0], np.uint32).tolist() == [1, 2, 3]
        assert hub.stats.resent == 1

    def test_a_late_answer_to_an_old_message_frees_nothing(self, connect: Any) -> None:
        hub, page = connect()
        hub.post(frame(1))
        page.wait(1)
        page.say(type="ack", seq=1)
        hub.post(frame(2))
        page.wait(2)
        hub.post(frame(3))
        page.say(type="ack", seq=1)
        assert page.quiet() == 2


class TestAPageThatLoads:
    class View:
        """Anything that can post its state."""

        def __init__(self, hub: Hub) -> None:
            self.hub = hub

        def resync(self) -> None:
            self.hub.post(frame(42), replace=True)

    def test_gets_the_state_of_every_view_though_the_last_message_is_unanswered(self, connect: Any) -> None:
        hub, page = connect()
        view = self.View(hub)
        hub.register(view)
        hub.post(frame(1))
        page.wait(1)
        page.say(type="hello")
        assert page.wait(2)[1][0]["parts"][0]["fields"] == {"time": 42}

    def test_gets_what_was_set_on_foreign_widgets(self, connect: Any) -> None:
        hub, page = connect(acknowledge=True)
        widget = FloatText()
        hub.set(widget, x=np.arange(3.0), value=1.0)
        hub.set(widget, value=2.0)
        page.wait(1)
        page.quiet()
        page.say(type="hello")
        content, buffers = page.of("tick")[-1] if page.quiet() else page.wait(1)[-1]
        part = content["parts"][0]
        assert (part["to"], part["kind"], part["fields"]) == (widget.model_id, "set", {"value": 2.0})
        assert np.frombuffer(buffers[0], np.float64).tolist() == [0.0, 1.0, 2.0]

    def test_is_not_sent_views_that_are_gone(self, connect: Any) -> None:
        hub, page = connect()
        hub.register(self.View(hub))
        gc.collect()
        page.say(type="hello")
        assert page.quiet() == 0


def test_an_error_while_sending_is_reported_and_the_next_tick_goes_through(connect: Any) -> None:
    errors: list[Exception] = []
    hub, page = connect(on_error=errors.append, timeout=0.05)
    send, page.send = page.send, lambda **_: 1 / 0
    hub.post(frame(1))
    deadline = time.monotonic() + 5
    while not errors and time.monotonic() < deadline:
        time.sleep(0.01)
    page.send = send
    seq = page.wait(1, "probe")[0][0]["seq"]
    page.say(type="missing", seq=seq, received=seq - 1)
    assert page.wait(1)[0][0]["parts"][0]["fields"] == {"time": 1}
    assert isinstance(errors[0], ZeroDivisionError)


def test_closing_ends_the_thread(connect: Any) -> None:
    before = threading.active_count()
    hub, page = connect()
    hub.post(frame(1))
    page.wait(1)
    hub.close()
    assert threading.active_count() == before
    hub.post(frame(2))
    assert threading.active_count() == before


def test_the_thread_does_not_keep_a_hub_alive(connect: Any) -> None:
    hub, page = connect()
    hub.post(frame(1))
    page.wait(1)
    pump = weakref.ref(hub._pump)
    thread = pump()._thread  # type: ignore[union-attr]
    hub.close()
    assert thread is not None and not thread.is_alive()


def test_links_name_both_ends_and_how_the_value_is_made(connect: Any) -> None:
    hub, _ = connect()
    source, target = FloatText(), FloatText()
    hub.link(source, "value", target, "value", scale=2.0, save=True)
    assert hub.links == [
        {
            "source": source.model_id,
            "attr": "value",
            "target": target.model_id,
            "to": "value",
            "scale": 2.0,
            "save": True,
        }
    ]
    with pytest.raises(TypeError, match="factor"):
        hub.link(source, "value", target, "value", factor=2.0)
