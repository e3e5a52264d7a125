"""Complete models, from a single linear filter upwards."""

from convis_core.models.centre_surround import CentreSurround
from convis_core.models.linear import LN, L

__all__ = ["LN", "CentreSurround", "L"]
