"""The notebook server's part: it is found by the server, light, and sends small messages at once."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from convis_widgets.server_extension import SETTING, _load_jupyter_server_extension, without_delay
from tests.conftest import ROOT


class Connection:
    """Stands for Jupyter's connection between a kernel and a page."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.websocket_handler = SimpleNamespace(set_nodelay=lambda value: self.calls.append(value))

    def connect(self) -> str:
        self.calls.append("connected")
        return "joined"


def test_the_network_is_told_before_the_first_message() -> None:
    connection = without_delay(Connection)()
    assert isinstance(connection, Connection)
    assert connection.connect() == "joined"
    assert connection.calls == [True, "connected"]


def test_whatever_connection_the_server_uses_is_kept() -> None:
    settings = {SETTING: Connection}
    _load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=settings)))
    assert issubclass(settings[SETTING], Connection) and settings[SETTING] is not Connection
    nothing: dict[str, Any] = {}
    _load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=nothing)))
    assert nothing == {}


def test_the_server_s_own_connection_still_has_what_is_derived_from() -> None:
    channels = pytest.importorskip("jupyter_server.services.kernels.connection.channels")
    assert "websocket_handler" in channels.ZMQChannelsWebsocketConnection.class_trait_names()
    assert callable(channels.ZMQChannelsWebsocketConnection.connect)


def test_an_installed_server_finds_and_loads_it() -> None:
    pytest.importorskip("jupyter_server")
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True, timeout=120
    )
    lines = [line for line in (listed.stdout + listed.stderr).splitlines() if "convis_widgets.server_extension" in line]
    assert any("enabled" in line for line in lines), listed.stderr
    assert any("OK" in line for line in lines), listed.stderr
    named = json.loads((ROOT / "convis_widgets" / "server_extension.json").read_text())
    assert named == {"ServerApp": {"jpserver_extensions": {"convis_widgets.server_extension": True}}}


def test_the_server_loads_nothing_heavy_for_it() -> None:
    code = "import sys, convis_widgets.server_extension; print({'torch', 'bqplot', 'convis_core'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr
