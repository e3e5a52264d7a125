"""Small things to play: a model that is quick, and players that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from convis_core.models import CentreSurround, L
from convis_widgets.live.player import Player, RunPlayer


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
