"""Small things to play: a model that is quick, players that end with the test, and a page that is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from convis_core.models import CentreSurround, L
from convis_widgets.live.hub import Hub
from convis_widgets.live.player import Player
from convis_widgets.live.run_player import RunPlayer


@pytest.fixture
def cells() -> CentreSurround:
    """ON and OFF cells with a short filter."""
    return CentreSurround(duration=0.02, extent=0.2, seed=1)


@pytest.fixture
def frames() -> np.ndarray:
    """A second of frames that drive the cells."""
    return np.random.default_rng(1).random((200, 8, 9), dtype=np.float32)


@pytest.fixture
def make_player() -> Iterator[Callable[..., RunPlayer]]:
    """Makes players as fast as they go, and closes them."""
    made: list[Player[Any]] = []

    def make(*arguments: Any, **options: Any) -> RunPlayer:
        model, stimulus = arguments or (L(bias=False), np.zeros((100, 4, 4)))
        player = RunPlayer(model, stimulus, **{"speed": None, **options})
        made.append(player)
        return player

    yield make
    for player in made:
        player.close()


class Page:
    """The far end of a hub: it records what comes and answers only when told to.

    It stands in for the comm of any widget, so that the messages are those of the real protocol.
    """

    comm_id = "page"

    def __init__(self, *, acknowledge: bool = False) -> None:
        self.messages: list[tuple[dict[str, Any], list[Any]]] = []
        self._answer = acknowledge
        self._handler: Callable[[dict[str, Any]], object] = lambda message: None
        self._came = threading.Condition()

    def on_msg(self, handler: Callable[[dict[str, Any]], object]) -> None:
        self._handler = handler

    def close(self, *_: Any, **__: Any) -> None:
        pass

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        if data["method"] != "custom":
            return
        content = data["content"]
        with self._came:
            self.messages.append((content, [bytes(buffer) for buffer in buffers or []]))
            self._came.notify_all()
        if self._answer and content["type"] == "tick":
            self.say(type="ack", seq=content["seq"], paint_ms=1.0)

    def say(self, **content: Any) -> None:
        """Send a custom message to the kernel."""
        self._handler({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def wait(self, n: int, kind: str = "tick", timeout: float = 5.0) -> list[tuple[dict[str, Any], list[Any]]]:
        """Wait until ``n`` messages of a kind have come and return them."""
        with self._came:
            enough = self._came.wait_for(lambda: len(self.of(kind)) >= n, timeout)
        assert enough, f"{len(self.of(kind))} messages of kind {kind} came, not {n}"
        return self.of(kind)

    def of(self, kind: str) -> list[tuple[dict[str, Any], list[Any]]]:
        return [message for message in self.messages if message[0]["type"] == kind]

    def quiet(self, seconds: float = 0.08) -> int:
        """Give the hub time to send something it should not; returns how many ticks have come."""
        time.sleep(seconds)
        return len(self.of("tick"))

    def events(self, name: str, dtype: str) -> np.ndarray:
        """All appended events of a name, in the order in which they came."""
        found = [np.empty(0, dtype)]
        for content, buffers in self.of("tick"):
            for part in content["parts"]:
                arrays = [array for array in part["arrays"] if array["name"] == name and array["append"]]
                found += [np.frombuffer(buffers[array["buffer"]], dtype) for array in arrays]
        return np.concatenate(found)


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[Hub, Page]]]:
    """Makes hubs that talk to a page, and closes them."""
    made: list[Hub] = []

    def make(*, acknowledge: bool = False, **options: Any) -> tuple[Hub, Page]:
        hub = Hub(**options)
        page = Page(acknowledge=acknowledge)
        hub.wire.comm = page
        made.append(hub)
        return hub, page

    yield make
    for hub in made:
        hub.close()
