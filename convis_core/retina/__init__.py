"""The retina: stage by stage, and whole."""

from convis_core.retina.bipolar import Bipolar, CustomBipolar
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.retina.ganglion_input import GanglionInput
from convis_core.retina.ganglion_spiking import AdaptiveGanglionSpiking, GanglionSpiking
from convis_core.retina.log_polar import LogPolarScheme
from convis_core.retina.luminance_gain_control import LuminanceGainControlOPLFilter
from convis_core.retina.microsaccades import MicrosaccadeGenerator
from convis_core.retina.outer_plexiform import HalfRecursiveOPLFilter, RecursiveOPLFilter
from convis_core.retina.outer_plexiform_convolving import FullConvolutionOPLFilter, SeparableOPLFilter
from convis_core.retina.reconstruction import reconstruct
from convis_core.retina.retina import Retina

SeperatableOPLFilter = SeparableOPLFilter
"""The spelling of the original convis."""

__all__ = [
    "AdaptiveGanglionSpiking",
    "Bipolar",
    "CustomBipolar",
    "FullConvolutionOPLFilter",
    "GanglionInput",
    "GanglionSpiking",
    "HalfRecursiveOPLFilter",
    "LogPolarScheme",
    "LuminanceGainControlOPLFilter",
    "MicrosaccadeGenerator",
    "RecursiveOPLFilter",
    "Retina",
    "RetinaConfiguration",
    "SeparableOPLFilter",
    "SeperatableOPLFilter",
    "reconstruct",
]
