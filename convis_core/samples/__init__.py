"""Stimuli to try a model on: numpy arrays ``[time, x, y]``, a film, and pairs to try a fit on."""

from typing import TYPE_CHECKING, Any

from convis_core.samples.bars import moving_bar, moving_bars
from convis_core.samples.generators import current_generator, generate_sample_data
from convis_core.samples.gratings import drifting_grating, moving_grating
from convis_core.samples.natural import natural_movie
from convis_core.samples.natural_file import natural_movie_file
from convis_core.samples.patterns import pulse, random_checker_stimulus, sparse_input

if TYPE_CHECKING:
    from convis_core.models.linear import LN

    _g: LN

__all__ = [
    "drifting_grating",
    "generate_sample_data",
    "moving_bar",
    "moving_bars",
    "moving_grating",
    "natural_movie",
    "natural_movie_file",
    "pulse",
    "random_checker_stimulus",
    "sparse_input",
]


def __getattr__(name: str) -> Any:
    if name == "_g":  # the model behind the latest sample data
        return current_generator()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
