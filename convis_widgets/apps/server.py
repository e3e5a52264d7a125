"""A notebook served as a page by Voila: on this machine only, behind a token, gone with Ctrl-C."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from voila.app import Voila

from convis_core.errors import ConvisError
from convis_widgets.server_extension import without_delay

__all__ = ["serve"]


LAST_PORT = 65535
PORTS_TRIED = 50
TEMPLATE = Path(__file__).with_name("page")
NEEDS_JUPYTERLAB = "@jupyter-notebook/lab-extension"
"""A part of Notebook 7 that finds no JupyterLab on the page, and fails there with an error."""


class _ExplorerServer(Voila):
    """Voila, saying its whole address once it listens."""

    open_page = False
    redirect: Path | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def random_ports(self, port: int, n: int) -> Iterator[int]:
        # Voila's own leave the range, and that of what the user may open
        yield from range(port, min(port + n, LAST_PORT + 1))

    def launch_browser(self) -> None:
        # as events of the loop: the exception that Python raises by default is lost in a callback written in C
        loop: Any = IOLoop.current()
        with suppress(NotImplementedError):  # on Windows
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.asyncio_loop.add_signal_handler(number, loop.stop)
        # Voila's own leaves out the token; this is also the moment at which the port is known
        print(f"The explorer is at {self.address}\nCtrl-C ends it.", flush=True)
        if self.open_page:
            self.open_redirect()

    def open_redirect(self) -> None:
        # through a file only the user can read: a command line with the token in it could be seen by others
        with tempfile.NamedTemporaryFile("w", prefix="convis-explore-", suffix=".html", delete=False) as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={self.address}">')
        self.redirect = Path(file.name)
        webbrowser.open(self.redirect.as_uri())


def serve(notebook: Path, *, port: int, open_browser: bool) -> int:
    """Serve a notebook until Ctrl-C (or SIGTERM), then end its kernels.

    Parameters
    ----------
    notebook : Path
        Each visitor gets a kernel of their own that runs it.
    port : int
        Port on the loopback interface; the next free one after it if it is taken.
    open_browser : bool
        Open the page in the user's browser.

    Returns
    -------
    int
        Exit code 0.

    Raises
    ------
    ConvisError
        If the user may not open this port, or the next fifty are all taken.
    """
    server = _ExplorerServer(
        token=secrets.token_hex(16),
        ip="127.0.0.1",
        port=free_port(port),
        port_retries=PORTS_TRIED,
        open_browser=True,
        # what is below concerns those who run servers; errors are shown
        log_level=logging.ERROR,
    )
    logging.getLogger("tornado").setLevel(logging.ERROR)
    server.kernel_websocket_connection_class = without_delay(server.kernel_websocket_connection_class)
    server.open_page = open_browser
    server.initialize([str(notebook)])
    server.template_paths.insert(0, str(TEMPLATE))
    server.voila_configuration.extension_denylist.append(NEEDS_JUPYTERLAB)
    try:
        server.start()
    finally:
        if server.redirect is not None:
            server.redirect.unlink(missing_ok=True)
    print("\nThe explorer has ended.", file=sys.stderr)
    return 0


def free_port(first: int) -> int:
    """Find a port of the loopback interface on which nobody listens.

    Parameters
    ----------
    first : int
        Where to begin; fifty are tried.

    Returns
    -------
    int

    Raises
    ------
    ConvisError
        If the user may not open the port, or none is free.

    Examples
    --------
    >>> free_port(20000) >= 20000
    True
    """
    last = min(first + PORTS_TRIED - 1, LAST_PORT)
    for port in range(first, last + 1):
        with socket.socket() as probe:
            if os.name == "posix":  # as a server does; elsewhere it means that two may share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except PermissionError as error:
                raise ConvisError(f"You may not open port {port}.", "Choose one from 1024 to 65535.") from error
            except OSError:  # taken
                continue
        return port
    raise ConvisError(f"All ports from {first} to {last} are taken.", "Choose another one.")
