"""A driver does what it is told, in order, on one thread; sleeps otherwise; and never dies silently."""

from __future__ import annotations

import gc
import itertools
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from convis_core.driver import Driver
from convis_core.errors import StateError

SOON = 10.0  # s; far more than anything here takes


@pytest.fixture
def make_driver() -> Iterator[Callable[..., Driver[int]]]:
    drivers: list[Driver[int]] = []

    def make(*args: object, **options: object) -> Driver[int]:
        drivers.append(Driver(*args, **options))  # type: ignore[arg-type]
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.close()
        assert not driver._thread.is_alive()


def test_runs_to_the_end_and_begins_afresh(make_driver: Callable[..., Driver[int]]) -> None:
    seen: list[int] = []
    states: list[str] = []
    driver = make_driver(lambda: iter(range(3)), seen.append, on_change=states.append)
    assert driver.state == "ready"
    driver.start()
    assert driver.wait(SOON) == "finished"
    driver.start()
    assert driver.wait(SOON) == "finished"
    assert seen == [0, 1, 2] * 2
    assert states == ["running", "finished"] * 2


def test_a_step_is_one_event(make_driver: Callable[..., Driver[int]]) -> None:
    seen: list[int] = []
    driver = make_driver(itertools.count, seen.append)
    for _ in range(3):
        driver.step()
        assert driver.wait(SOON) == "paused"
    assert seen == [0, 1, 2]


def test_pause_keeps_the_place_and_stop_gives_it_up(make_driver: Callable[..., Driver[int]]) -> None:
    seen: list[int] = []
    driver = make_driver(itertools.count, seen.append, pace=lambda _: 0.001)
    driver.start()
    time.sleep(0.02)
    driver.pause()
    assert driver.wait(SOON) == "paused"
    reached = len(seen)
    driver.step()
    driver.wait(SOON)
    assert seen == list(range(reached + 1))
    driver.stop().result(SOON)
    assert driver.state == "stopped"
    driver.step()
    driver.wait(SOON)
    assert seen[-1] == 0


def test_commands_are_done_between_events(make_driver: Callable[..., Driver[int]]) -> None:
    inside = threading.Event()
    overlaps: list[bool] = []

    def on_event(_: int) -> None:
        inside.set()
        time.sleep(0.001)
        inside.clear()

    driver = make_driver(itertools.count, on_event)
    driver.start()
    futures = [driver.submit(lambda: overlaps.append(inside.is_set())) for _ in range(20)]
    for future in futures:
        future.result(SOON)
    assert overlaps == [False] * 20


def test_a_job_hands_back_its_result_or_its_error(make_driver: Callable[..., Driver[int]]) -> None:
    driver = make_driver(itertools.count, lambda _: None)
    assert driver.submit(lambda: 6 * 7).result(SOON) == 42
    with pytest.raises(ZeroDivisionError):
        driver.submit(lambda: 1 // 0).result(SOON)
    assert driver.state == "ready"


def test_an_error_is_kept_and_the_next_start_is_fresh(make_driver: Callable[..., Driver[int]]) -> None:
    fail = True

    def numbers() -> Iterator[int]:
        yield 1
        if fail:
            raise SystemExit("from the iterator")

    driver = make_driver(numbers, lambda _: None)
    driver.start()
    assert driver.wait(SOON) == "failed"
    assert isinstance(driver.error, SystemExit)
    fail = False
    driver.start()
    assert driver.wait(SOON) == "finished"
    assert driver.error is None


@pytest.mark.parametrize("where", ["make", "on_event", "on_change", "pace", "close"])
def test_whoever_raises_the_thread_lives_and_says_so(make_driver: Callable[..., Driver[int]], where: str) -> None:
    def bad(*_: object) -> float:
        raise ValueError(where)

    def events() -> Iterator[int]:
        try:
            yield 1
            raise KeyError
        finally:
            if where == "close":
                raise ValueError(where)

    calls: dict[str, Callable[..., object]] = {"make": events, "on_event": lambda _: None}
    driver = make_driver(**{**calls, **({where: bad} if where != "close" else {})})
    driver.start()
    assert driver.wait(SOON) == "failed"
    assert str(driver.error) == where
    assert driver.submit(lambda: "alive").result(SOON) == "alive"


def test_stop_from_within_an_event(make_driver: Callable[..., Driver[int]]) -> None:
    seen: list[int] = []

    def on_event(n: int) -> None:
        seen.append(n)
        if n == 2:
            driver.stop()

    driver = make_driver(itertools.count, on_event)
    driver.start()
    assert driver.wait(SOON) == "stopped"
    assert seen == [0, 1, 2]


def test_close_from_within_an_event_and_twice(make_driver: Callable[..., Driver[int]]) -> None:
    driver = make_driver(itertools.count, lambda _: driver.close())
    driver.start()
    assert driver.wait(SOON) == "closed"
    driver.close()
    driver.close()
    for command in (driver.start, driver.pause, driver.step, driver.stop):
        with pytest.raises(StateError, match="closed"):
            command()


def test_the_thread_cannot_wait_for_itself(make_driver: Callable[..., Driver[int]]) -> None:
    driver = make_driver(lambda: iter([1]), lambda _: driver.wait())
    driver.start()
    assert driver.wait(SOON) == "failed"
    assert isinstance(driver.error, StateError)


def test_the_iterator_is_closed_at_the_end(make_driver: Callable[..., Driver[int]]) -> None:
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    driver = make_driver(numbers, lambda _: None)
    driver.step()
    driver.wait(SOON)
    assert not closed.is_set()
    driver.close()
    assert closed.is_set()


@pytest.mark.parametrize("state", ["ready", "paused", "pacing"])
def test_no_busy_loop(make_driver: Callable[..., Driver[int]], state: str) -> None:
    driver = make_driver(itertools.count, lambda _: None, pace=lambda _: 60.0)
    if state != "ready":
        driver.start()
    if state == "paused":
        driver.pause()
        driver.wait(SOON)
    time.sleep(0.02)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.05


def test_pace_is_kept_and_a_command_cuts_it_short(make_driver: Callable[..., Driver[int]]) -> None:
    driver = make_driver(lambda: iter(range(5)), lambda _: None, pace=lambda _: 0.02)
    started = time.monotonic()
    driver.start()
    driver.wait(SOON)
    assert time.monotonic() - started >= 0.1
    slow = make_driver(itertools.count, lambda _: None, pace=lambda _: 60.0)
    slow.start()
    started = time.monotonic()
    slow.submit(lambda: None).result(SOON)
    slow.pause()
    assert slow.wait(SOON) == "paused"
    assert time.monotonic() - started < 5.0


def test_many_threads_at_once_leave_it_whole(make_driver: Callable[..., Driver[int]]) -> None:
    done = itertools.count()
    seen: list[int] = []
    driver = make_driver(lambda: iter(range(50)), seen.append)

    def hammer(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(200):
            chance.choice([driver.start, driver.pause, driver.step, driver.stop])()
            driver.submit(lambda: next(done))

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    driver.pause()
    assert driver.wait(SOON) in ("ready", "paused", "stopped", "finished")
    assert next(done) == 4 * 200
    assert driver.error is None
    assert all(later in (earlier + 1, 0) for earlier, later in itertools.pairwise(seen))


def test_after_any_command_the_state_can_be_trusted(make_driver: Callable[..., Driver[int]]) -> None:
    driver = make_driver(itertools.count, lambda _: None)
    for _ in range(200):
        driver.start()
        driver.pause()
        assert driver.wait(SOON) in ("ready", "paused")
        driver.start()
        driver.stop()
        assert driver.wait(SOON) in ("ready", "stopped")


def test_a_forgotten_driver_ends_with_its_thread() -> None:
    driver: Driver[int] = Driver(itertools.count, lambda _: None)
    driver.step()
    driver.wait(SOON)
    thread, gone = driver._thread, weakref.ref(driver)
    del driver
    gc.collect()
    thread.join(SOON)
    assert not thread.is_alive()
    assert gone() is None


def test_a_driver_at_work_is_not_forgotten() -> None:
    finished = threading.Event()
    Driver(lambda: iter(range(3)), lambda n: finished.set() if n == 2 else None).start()
    gc.collect()
    assert finished.wait(SOON)
