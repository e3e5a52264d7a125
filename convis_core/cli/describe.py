"""``describe``: what a file holds."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from convis_core.cli.films import FILMS, VIDEOS, kind_of, open_stored, open_video
from convis_core.retina import Retina, RetinaConfiguration
from convis_core.spike_files import read_spikes
from convis_core.streams.hdf5 import film_names

__all__ = ["add_to"]

MODELS: Final = (".xml", ".json")
SPIKES: Final = (".spk", ".txt", ".nwb")


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "describe",
        help="say what a model, a film or a file of spikes holds",
        description="Say what a file holds: all parameters of a model, size and length of a film, spikes of cells.",
    )
    parser.add_argument("file", metavar="FILE", help=", ".join((*MODELS, *FILMS, *SPIKES)))
    parser.set_defaults(command=describe)


def describe(options: argparse.Namespace) -> None:
    """Do it."""
    kind = kind_of(options.file, (*MODELS, *FILMS, *SPIKES), "file that can be described")
    if kind in MODELS:
        config = RetinaConfiguration.read(options.file)
        print(f"{config}\n{Retina(config).describe()}")
    elif kind in SPIKES or (kind == ".npz" and _holds_spikes(options.file)):
        unit, time = read_spikes(options.file)
        span = f" from {time[0]:g} to {time[-1]:g} s" if len(time) else ""
        print(f"{len(time)} spikes of {len(np.unique(unit))} cells{span}")
    else:
        for name in film_names(options.file) if kind == ".h5" else [None]:
            with open_video(options.file) if kind in VIDEOS else open_stored(options.file, dataset=name) as stream:
                lo, hi = stream.value_range
                print(f"{Path(options.file).name}{f', {name}' if name else ''}: {stream}, values {lo:g} to {hi:g}")


def _holds_spikes(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(archive.namelist()) == ["time.npy", "unit.npy"]
    except (OSError, zipfile.BadZipFile):
        return False  # whoever reads it says what is wrong
