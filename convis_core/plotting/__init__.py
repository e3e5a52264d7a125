"""Figures with matplotlib: filters, time courses, spikes and impulse responses, units on every axis.

Every function draws into the current axes or figure (or the one given), returns what it
drew, and leaves matplotlib's settings alone.
"""

from convis_core.plotting.animate import animate
from convis_core.plotting.image import plot_image
from convis_core.plotting.impulse import plot_impulse
from convis_core.plotting.impulse_space import plot_impulse_space
from convis_core.plotting.learning_curve import plot_learning_curve
from convis_core.plotting.matshow import plot_5d_matshow
from convis_core.plotting.nonlinearity import plot_nonlinearity
from convis_core.plotting.output import plot_output
from convis_core.plotting.psth import plot_psth
from convis_core.plotting.receptive_field import plot_fit_report
from convis_core.plotting.spikes import plot_raster, plot_spike_trains
from convis_core.plotting.tensor import plot_tensor
from convis_core.plotting.time_courses import plot_5d_time, plot_mean
from convis_core.plotting.tuning import plot_tuning

__all__ = [
    "animate",
    "plot_5d_matshow",
    "plot_5d_time",
    "plot_fit_report",
    "plot_image",
    "plot_impulse",
    "plot_impulse_space",
    "plot_learning_curve",
    "plot_mean",
    "plot_nonlinearity",
    "plot_output",
    "plot_psth",
    "plot_raster",
    "plot_spike_trains",
    "plot_tensor",
    "plot_tuning",
]
