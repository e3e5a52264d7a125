"""All numbers of a retina in one tree, and the files they come from: Virtual Retina's XML, and JSON."""

from convis_core.retina.configuration.configuration import RetinaConfiguration

__all__ = ["RetinaConfiguration"]
