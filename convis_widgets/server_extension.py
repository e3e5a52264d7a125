"""Part of the notebook server: small messages from a kernel reach the page at once.

A kernel says "busy" before it answers. The network holds back the answer, which is as small, until the page's machine
has confirmed the first message, and that waits for 40 ms (Nagle's algorithm against delayed acknowledgement). Between
a slider and its curve it was the longest wait of all. The server loads this file by the name in
``server_extension.json``; it must import nothing heavy.
"""

from __future__ import annotations

from typing import Any

__all__ = ["without_delay"]

SETTING = "kernel_websocket_connection_class"


def without_delay(connection: type) -> type:
    """Derive a class of connections between kernel and page that sends every message at once.

    Parameters
    ----------
    connection : type
        Subclass of Jupyter's ``BaseKernelWebsocketConnection``.

    Returns
    -------
    type
    """

    def connect(self: Any) -> Any:
        self.websocket_handler.set_nodelay(True)
        return connection.connect(self)  # type: ignore[attr-defined]

    return type(f"Prompt{connection.__name__}", (connection,), {"connect": connect})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    settings = server.web_app.settings
    if SETTING in settings:
        settings[SETTING] = without_delay(settings[SETTING])
