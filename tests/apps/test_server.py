"""The stand-alone page: reached with the token only, and gone without a trace."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest

from convis_core.errors import ConvisError

pytest.importorskip("voila")

SERVE = """
import signal, sys
from pathlib import Path
from convis_widgets.apps.server import serve
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.exit(serve(Path(sys.argv[1]), port=int(sys.argv[2]), open_browser=len(sys.argv) > 3))
"""


@pytest.fixture
def server(tmp_path: Path, free_port: int) -> Iterator[subprocess.Popen[str]]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('the page ' + 'ran')")])
    nbformat.write(notebook, tmp_path / "page.ipynb")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "page.ipynb"), str(free_port)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    with process:
        yield process
        process.kill()


def get(address: str) -> tuple[int, str]:
    """Status and text of a page, following redirects as a browser does."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    try:
        with opener.open(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_page_needs_its_token_and_leaves_no_kernel(server: subprocess.Popen[str], free_port: int) -> None:
    assert server.stdout is not None
    address = server.stdout.readline().split()[-1]
    base = f"http://127.0.0.1:{free_port}/"
    assert address.startswith(f"{base}?token=")

    for refused in (base, f"{base}?token=wrong", f"{base}voila/render/page.ipynb"):
        assert "the page ran" not in get(refused)[1], refused
    status, page = get(address)
    assert (status, "the page ran" in page) == (200, True)

    kernels = psutil.Process(server.pid).children(recursive=True)
    assert kernels, "the page's kernel runs while the page is served"
    started = time.monotonic()
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=20) == 0
    gone, alive = psutil.wait_procs(kernels, timeout=5)
    assert (len(gone), alive) == (len(kernels), [])
    assert time.monotonic() - started < 20


def test_only_this_machine_can_reach_it(server: subprocess.Popen[str], free_port: int) -> None:
    assert server.stdout is not None
    server.stdout.readline()
    listening = {c.laddr.ip for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def serve_and_open(folder: Path, port: int, browser: str) -> subprocess.Popen[str]:
    """Serve a page of this folder and open it in a browser that is a shell script."""
    nbformat.write(nbformat.v4.new_notebook(), folder / "page.ipynb")
    program, temporary = folder / "browser", folder / "temporary"
    program.write_text(f"#!/bin/sh\n{browser}")
    program.chmod(0o755)
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder / "page.ipynb"), str(port), "open"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "BROWSER": str(program), "TMPDIR": str(temporary)},
    )


def test_the_browser_is_led_there_without_a_trace_of_the_token(tmp_path: Path, free_port: int) -> None:
    opened = tmp_path / "opened"
    with serve_and_open(tmp_path, free_port, f'echo "$1" > {opened}') as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        deadline = time.monotonic() + 20
        while not (opened.exists() and opened.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        page = Path(opened.read_text().strip().removeprefix("file://"))
        assert page.parent == tmp_path / "temporary" and address in page.read_text()
        assert page.stat().st_mode & 0o077 == 0, "others on this machine cannot read it"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert not page.exists()


def test_it_ends_as_politely_while_the_browser_opens(tmp_path: Path, free_port: int) -> None:
    with serve_and_open(tmp_path, free_port, "kill -INT $PPID") as process:
        assert process.wait(timeout=20) == 0
        assert os.listdir(tmp_path / "temporary") == []


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens, with a free one behind it."""
    with socket.socket() as listener:
        for port in range(42000, 60000):
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", port + 1))
                listener.bind(("127.0.0.1", port))
                break
        listener.listen()
        yield port


def test_the_next_port_is_used_where_one_is_taken(taken: int) -> None:
    from convis_widgets.apps.server import free_port

    assert free_port(taken) == taken + 1
    assert free_port(taken + 1) == taken + 1


def test_without_a_free_port_it_says_so(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from convis_widgets.apps import server

    monkeypatch.setattr(server, "LAST_PORT", taken)
    with pytest.raises(ConvisError, match=f"All ports from {taken} to {taken} are taken. Choose another"):
        server.free_port(taken)


def test_a_port_that_one_may_not_open_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from convis_widgets.apps.server import free_port

    asked: list[int] = []

    def bind(self: socket.socket, address: tuple[str, int]) -> None:
        asked.append(address[1])
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(ConvisError, match=r"may not open port 80\. Choose one from 1024"):
        free_port(80)
    assert asked == [80]
