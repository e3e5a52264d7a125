"""Complete models, from a single linear filter upwards."""

from convis_core.models.centre_surround import CentreSurround
from convis_core.models.linear import LN, L
from convis_core.retina.retina import Retina

__all__ = ["LN", "CentreSurround", "L", "Retina"]
