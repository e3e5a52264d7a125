"""``convert``: from one kind of file to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import Tensor

from convis_core.cli.films import FILMS, VIDEOS, kind_of, open_stored, open_video, write_film
from convis_core.cli.options import add_dataset, check_free
from convis_core.errors import FileFormatError
from convis_core.retina import RetinaConfiguration
from convis_core.spike_files import read_spikes, write_spikes
from convis_core.streams import OutputStream, Stream
from convis_core.tensors import TIME

__all__ = ["add_to"]

MODELS: Final = (".xml", ".json")
SPIKES: Final = (".spk", ".txt", ".nwb")
_PIECE: Final = 2_000_000  # pixels in memory at once


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "convert",
        help="convert a model, a film or spikes",
        description=f"Convert a model ({', '.join(MODELS)}), a film ({', '.join(FILMS)}) or spikes "
        f"({', '.join(SPIKES)}, .npz) to another file of its kind.",
    )
    parser.add_argument("source", metavar="FROM", nargs="?", help="what is there")
    parser.add_argument("target", metavar="TO", help="what is to be written")
    parser.add_argument("--default", action="store_true", help="write the default retina; there is no FROM")
    parser.add_argument("--rate", type=float, metavar="HZ", help="frames per second of a film that does not say (25)")
    parser.add_argument(
        "--range", type=float, nargs=2, metavar=("BLACK", "WHITE"), help="values that a video shows black and white"
    )
    add_dataset(parser)
    parser.add_argument("--force", action="store_true", help="write over TO if it is there")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(command=convert)


def convert(options: argparse.Namespace) -> None:
    """Do it."""
    if options.default != (options.source is None):
        raise FileFormatError("Name a file to convert, or --default and only the file to write.")
    target = check_free(options.target, options.force)
    if options.default:
        RetinaConfiguration().write(target)
        return
    kinds = Path(options.source).suffix.lower(), target.suffix.lower()
    if all(kind in MODELS for kind in kinds):
        RetinaConfiguration.read(options.source).write(target)
    elif any(kind in SPIKES for kind in kinds) and all(kind in (*SPIKES, ".npz") for kind in kinds):
        write_spikes(target, *read_spikes(options.source))
    elif all(kind in FILMS for kind in kinds):
        _convert_film(options, target)
    else:
        raise FileFormatError(
            f"{kinds[0] or options.source} cannot become {kinds[1] or target}.",
            "Models become models, films films and spikes spikes: see --help.",
        )


def _convert_film(options: argparse.Namespace, target: Path) -> None:
    is_video = kind_of(options.source, FILMS, "film") in VIDEOS
    source = open_video(options.source) if is_video else open_stored(options.source, options.rate, options.dataset)
    with source as stream:
        if stream.remaining == 0:
            raise FileFormatError(f"{options.source} holds no frames to convert.", "Check how it was made.")
        shown = (0.0, 1.0) if is_video else _shown(options, stream, target)

        def put_all(writer: OutputStream) -> None:
            for frames in _pieces(stream, options.quiet):
                writer.put(frames)

        write_film(target, stream.steps_per_second or 25.0, shown, put_all)


def _shown(options: argparse.Namespace, stream: Stream, target: Path) -> tuple[float, float]:
    """Return the values to show black and white: those asked for, or the smallest and the largest."""
    if options.range is not None:
        return options.range[0], options.range[1]
    if target.suffix.lower() not in VIDEOS:
        return 0.0, 1.0
    limits = [(float(frames.min()), float(frames.max())) for frames in _pieces(stream, quiet=True)]
    stream.seek(0)
    lo, hi = (float(f(values)) for f, values in zip((np.min, np.max), zip(*limits, strict=True), strict=True))
    return (lo, hi) if hi > lo else (lo, lo + 1.0)


def _pieces(stream: Stream, quiet: bool) -> Iterator[Tensor]:
    from tqdm import tqdm

    n = max(1, _PIECE // (stream.size[0] * stream.size[1]))
    hidden = True if quiet else None
    with tqdm(total=stream.remaining, unit=" frames", file=sys.stderr, disable=hidden) as bar:
        while (frames := stream.get(n)).shape[TIME]:
            yield frames
            bar.update(frames.shape[TIME])
