"""The ffmpeg program, run so that no process and no open file is ever left behind."""

from __future__ import annotations

import re
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Final

import imageio_ffmpeg

from convis_core.errors import MissingDependencyError

__all__ = ["Process", "program", "without_address"]

_ADDRESS: Final = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] *")


class Process:
    """A running ffmpeg that is stopped and reaped at the latest when this object is forgotten."""

    def __init__(self, arguments: Sequence[str], *, is_fed: bool = False) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe nobody reads would block ffmpeg)
        self._process = subprocess.Popen(
            [program(), "-hide_banner", "-nostdin", "-v", "error", *arguments],
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C and the notebook's stop button interrupt a run, not the film it reads
        )
        self.pipe: IO[bytes] = _only(self._process.stdin, self._process.stdout)
        self._stop = weakref.finalize(self, _stop, self._process, self._errors)

    def finish(self) -> str:
        """Wait for the end; return what ffmpeg complained about, empty if it was content."""
        with suppress(BrokenPipeError):  # it ended by itself, and says below why
            self.pipe.close()
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self.stop()
        return without_address(lines[-1]) if lines else f"ffmpeg ended with code {code}" if code else ""

    def stop(self) -> None:
        """End it at once. Stopping twice does nothing."""
        self._stop()


def program() -> str:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingDependencyError(
            "The ffmpeg program, which reads and writes films, was not found.",
            "Install it with: pip install imageio-ffmpeg",
        ) from error


def without_address(line: str) -> str:
    """Take out of an ffmpeg message what only its programmers need.

    Examples
    --------
    >>> without_address("[mov @ 0x55f8b47c6b80] moov atom not found")
    'moov atom not found'
    """
    return _ADDRESS.sub("", line).strip()


def _only(*pipes: IO[bytes] | None) -> IO[bytes]:
    return next(pipe for pipe in pipes if pipe is not None)


def _stop(process: subprocess.Popen[bytes], errors: IO[Any]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what was still to be fed is lost, as it should be when stopped
                pipe.close()
    process.wait()
    errors.close()
