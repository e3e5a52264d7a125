"""Complete models, from a single linear filter upwards."""

from convis_core.models.cascade import LNFDLNF, LNFDSNF, LNLN, LNLNLN, LNLNLNLN, LNSN, LNCascade
from convis_core.models.centre_surround import CentreSurround
from convis_core.models.containers import (
    Dict,
    List,
    Parallel,
    Sequential,
    make_parallel_sequential_model,
    make_sequential_parallel_model,
)
from convis_core.models.linear import LN, RF, RFN, L
from convis_core.models.mcintosh import McIntosh
from convis_core.retina.retina import Retina

__all__ = [
    "LN",
    "LNFDLNF",
    "LNFDSNF",
    "LNLN",
    "LNLNLN",
    "LNLNLNLN",
    "LNSN",
    "RF",
    "RFN",
    "CentreSurround",
    "Dict",
    "L",
    "LNCascade",
    "List",
    "McIntosh",
    "Parallel",
    "Retina",
    "Sequential",
    "make_parallel_sequential_model",
    "make_sequential_parallel_model",
]
