"""``make run``: any name of a film reaches the explorer, and a newcomer reads nothing but the address."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.browser.pages import wait_until
from tests.browser.servers import jupyter_environment, running
from tests.conftest import ROOT

LAB = ROOT / ".ci" / "lab"
ODD = "it's $HOME's `ls` \"film\" $(5) & #2.mp4"


def listens(port: int) -> bool:
    """Whether something answers at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("place", ["argument", "environment"])
def test_the_name_of_a_film_arrives_as_it_was_typed(place: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "js").mkdir()
    (tmp_path / ODD).write_bytes(b"a film")
    stand_in = tmp_path / ".ci" / "lab"
    stand_in.parent.mkdir()
    shutil.copy(LAB.with_name("film"), stand_in.parent)
    stand_in.write_text('#!/bin/sh\nprintf "%s" "$1" > seen')
    stand_in.chmod(0o755)
    given, set_before = ([f"VIDEO={ODD}"], {}) if place == "argument" else ([], {"VIDEO": ODD})
    # without the set-up, which would fetch packages
    subprocess.run(["make", "-o", "setup", "run", *given], cwd=tmp_path, env=os.environ | set_before, check=True)
    assert (tmp_path / "seen").read_text() == ODD


@pytest.mark.parametrize("name", ["no such film.mp4", "docs"])
def test_what_is_no_film_is_refused_before_anything_starts(name: str) -> None:
    done = subprocess.run(["bash", LAB, name], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"there is no file '{name}'" in done.stderr and "Check its name" in done.stderr


@pytest.mark.parametrize("name", ["no such film.mp4", "~/$HOME.mp4", "js", ODD])
def test_what_is_no_film_is_refused_before_the_set_up(name: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "js").mkdir()
    (tmp_path / ".ci").mkdir()
    shutil.copy(LAB.with_name("film"), tmp_path / ".ci")
    for step in ("python-environment", "lab"):
        stand_in = tmp_path / ".ci" / step
        stand_in.write_text(f"#!/bin/sh\ntouch {step}-was-called")
        stand_in.chmod(0o755)
    env = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(["make", "run", f"VIDEO={name}"], cwd=tmp_path, env=env, capture_output=True, text=True)
    seen = name.replace("~", str(tmp_path))
    assert done.returncode == 2 and f"VIDEO: there is no file '{seen}'" in done.stderr, done.stderr
    assert not list(tmp_path.glob("*-was-called"))


def test_it_serves_the_notebook_and_says_no_more_than_where(tmp_path: Path) -> None:
    if not (ROOT / ".venv").exists():
        pytest.skip("no .venv: make setup")
    (tmp_path / ODD).write_bytes(b"a film")
    log = tmp_path / "lab.log"
    # no browser opens, whatever this machine has
    env = jupyter_environment(tmp_path) | {
        "HOME": str(tmp_path),
        "BROWSER": "true",
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
    }
    with running(["bash", str(LAB), f"~/{ODD}"], folder=tmp_path, log=log, env=env) as process:
        address = re.compile(r"(http://127\.0\.0\.1:\d+)(/lab/tree/notebooks/explorer\.ipynb)\?token=(\w+)")
        wait_until(lambda: process.poll() is not None or bool(address.search(log.read_text())), "an address", 60)
        found = address.search(log.read_text())
        assert found, log.read_text()
        assert psutil.Process(process.pid).environ()["CONVIS_VIDEO"] == str((tmp_path / ODD).resolve())
        base, token = found[1], {"Authorization": f"token {found[3]}"}
        with urllib.request.urlopen(urllib.request.Request(base + found[2], headers=token), timeout=30) as answer:
            assert answer.status == 200 and b"JupyterLab" in answer.read()
        request = urllib.request.Request(f"{base}/api/kernels", data=b"{}", headers=token)
        with urllib.request.urlopen(request, timeout=30) as answer:
            kernel = json.load(answer)["id"]
        connection = json.loads((tmp_path / "runtime" / f"kernel-{kernel}.json").read_text())
        assert connection["ip"] == "127.0.0.1"
        # it has said by then what it has to say
        wait_until(lambda: listens(connection["shell_port"]), "the kernel listens", 60)
        lines = log.read_text().splitlines()
        said = "\n".join(line for line in lines if not line.startswith("[IPKernelApp]"))  # the kernel's own words
    assert not re.search("warning|deprecated|not trusted", said, re.IGNORECASE), said
    assert len(said.splitlines()) < 10, said
