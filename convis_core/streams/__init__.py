"""Where frames come from, and where they can go."""

from convis_core.streams.base import OutputStream, SequenceStream, Stream, as_stream
from convis_core.streams.camera import CameraStream
from convis_core.streams.digits import MNISTStream
from convis_core.streams.hdf5 import HDF5Reader
from convis_core.streams.hdf5_writer import HDF5Writer
from convis_core.streams.images import ImageSequence
from convis_core.streams.inr import InrImageStreamer
from convis_core.streams.inr_writer import InrImageStreamWriter
from convis_core.streams.numpy_file import NumpyReader
from convis_core.streams.numpy_writer import NumpyWriter
from convis_core.streams.processing import ProcessingStream
from convis_core.streams.random import RandomStream
from convis_core.streams.repeating import RepeatingStream
from convis_core.streams.resampled import ResampledStream, TimedSequenceStream
from convis_core.streams.video import VideoReader
from convis_core.streams.writer import SequenceWriter, VideoWriter

__all__ = [
    "CameraStream",
    "HDF5Reader",
    "HDF5Writer",
    "ImageSequence",
    "InrImageStreamWriter",
    "InrImageStreamer",
    "MNISTStream",
    "NumpyReader",
    "NumpyWriter",
    "OutputStream",
    "ProcessingStream",
    "RandomStream",
    "RepeatingStream",
    "ResampledStream",
    "SequenceStream",
    "SequenceWriter",
    "Stream",
    "TimedSequenceStream",
    "VideoReader",
    "VideoWriter",
    "as_stream",
]
