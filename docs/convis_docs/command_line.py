"""The page on ``python -m convis_core``, as the program itself explains it."""

from __future__ import annotations

import contextlib
import io
import os
import re
from unittest import mock

from convis_core.cli import main

__all__ = ["command_line"]


def command_line() -> str:
    """Help of the program and of each of its commands."""
    whole = _help()
    commands = re.findall(r"^    (\w+)  ", whole.partition("COMMAND\n")[2], flags=re.MULTILINE)
    parts = [f"## {name}\n\n```text\n{_help(name)}```\n" for name in commands]
    return "\n".join([f"# The command line\n\n```text\n{whole}```\n", *parts])


def _help(*command: str) -> str:
    shown = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "88"}),
        contextlib.redirect_stdout(shown),
        contextlib.suppress(SystemExit),
    ):
        main([*command, "--help"])
    return shown.getvalue()
