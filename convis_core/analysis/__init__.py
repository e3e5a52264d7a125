"""What responses say about cells: statistics of spikes, receptive fields, tuning, local filters."""

from convis_core.analysis.gradient_explorer import LinearGradientExplorer, LocalFilter
from convis_core.analysis.intervals import (
    IntervalStatistics,
    fano_factor,
    interspike_intervals,
    interval_statistics,
    spike_trains,
)
from convis_core.analysis.rates import PSTH, firing_rate, psth
from convis_core.analysis.spike_triggered import sta, stc

__all__ = [
    "PSTH",
    "IntervalStatistics",
    "LinearGradientExplorer",
    "LocalFilter",
    "fano_factor",
    "firing_rate",
    "interspike_intervals",
    "interval_statistics",
    "psth",
    "spike_trains",
    "sta",
    "stc",
]
