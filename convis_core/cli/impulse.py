"""``impulse``: what a retina answers to one flash of one pixel."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np

from convis_core.cli.films import kind_of
from convis_core.cli.options import add_model, add_output, at_least_one, check_free, load_retina
from convis_core.files import atomic_path
from convis_core.output import Output

__all__ = ["add_to"]

FIGURES: Final = (".png", ".svg", ".pdf")


def add_to(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "impulse",
        help="impulse response of a retina",
        description="What a retina, or the current into its ganglion cells where it has any, answers to one pixel "
        "that is brighter for one step, by half the luminance range on a background of half of it.",
    )
    add_model(parser)
    add_output(parser, f"a figure ({', '.join(FIGURES)}) or the numbers (.npz)", required=False)
    parser.add_argument("--length", type=at_least_one, default=200, metavar="N", help="steps to observe (200)")
    parser.add_argument("--size", type=at_least_one, nargs=2, default=(21, 21), metavar=("ROWS", "COLUMNS"))
    parser.set_defaults(command=impulse)


def impulse(options: argparse.Namespace) -> None:
    """Do it."""
    target = None if options.output is None else check_free(options.output, options.force)
    kind = None if target is None else kind_of(target, (*FIGURES, ".npz"), "file for an impulse response")
    retina = load_retina(options, spikes=False)
    half = retina.to_configuration().get("input-luminosity-range") / 2
    response = retina.impulse_response(options.length, tuple(options.size), amplitude=half, background=half)
    for name in response.names:
        print(_summary(response, name))
    if target is not None and kind == ".npz":
        with atomic_path(target) as draft, draft.open("wb") as file:
            np.savez_compressed(
                file, time=response.time, **{name: response.array(name)[0, 0] for name in response.names}
            )
    elif target is not None:
        _draw(retina, target, options, half)


def _draw(retina: Any, target: Path, options: argparse.Namespace, half: float) -> None:
    lines = retina.plot_impulse(length=options.length, size=tuple(options.size), amplitude=half, background=half)
    with atomic_path(target) as draft:
        lines[0].figure.savefig(draft)


def _summary(response: Output, name: str) -> str:
    """Say when and how much a response rises and falls, where it is strongest."""
    values = response.array(name)[0, 0]
    _, x, y = np.unravel_index(np.abs(values).argmax(), values.shape)
    course = values[:, x, y]
    up, down = int(course.argmax()), int(course.argmin())
    return (
        f"{name}: at most {course[up]:+.4g} after {1000 * response.time[up]:.4g} ms, "
        f"at least {course[down]:+.4g} after {1000 * response.time[down]:.4g} ms, at row {x}, column {y}"
    )
