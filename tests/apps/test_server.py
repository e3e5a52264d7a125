"""The stand-alone page: reached with the token only, and gone without a trace."""

from __future__ import annotations

import http.cookiejar
import os
import signal
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

pytest.importorskip("voila")

SERVE = """
import signal, sys
from pathlib import Path
from convis_widgets.apps.server import serve
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
sys.exit(serve(Path(sys.argv[1]), port=int(sys.argv[2]), open_browser=False))
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
