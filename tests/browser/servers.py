"""Servers for the browser tests: a process of its own in a folder of its own, gone when the test is."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTUP_SECONDS = 120


def jupyter_environment(home: Path) -> dict[str, str]:
    """Variables that keep every Jupyter file of a process, settings and workspaces too, under ``home``."""
    folders = {
        "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
    }
    # IPython would otherwise warn about a frozen debugger on standard error, where the log is read.
    return os.environ | {name: str(path) for name, path in folders.items()} | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@dataclass(frozen=True)
class Server:
    """A running server: where it is, its token, the folder of all its files, its working folder and its log."""

    url: str
    token: str
    home: Path
    folder: Path
    log: Path

    def address(self, path: str, query: str = "") -> str:
        """The address of a page, with the token."""
        return f"{self.url}{path}?token={self.token}{query}"

    def api(self, path: str, method: str = "GET") -> Any:
        """Call the server's REST interface and return the decoded answer, None where it is empty."""
        request = urllib.request.Request(
            f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def stop_session(self, name: str) -> None:
        """End the kernel of a notebook."""
        for session in self.api("sessions"):
            if session["path"] != name:
                continue
            with suppress(urllib.error.HTTPError):  # it ended by itself meanwhile
                self.api(f"sessions/{session['id']}", method="DELETE")


@contextmanager
def running(command: list[str], *, folder: Path, log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, and end it politely, then for certain."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when ``url`` answers at all; fail with the log's end when the process dies or the time is up."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    end = log.read_text()[-3000:]
    raise RuntimeError(f"No answer from the server (exit code {process.poll()}). Its log ends:\n{end}")


def silence_news(settings: Path) -> None:
    """Answer JupyterLab's question about its news, which would lie over the corner of every page."""
    file = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))


@contextmanager
def jupyterlab(home: Path, port: int) -> Iterator[Server]:
    """A JupyterLab server with a token and without news, whose files are all under ``home``."""
    folder, log, token = home / "notebooks", home / "lab.log", secrets.token_hex(16)
    folder.mkdir(parents=True)
    silence_news(home / "settings")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.extension_manager=readonly", "--JupyterNotebookApp.expose_app_in_browser=True"),
    ]
    url = f"http://127.0.0.1:{port}/"
    with running(command, folder=folder, log=log, env=jupyter_environment(home)) as process:
        wait_for_answer(f"{url}api", process, log)
        yield Server(url, token, home, folder, log)
