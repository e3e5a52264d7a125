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
from convis_core.models.generalised_linear import GLM
from convis_core.models.linear import LN, RF, RFN, L
from convis_core.models.linear_nonlinear_poisson import LNP
from convis_core.models.mcintosh import McIntosh
from convis_core.models.separable import SeparableLN
from convis_core.models.spiking_model import SpikingModel
from convis_core.models.subunits import SubunitModel
from convis_core.retina.retina import Retina

__all__ = [
    "GLM",
    "LN",
    "LNFDLNF",
    "LNFDSNF",
    "LNLN",
    "LNLNLN",
    "LNLNLNLN",
    "LNP",
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
    "SeparableLN",
    "Sequential",
    "SpikingModel",
    "SubunitModel",
    "make_parallel_sequential_model",
    "make_sequential_parallel_model",
]
