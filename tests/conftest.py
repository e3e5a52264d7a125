"""What every test may use: the reference folder, and the rule that CI skips nothing it needs."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED_IN_CI = ("browser", "chromium", "distributed", "node", "shared")

# a busy machine is slow, not wrong
hypothesis.settings.register_profile("convis", deadline=None)
hypothesis.settings.load_profile("convis")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout (or where ``CONVIS_SHARED`` says)."""
    folder = Path(os.environ.get("CONVIS_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the shared reference folder is absent: {folder} (set CONVIS_SHARED to it)")
    return folder


def find_free_port() -> int:
    """A port of the loopback interface nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    """A port for the test's own server."""
    return find_free_port()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first; the browser's last, for Playwright leaves an event loop running in the thread."""
    order = {"notebooks": 1, "browser": 2}
    items.sort(key=lambda item: max(order.get(part, 0) for part in item.nodeid.split("::")[0].split("/")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test skipped for a missing browser, node or shared folder has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if any(word in reason.lower() for word in NEEDED_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"Skipped in CI, where nothing it needs may be missing. {reason}"
    return report
