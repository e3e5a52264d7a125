"""Buttons and position bar of a player."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets

from convis_core.errors import ConvisError, RunError
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.player import Player
from convis_widgets.live.widget import LiveWidget

__all__ = ["Transport"]

STATES = {"ready": "idle", "running": "playing", "failed": "error"}
"""What a person reads, where it differs from the name of the driver's state."""


class Transport(LiveWidget):
    """Play, pause, step, stop, restart a player; show where it stands and what went wrong.

    Wire: fields ``{state, position_s, duration_s, rate, unit, chunk_ms, speed, error: {message, remedy}}``;
    the page sends ``{type: "command", name, value}`` with name ``play | pause | step | stop | restart``, ``seek``
    (value: s), ``chunk`` (value: ms) or ``speed`` (value: multiple of real time, None for as fast as it goes).

    Parameters
    ----------
    player : Player
        What the buttons drive.
    hub
        See :class:`~convis_widgets.live.widget.LiveWidget`.

    Examples
    --------
    >>> import numpy as np, convis_core as convis
    >>> from convis_widgets.live.run_player import RunPlayer
    >>> player = RunPlayer(convis.models.L(), np.zeros((100, 4, 4)), speed=None)
    >>> transport = Transport(player)
    >>> player.play()
    >>> player.wait(10.0)
    'finished'
    >>> transport.snapshot().fields["state"]
    'finished'
    >>> transport.close(); player.close()
    """

    _esm = front_end("transport.js")
    seekable = traitlets.Bool(False).tag(sync=True)

    def __init__(self, player: Player[Any], hub: Hub | None = None, **kwargs: Any) -> None:
        super().__init__(hub, **kwargs)
        self.player = player
        self._told: BaseException | None = None
        player.listeners.append(self._refresh)
        self._refresh()

    def show_error(self, message: str, remedy: str = "") -> None:
        """Show an error strip until the next command."""
        self.post({"error": {"message": message, "remedy": remedy}})

    def _refresh(self) -> None:
        self.post({"state": STATES.get(self.player.state, self.player.state), **self.player.report()})
        error = self.player.error
        if error is not None and error is not self._told:
            if isinstance(error, RunError):
                self.show_error(error.message, "What was computed before is still there: player.output.")
            elif isinstance(error, ConvisError):
                self.show_error(error.message, error.remedy)
            else:
                self.show_error(f"{type(error).__name__}: {error}", "The cell's output has the details.")
        self._told = error

    def _command(self, content: Mapping[str, Any]) -> None:
        if content.get("type") != "command":
            return
        self.post({"error": None})
        try:
            self.player.command(content["name"], content.get("value"))
        except ConvisError as error:
            self.show_error(error.message, error.remedy)
