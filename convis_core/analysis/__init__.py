"""What responses say about cells: statistics of spikes, receptive fields, tuning, local filters."""

from convis_core.analysis.gradient_explorer import LinearGradientExplorer, LocalFilter
from convis_core.analysis.intervals import (
    IntervalStatistics,
    fano_factor,
    interspike_intervals,
    interval_statistics,
    spike_trains,
)
from convis_core.analysis.maximal_input import MaximalInput, maximally_exciting_input
from convis_core.analysis.profiles import (
    CentreSurroundProfile,
    GaussianProfile,
    fit_centre_surround,
    fit_gaussian,
    spatial_profile,
)
from convis_core.analysis.rates import PSTH, firing_rate, psth
from convis_core.analysis.significance import SignificantDirections, significant_directions
from convis_core.analysis.spike_triggered import sta, stc
from convis_core.analysis.tuning import Tuning, direction_tuning, temporal_frequency_tuning
from convis_core.analysis.whitening import whitened_sta

__all__ = [
    "PSTH",
    "CentreSurroundProfile",
    "GaussianProfile",
    "IntervalStatistics",
    "LinearGradientExplorer",
    "LocalFilter",
    "MaximalInput",
    "SignificantDirections",
    "Tuning",
    "direction_tuning",
    "fano_factor",
    "firing_rate",
    "fit_centre_surround",
    "fit_gaussian",
    "interspike_intervals",
    "interval_statistics",
    "maximally_exciting_input",
    "psth",
    "significant_directions",
    "spatial_profile",
    "spike_trains",
    "sta",
    "stc",
    "temporal_frequency_tuning",
    "whitened_sta",
]
