"""Where frames come from, and where they can go."""

from convis_core.streams.base import OutputStream, SequenceStream, Stream, as_stream
from convis_core.streams.images import ImageSequence
from convis_core.streams.random import RandomStream
from convis_core.streams.repeating import RepeatingStream
from convis_core.streams.video import VideoReader
from convis_core.streams.writer import SequenceWriter, VideoWriter

__all__ = [
    "ImageSequence",
    "OutputStream",
    "RandomStream",
    "RepeatingStream",
    "SequenceStream",
    "SequenceWriter",
    "Stream",
    "VideoReader",
    "VideoWriter",
    "as_stream",
]
