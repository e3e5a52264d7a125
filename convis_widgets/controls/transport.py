"""Buttons and position bar of a player."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from convis_core.errors import ConvisError
from convis_widgets.live.front_end import front_end
from convis_widgets.live.hub import Hub
from convis_widgets.live.widget import LiveWidget

__all__ = ["Transport"]

OnCommand = Callable[[str, Any], object]


class Transport(LiveWidget):
    """Show where a player stands and pass on what it is told.

    Wire: fields ``{state, position_s, duration_s | None, rate, chunk_ms, speed, error: {message, remedy} | None}``;
    the page sends ``{type: "command", name, value}`` with name ``play | pause | step | stop | restart``, ``seek``
    (value: s), ``chunk`` (value: ms) or ``speed`` (value: multiple of real time, None for as fast as it goes).

    Parameters
    ----------
    seekable : bool
        Whether the position can be set.
    hub
        See :class:`~convis_widgets.live.widget.LiveWidget`.

    Examples
    --------
    >>> transport = Transport()
    >>> transport.on_command(lambda name, value: print(name, value))
    >>> transport.show(state="playing", position_s=0.25, duration_s=8.5, rate=4120.0, chunk_ms=50.0)
    >>> transport.close()
    """

    _esm = front_end("transport.js")
    seekable = traitlets.Bool(False).tag(sync=True)

    def __init__(self, hub: Hub | None = None, **kwargs: Any) -> None:
        super().__init__(hub, **kwargs)
        self._on_command: list[OnCommand] = []

    def on_command(self, callback: OnCommand) -> None:
        """Have ``callback(name, value)`` called for each command of the page; it may come on any thread.

        A :class:`~convis_core.errors.ConvisError` it raises is shown in the error strip.
        """
        self._on_command.append(callback)

    def show(self, **fields: Any) -> None:
        """Show whichever fields are given, from any thread.

        Parameters
        ----------
        **fields
            ``state`` ("idle", "playing", "paused", "finished", "error"), ``position_s``, ``duration_s`` (None for an
            endless run), ``rate`` (frames/s), ``chunk_ms``, ``speed``.
        """
        self.post(fields)

    def show_error(self, message: str, remedy: str = "") -> None:
        """Show an error strip until the next command."""
        self.post({"error": {"message": message, "remedy": remedy}})

    def _command(self, content: Mapping[str, Any]) -> None:
        if content.get("type") != "command":
            return
        self.post({"error": None})
        try:
            for callback in self._on_command:
                callback(content["name"], content.get("value"))
        except ConvisError as error:
            self.show_error(error.message, error.remedy)
