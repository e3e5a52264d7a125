"""Stimuli to try a model on: numpy arrays ``[time, x, y]``, a film, and pairs to try a fit on."""

from typing import TYPE_CHECKING, Any

from convis_core.samples.bars import moving_bar, moving_bars
from convis_core.samples.generators import SampleGenerator, current_generator, generate_sample_data
from convis_core.samples.gratings import drifting_grating, moving_grating
from convis_core.samples.kernels import gabor_kernel, text_kernel
from convis_core.samples.masks import mask_circle, mask_square
from convis_core.samples.natural import natural_movie
from convis_core.samples.natural_file import natural_movie_file
from convis_core.samples.noise import pink_noise, power_law_noise
from convis_core.samples.patterns import pulse, random_checker_stimulus, sparse_input
from convis_core.samples.protocol import Epoch, Protocol
from convis_core.samples.shapes import drifting_gabor, looming_disc
from convis_core.samples.temporal import SHAPLEY_VICTOR_FREQUENCIES, chirp, sum_of_sinusoids

if TYPE_CHECKING:
    from convis_core.models.linear import LN

    _g: LN

__all__ = [
    "SHAPLEY_VICTOR_FREQUENCIES",
    "Epoch",
    "Protocol",
    "SampleGenerator",
    "chirp",
    "drifting_gabor",
    "drifting_grating",
    "gabor_kernel",
    "generate_sample_data",
    "looming_disc",
    "mask_circle",
    "mask_square",
    "moving_bar",
    "moving_bars",
    "moving_grating",
    "natural_movie",
    "natural_movie_file",
    "pink_noise",
    "power_law_noise",
    "pulse",
    "random_checker_stimulus",
    "sparse_input",
    "sum_of_sinusoids",
    "text_kernel",
]


def __getattr__(name: str) -> Any:
    if name == "_g":  # the model behind the latest sample data
        return current_generator()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
