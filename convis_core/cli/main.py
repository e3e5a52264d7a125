"""From the command line to an exit code, with messages for people."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Final

from convis_core import __version__
from convis_core.cli import convert, describe, impulse, run
from convis_core.errors import ConvisError

__all__ = ["main"]

DONE: Final = 0
UNUSABLE: Final = 2
"""What was given cannot be used; the message says why. argparse ends with this number too."""
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what a command line says.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; that of the process by default.

    Returns
    -------
    int
        0 when done, 2 for something that cannot be used, 130 after Ctrl-C.

    Examples
    --------
    >>> import os, tempfile
    >>> main(["convert", "--default", os.path.join(tempfile.mkdtemp(), "retina.xml")])
    0
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = _show_warning
        try:
            options.command(options)
        except (ConvisError, OSError) as error:
            print(f"convis: error: {error}", file=sys.stderr)
            return UNUSABLE
        except KeyboardInterrupt:
            print("convis: stopped; what was finished before is kept.", file=sys.stderr)
            return INTERRUPTED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m convis_core", description="A retina on the command line.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (run, describe, convert, impulse):
        command.add_to(commands)
    return parser


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    print(f"convis: warning: {message}", file=sys.stderr)
