"""Writing files so that a crash at any moment leaves either the old file or the new one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from convis_core.errors import ConvisError, FileWriteError

__all__ = ["atomic_path", "check_target", "user_path", "writing"]

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


def user_path(path: str | os.PathLike[str]) -> Path:
    """Path of a file as a user writes it: ``~`` is the home folder, as in a shell.

    Examples
    --------
    >>> user_path("~/fit.npz") == Path.home() / "fit.npz", user_path("~fit.npz")
    (True, PosixPath('~fit.npz'))
    """
    return Path(os.path.expanduser(path))  # the method of the same name fails where there is no user "fit.npz"


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `target` that replaces it when the block succeeds.

    Raises
    ------
    FileWriteError
        Before the block, if no file of this name can be written; after it, if the disk is full.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as path:
    ...     _ = path.write_text("whole")
    >>> (folder / "a.txt").read_text(), len(list(folder.iterdir()))
    ('whole', 1)
    """
    final = user_path(target)
    check_target(final)
    with writing(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        # not much longer than the name itself, which may be as long as the disk allows
        descriptor, name = tempfile.mkstemp(final.suffix[:20], f".{final.stem[:40]}-", final.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        with _only_of(draft, final):
            yield draft
        with writing(final):
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            draft.chmod(0o666 & ~_umask())
            os.replace(draft, final)
    finally:
        draft.unlink(missing_ok=True)


def check_target(target: Path) -> None:
    """Refuse a name that no file can have, before anything is computed for it."""
    with writing(target):
        try:
            is_folder = stat.S_ISDIR(os.stat(target).st_mode)
        except FileNotFoundError:
            return
        if is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


@contextmanager
def writing(target: str | os.PathLike[str]) -> Iterator[None]:
    """Say of what goes wrong while `target` is written what it was, and what to do.

    Examples
    --------
    >>> with writing("model.npz"):
    ...     raise PermissionError(errno.EACCES, "Permission denied")
    Traceback (most recent call last):
    convis_core.errors.FileWriteError: model.npz cannot be written: permission denied. Choose another folder, ...
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, ConvisError):
            raise
        raise _unwritable(Path(target), error) from error


@contextmanager
def _only_of(draft: Path, final: Path) -> Iterator[None]:
    """Explain what goes wrong with a draft, and let pass what goes wrong with files that are read meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL and str(error.filename) != str(draft):
            raise
        cause = error.__cause__ if isinstance(error, FileWriteError) else error  # the draft has a name of its own
        raise _unwritable(final, cause if isinstance(cause, OSError) else error) from error


def _unwritable(path: Path, error: OSError) -> FileWriteError:
    reason = os.strerror(error.errno) if error.errno else str(error)  # HDF5 has a story of its own for each
    why, remedy = reason[:1].lower() + reason[1:], "Check the folder and the space left."
    in_the_way = next((folder for folder in path.absolute().parents if folder.is_file()), None)
    if error.errno == errno.ENAMETOOLONG:
        why, remedy = f"the name is too long ({len(os.fsencode(path.name))} bytes)", "Choose a shorter one."
    elif in_the_way is not None:
        why, remedy = f"{in_the_way} is a file and no folder", "Choose another folder."
    elif error.errno == errno.EISDIR:
        why, remedy = "it is a folder", "Give the name of a file, or choose another folder."
    elif error.errno in _FORBIDDEN:
        remedy = "Choose another folder, or change its permissions."
    elif error.errno in _FULL:
        remedy = "Make room, or choose another folder."
    told = FileWriteError(f"{path} cannot be written: {why}.", remedy)
    told.errno, told.filename = error.errno, str(path)
    return told


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
