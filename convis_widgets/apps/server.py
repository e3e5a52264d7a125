"""A notebook served as a page by Voila: on this machine only, behind a token, gone with Ctrl-C."""

from __future__ import annotations

import logging
import secrets
import signal
import sys
import tempfile
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from voila.app import Voila

from convis_widgets.server_extension import without_delay

__all__ = ["serve"]


class _ExplorerServer(Voila):
    """Voila, saying its whole address once it listens."""

    open_page = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def launch_browser(self) -> None:
        # Voila's own leaves out the token; this is also the moment at which the port is known
        print(f"The explorer is at {self.address}\nCtrl-C ends it.", flush=True)
        if self.open_page:
            self.open_redirect()
        # as events of the loop: the exception that Python raises by default is lost in a callback written in C
        loop: Any = IOLoop.current()
        with suppress(NotImplementedError):  # on Windows
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.asyncio_loop.add_signal_handler(number, loop.stop)

    def open_redirect(self) -> None:
        # through a file only the user can read: a command line with the token in it could be seen by others
        with tempfile.NamedTemporaryFile("w", prefix="convis-explore-", suffix=".html", delete=False) as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={self.address}">')
        webbrowser.open(Path(file.name).as_uri())


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
    """
    server = _ExplorerServer(
        token=secrets.token_hex(16), ip="127.0.0.1", port=port, open_browser=True, log_level=logging.WARNING
    )
    server.kernel_websocket_connection_class = without_delay(server.kernel_websocket_connection_class)
    server.open_page = open_browser
    server.initialize([str(notebook)])
    server.start()
    print("\nThe explorer has ended.", file=sys.stderr)
    return 0
