"""``convis-explore``: the live explorer as a page of its own, for a person who writes no code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import convis_core
from convis_core.errors import ConvisError
from convis_widgets.apps.named_models import check_model, model_names

__all__ = ["main"]

PAGE = Path(__file__).with_name("explorer_page.ipynb")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the explorer until Ctrl-C.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; that of the process by default.

    Returns
    -------
    int
        Exit code: 0 after Ctrl-C, 1 where Voila is missing, 2 for a video, model or port
        that cannot be used, said before a server starts.

    Examples
    --------
    >>> main(["--model", "Cat"])
    2
    """
    options = _parser().parse_args(arguments)
    try:
        from convis_widgets.apps.server import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "voila":
            raise
        print("convis-explore needs Voila. Install it: pip install 'convis-widgets[app]'", file=sys.stderr)
        return 1
    try:
        # read by the page's notebook, which runs in a process of its own
        if options.model:
            check_model(options.model)
            os.environ["CONVIS_MODEL"] = options.model
        if options.video:
            os.environ["CONVIS_VIDEO"] = _checked_video(options.video)
        return serve(PAGE, port=options.port, open_browser=not options.no_browser)
    except ConvisError as error:
        print(f"convis-explore: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="convis-explore", description="A model of early vision watches a video; its filters and spikes, live."
    )
    parser.add_argument("video", nargs="?", metavar="VIDEO", help="a film; without one, a made-up natural scene")
    parser.add_argument("--model", metavar="NAME", help=f"one of {', '.join(model_names())}")
    parser.add_argument(
        "--port", type=_port, default=8866, metavar="N", help="port to listen on (8866, or the next that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: choose one from 1024 to 65535")
    return int(text)


def _checked_video(path: str) -> str:
    """Its full path, once it has been opened and closed."""
    with convis_core.streams.VideoReader(path):
        return str(Path(path).resolve())
