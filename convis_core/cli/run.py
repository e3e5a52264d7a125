"""``run``: a retina watches a film, and its answers go to a file as they come."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from convis_core.cli.films import FILMS, VIDEOS, kind_of, open_stored, open_video
from convis_core.cli.options import (
    add_dataset,
    add_model,
    add_output,
    at_least_one,
    check_device,
    check_free,
    load_retina,
    names,
)
from convis_core.cli.sinks import SINKS, open_sink
from convis_core.errors import StreamError
from convis_core.retina import Retina
from convis_core.retina.recording import check_stages
from convis_core.streams import ProcessingStream, Stream

__all__ = ["add_to", "watch"]


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "run",
        help="run a retina over a film",
        description="A retina watches a film. What a video shows as white is the luminance range of the model; "
        "numbers in .inr, .npy, .npz and .h5 are taken as they are, one frame a step.",
    )
    add_model(parser)
    parser.add_argument("film", metavar="FILM", help=f"what it sees: {', '.join(FILMS)}")
    add_output(parser, f"where the answers go: {', '.join(SINKS)}")
    parser.add_argument("--dt", type=at_least_one, metavar="N", help="steps computed at once; changes no number")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same noise")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda, mps (cpu)")
    parser.add_argument("--record", type=names, default=(), metavar="A,B", help="stages to write too, into .h5")
    parser.add_argument("--steps", type=at_least_one, metavar="N", help="stop after so many steps")
    parser.add_argument("--size", type=at_least_one, nargs=2, metavar=("ROWS", "COLUMNS"), help="resize a video")
    add_dataset(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Do it."""
    target = check_free(options.output, options.force)
    kind_of(target, SINKS, "file for answers")
    if target.exists() and Path(options.film).exists() and target.samefile(options.film):
        raise StreamError(f"{target} is the film, and would be written over while it is watched.", "Take another name.")
    retina = load_retina(options, seed=options.seed).to(check_device(options.device))
    record = check_stages(options.record, retina.stages)
    with ExitStack() as stack:
        source = stack.enter_context(_open(options, retina))
        sink = stack.enter_context(open_sink(target, retina, record))
        watch(retina, source, sink.put, options, record)
    print(f"{target}: {sink.summary()}")


def watch(retina: Retina, source: Stream, put: Any, options: argparse.Namespace, record: tuple[str, ...]) -> None:
    """Run and hand on every piece, with a bar that says how far it is."""
    from tqdm import tqdm

    left = source.remaining if options.steps is None else min(options.steps, source.remaining or options.steps)
    hidden = True if options.quiet else None  # None: hidden where nobody looks
    with tqdm(total=left, unit=" steps", file=sys.stderr, disable=hidden) as bar:
        for chunk in retina.stream(source, options.dt, max_t=options.steps, record=record):
            put(chunk.output)
            bar.update(chunk.stop - chunk.start)


def _open(options: argparse.Namespace, retina: Retina) -> Stream:
    rate = retina.resolution.steps_per_second
    if kind_of(options.film, FILMS, "film") not in VIDEOS:
        if options.size:
            raise StreamError("Only videos are resized, and numbers taken as they are.", "Leave --size out.")
        return open_stored(options.film, rate, options.dataset)
    white = retina.to_configuration().get("input-luminosity-range")
    video = open_video(options.film, rate, tuple(options.size) if options.size else None)
    return ProcessingStream(video, lambda frames: frames * white, value_range=(0.0, white))
