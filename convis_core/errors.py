"""The errors convis raises. Each message says what was expected, what came, and what to do."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ConvisError",
    "FileFormatError",
    "FileWriteError",
    "FitError",
    "MissingDependencyError",
    "ParameterError",
    "ResolutionError",
    "ResolutionWarning",
    "RunError",
    "ShapeError",
    "StateError",
    "StreamError",
    "UnknownNameError",
    "VideoError",
    "VideoWarning",
]


class ConvisError(Exception):
    """Base of every error raised on purpose by convis.

    Parameters
    ----------
    message : str
        What was expected and what came instead.
    remedy : str, optional
        What the user can do about it. Appended to the message.

    Attributes
    ----------
    output : Output or None
        Everything a run had computed before the error ended it.
    """

    output: Any = None

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())


class ShapeError(ConvisError, ValueError):
    """A tensor has the wrong number of axes, or an axis has the wrong length."""


class ParameterError(ConvisError, ValueError):
    """A parameter was given a value it cannot take."""


class ResolutionError(ConvisError, ValueError):
    """A resolution, a duration in steps or a chunk length makes no sense."""


class UnknownNameError(ConvisError, KeyError, AttributeError):
    """A name was asked for that does not exist; the message lists those that do."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return f"{self.message} {self.remedy}".strip()


class StateError(ConvisError, RuntimeError):
    """The state carried between chunks does not fit what is asked of it."""


class StreamError(ConvisError, ValueError):
    """A stream cannot deliver, or does not deliver what a model can take."""


class VideoError(StreamError, OSError):
    """A video or image file is missing, broken or of a kind that cannot be read."""

    __str__ = ConvisError.__str__


class FileFormatError(ConvisError, ValueError):
    """A file is broken or holds something else than was expected."""


class FileWriteError(ConvisError, OSError):
    """A file cannot be written: its folder, its name, its permissions or the space left are in the way."""

    __str__ = ConvisError.__str__


class FitError(ConvisError, RuntimeError):
    """A fit cannot start or cannot go on."""


class MissingDependencyError(ConvisError, ImportError):
    """An optional package is needed and absent; the message says how to install it."""


class RunError(ConvisError, RuntimeError):
    """A model raised in the middle of a run.

    Attributes
    ----------
    frame : int
        First frame of the chunk in which it happened.
    """

    def __init__(self, message: str, remedy: str = "", *, frame: int = 0) -> None:
        super().__init__(message, remedy)
        self.frame = frame


class ResolutionWarning(UserWarning):
    """An input was sampled at another rate than the model it is given to."""


class VideoWarning(UserWarning):
    """A video file is damaged but can be used in part, or could not be written as it was given."""
