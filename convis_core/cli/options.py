"""Options that several commands have, and how what is typed is read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch

from convis_core.errors import ParameterError, StreamError
from convis_core.files import user_path
from convis_core.retina import Retina, RetinaConfiguration

__all__ = ["add_dataset", "add_model", "add_output", "at_least_one", "check_free", "load_retina", "names"]


def at_least_one(text: str) -> int:
    """Read a whole number from 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between them.

    Examples
    --------
    >>> names("opl, bipolar")
    ('opl', 'bipolar')
    """
    return tuple(name.strip() for name in text.split(",") if name.strip())


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="Virtual Retina .xml, or .json")
    parser.add_argument(
        "--virtual-retina",
        action="store_true",
        help="number by number as Virtual Retina: a step between stages, its log-polar blur, adapted to half the range",
    )


def add_output(parser: argparse.ArgumentParser, what: str, *, required: bool = True) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", required=required, help=what)
    parser.add_argument("--force", action="store_true", help="write over FILE if it is there")


def add_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", metavar="NAME", help="which film of an .h5 file that holds several")


def check_free(path: str | os.PathLike[str], force: bool) -> Path:
    """Return a path to write to, or refuse one that is there already."""
    target = user_path(path)
    if target.exists() and not force:
        raise StreamError(f"{target} is there already.", "Take another name, or write over it with --force.")
    if not target.parent.is_dir():
        raise StreamError(f"There is no folder {target.parent.absolute()} for {target.name}.", "Make it first.")
    return target


def load_retina(options: argparse.Namespace, **more: Any) -> Retina:
    """Build the retina that a command line asks for."""
    config, literal = RetinaConfiguration.read(options.model), bool(options.virtual_retina)
    retina = Retina(config, stage_delay=int(literal), virtual_retina_logpolar=literal, **more)
    if literal:
        retina.settle(config.get("input-luminosity-range") / 2)
    return retina


def check_device(name: str) -> str:
    """Return the name of a device that torch can use, or refuse it."""
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ParameterError(
            f"The device {name!r} cannot be used: {str(error).splitlines()[0]}.", "Try --device cpu."
        ) from error
    return name
