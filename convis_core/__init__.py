"""Filter-based models of the retina and early visual cortex, run and fitted in PyTorch.

>>> import convis_core as convis
>>> convis.models.LN(kernel_dim=(5, 3, 3)).run(convis.samples.moving_grating(100)).array().shape
(1, 1, 100, 20, 20)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from convis_core import analysis, errors, estimation, filters, models, retina, samples, streams
from convis_core import figures as _figures
from convis_core import resolution as _resolution
from convis_core.driver import Driver
from convis_core.errors import ConvisError
from convis_core.estimation import ReceptiveField, fit_many, fit_receptive_field
from convis_core.layer import Layer, registered_layers
from convis_core.loops.fit import FitStep, fit
from convis_core.loops.run import Chunk
from convis_core.output import Output
from convis_core.parameters import parameter
from convis_core.resolution import Resolution, use_resolution
from convis_core.runner import Runner
from convis_core.spike_files import read_spikes, write_spikes
from convis_core.spikes import Spikes
from convis_core.state import state_variable

if TYPE_CHECKING:
    from convis_core.plotting import plot_5d_matshow, plot_5d_time, plot_tensor

    default_resolution: Resolution

__version__ = "0.1.0"

__all__ = [
    "Chunk",
    "ConvisError",
    "Driver",
    "FitStep",
    "Layer",
    "Output",
    "ReceptiveField",
    "Resolution",
    "Runner",
    "Spikes",
    "analysis",
    "default_resolution",
    "errors",
    "estimation",
    "filters",
    "fit",
    "fit_many",
    "fit_receptive_field",
    "models",
    "parameter",
    "plot_5d_matshow",
    "plot_5d_time",
    "plot_tensor",
    "read_spikes",
    "registered_layers",
    "retina",
    "samples",
    "state_variable",
    "streams",
    "use_resolution",
    "write_spikes",
]

_FIGURES = ("plot_5d_matshow", "plot_5d_time", "plot_tensor")


class _Package(ModuleType):
    """The package itself, so that ``convis.default_resolution = ...`` takes effect everywhere."""

    @property
    def default_resolution(self) -> Resolution:
        """Pixels per degree and steps per second of whatever is built from now on; set it to change them.

        A layer keeps the one it was built with. Where the change should end, take `use_resolution`.
        """
        return _resolution.default_resolution()

    @default_resolution.setter
    def default_resolution(self, value: Resolution) -> None:
        _resolution.set_default_resolution(value)


def __getattr__(name: str) -> Any:
    if name in _FIGURES:
        return _figures.figure(name)  # matplotlib is loaded with the first figure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


_figures.draw_with(lambda: import_module(f"{__name__}.plotting"))
sys.modules[__name__].__class__ = _Package
