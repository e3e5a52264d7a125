"""Playing a fit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from convis_core import FitStep, Layer, fit
from convis_core.loops.pairs import Pairs
from convis_widgets.live.player import Player

__all__ = ["FitPlayer"]


class FitPlayer(Player[FitStep]):
    """Plays a fit.

    Parameters
    ----------
    model : Layer
        The model to fit; while the player lives, touch it only through `submit`.
    input, target : array, tensor or Stream
        Stimulus and recorded response.
    dt : int, optional
        Frames per chunk.
    epochs : int
        Passes over the data.
    **options
        Further options of `convis_core.fit`.
    """

    def __init__(
        self, model: Layer, input: Any, target: Any, dt: int | None = None, epochs: int = 100, **options: Any
    ) -> None:
        self.model, self.input, self.target, self.dt = model, input, target, dt
        self.epochs, self.options = epochs, options
        self.chunks = 0
        pairs = Pairs.of(input, target, dt)
        self._round = epochs * -(-(pairs.stimulus.length or 0) // pairs.length)
        self.total = self._round
        self._initial = model.get_parameters()
        super().__init__()

    def events(self, fresh: bool) -> Iterator[FitStep]:
        self.total = self.chunks + self._round
        return fit(self.model, self.input, self.target, dt=self.dt, epochs=self.epochs, **self.options)

    def report(self) -> dict[str, Any]:
        return {"rate": self.rate, "unit": "chunks", "position_s": self.chunks, "duration_s": self.total}

    def advance(self, event: FitStep) -> int:
        self.chunks += event.n_chunks
        return event.n_chunks

    def restart(self) -> None:
        """Begin afresh, from the parameters that the model had at first."""
        self._driver.stop()
        self.submit(self._reset)
        self._driver.start()

    def _reset(self) -> None:
        self.model.set_parameters(self._initial)
        self.chunks = 0
        self._rewind()

    def set_optimizer(self, name: str, lr: float) -> Future[object]:
        """Go on with another optimiser or learning rate; the parameters stay."""
        return self.submit(lambda: getattr(self.model.set_optimizer, name)(lr=lr))
