"""The retina: stage by stage, and whole."""

from convis_core.retina.bipolar import Bipolar, CustomBipolar
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.retina.ganglion_input import GanglionInput

__all__ = ["Bipolar", "CustomBipolar", "GanglionInput", "RetinaConfiguration"]
