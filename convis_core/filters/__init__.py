"""Filters and neurons, the parts that models are made of."""

from convis_core.filters import spiking
from convis_core.filters.centre_surround import CentreSurroundFilter
from convis_core.filters.convolution import Conv3d
from convis_core.filters.nonlinearities import NLRectify
from convis_core.filters.receptive_field import RF
from convis_core.filters.spatial_blur import GaussianFilter, SpatialRecursiveFilter
from convis_core.filters.temporal_recursive import (
    ExponentialCascadeFilter,
    TemporalHighPassFilterRecursive,
    TemporalLowPassFilterRecursive,
)

__all__ = [
    "RF",
    "CentreSurroundFilter",
    "Conv3d",
    "ExponentialCascadeFilter",
    "GaussianFilter",
    "NLRectify",
    "SpatialRecursiveFilter",
    "TemporalHighPassFilterRecursive",
    "TemporalLowPassFilterRecursive",
    "spiking",
]
