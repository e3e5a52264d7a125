"""The command line: run a retina over a film, describe and convert files, look at impulse responses."""

from convis_core.cli.main import main

__all__ = ["main"]
