"""Filters and neurons, the parts that models are made of."""

from convis_core.filters import spiking
from convis_core.filters.basis_convolution import BasisConv3d, BasisRF
from convis_core.filters.centre_surround import CentreSurroundFilter
from convis_core.filters.convolution import Conv1d, Conv2d, Conv3d
from convis_core.filters.delays import Delay, VariableDelay
from convis_core.filters.differences import Diff, Sum
from convis_core.filters.nonlinearities import (
    NLRectify,
    NLRectifyScale,
    NLRectifySquare,
    NLSquare,
    Nonlinearity,
    Power,
    Sigmoid,
    SoftPlus,
)
from convis_core.filters.receptive_field import RF
from convis_core.filters.smooth_convolution import SmoothConv
from convis_core.filters.spatial_blur import GaussianFilter, SpatialRecursiveFilter
from convis_core.filters.spatial_kernels import DifferenceOfGaussiansFilter, GaborFilter
from convis_core.filters.temporal_recursive import (
    ExponentialCascadeFilter,
    TemporalHighPassFilterRecursive,
    TemporalLowPassFilterRecursive,
)
from convis_core.filters.time_padding import TimePadding

__all__ = [
    "RF",
    "BasisConv3d",
    "BasisRF",
    "CentreSurroundFilter",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Delay",
    "Diff",
    "DifferenceOfGaussiansFilter",
    "ExponentialCascadeFilter",
    "GaborFilter",
    "GaussianFilter",
    "NLRectify",
    "NLRectifyScale",
    "NLRectifySquare",
    "NLSquare",
    "Nonlinearity",
    "Power",
    "Sigmoid",
    "SmoothConv",
    "SoftPlus",
    "SpatialRecursiveFilter",
    "Sum",
    "TemporalHighPassFilterRecursive",
    "TemporalLowPassFilterRecursive",
    "TimePadding",
    "VariableDelay",
    "spiking",
]
