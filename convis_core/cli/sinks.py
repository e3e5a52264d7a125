"""Where the answers of a retina go, piece by piece, so that a long film needs no more memory than a short one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from convis_core.errors import StreamError
from convis_core.files import writing
from convis_core.output import Output
from convis_core.retina import Retina
from convis_core.spike_files import spike_lines
from convis_core.spikes import check_spikes
from convis_core.streams import HDF5Writer, InrImageStreamWriter, OutputStream
from convis_core.streams.hdf5 import load_h5py

__all__ = ["SINKS", "Sink", "open_sink"]

SINKS: Final = (".h5", ".spk", ".txt", ".inr")


class Sink(ABC):
    """A file that takes one output after another."""

    n_steps = 0

    @abstractmethod
    def put(self, output: Output) -> None:
        """Write the answers of one piece."""

    @abstractmethod
    def summary(self) -> str:
        """Say what has been written."""


class _Frames(Sink):
    """Every answer as frames, each to a writer of its own."""

    def __init__(self, writers: dict[str, OutputStream], begin: Callable[[], None] = lambda: None) -> None:
        self.writers = writers
        self._begin = begin

    def put(self, output: Output) -> None:
        if not self.n_steps:  # only now, so that a run that never began leaves what was there
            self._begin()
        self.n_steps += output.n_frames
        for name, writer in self.writers.items():
            writer.put(output[name])

    def summary(self) -> str:
        return f"{self.n_steps} steps of {', '.join(self.writers)}"


class _SpikeText(Sink):
    """Spikes as lines ``unit time``, at their exact times; cells are numbered on through all layers."""

    def __init__(self, path: Path) -> None:
        self.n_spikes = 0
        self._path = path
        self._file: TextIO | None = None

    def put(self, output: Output) -> None:
        spikes = check_spikes(*output.spike_times())
        with writing(self._path):
            if self._file is None:  # only now, as above
                self._file = self._path.open("w", encoding="ascii")
            self._file.write(spike_lines(spikes))
            self._file.flush()
        self.n_steps += output.n_frames
        self.n_spikes += len(spikes.time)

    def summary(self) -> str:
        return f"{self.n_spikes} spikes in {self.n_steps} steps"

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def open_sink(path: Path, retina: Retina, record: tuple[str, ...]) -> Iterator[Sink]:
    """Open a file for the answers of a retina; what was written stays where a run ends early.

    Raises
    ------
    StreamError
        If a file of this kind cannot hold the answers.
    """
    kind = path.suffix.lower()
    names = (*retina.output_names, *record)
    if record and kind != ".h5":
        raise StreamError(f"A {kind} file cannot hold recorded stages.", "Write to a .h5 file.")
    if kind in (".spk", ".txt"):
        if not any("spikes" in name for name in names):
            raise StreamError(f"This retina does not spike, so {path.name} would stay empty.", "Write to a .h5 file.")
        text = _SpikeText(path)
        try:
            yield text
        finally:
            text.close()
        return
    if kind == ".inr" and len(names) > 1:
        raise StreamError(
            f"An .inr file holds one film, and this retina answers with {', '.join(names)}.", "Write to a .h5 file."
        )
    with ExitStack() as stack:
        if kind == ".inr":
            frames = _Frames({names[0]: InrImageStreamWriter(path)})
        else:
            rate = retina.resolution.steps_per_second
            writers = {name: HDF5Writer(path, name, rate, compress="spikes" in name) for name in names}
            frames = _Frames(dict(writers), lambda: _begin(path, retina))
        for writer in frames.writers.values():
            stack.enter_context(writer)
        yield frames


def _begin(path: Path, retina: Retina) -> None:
    """Make an HDF5 file that says which retina gave the answers."""
    with writing(path), load_h5py().File(path, "w") as file:
        file.attrs["configuration"] = json.dumps(retina.to_configuration().as_dict())
