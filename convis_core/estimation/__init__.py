"""Recipes that fit models to recordings."""

from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.receptive_field import fit_receptive_field
from convis_core.estimation.recording import split_in_blocks
from convis_core.loops import losses, regularisers
from convis_core.loops.early_stopping import stop_early
from convis_core.loops.metrics import (
    bits_per_spike,
    correlation,
    explained_variance,
    poisson_deviance,
    r_squared,
)

__all__ = [
    "ReceptiveField",
    "bits_per_spike",
    "correlation",
    "explained_variance",
    "fit_receptive_field",
    "losses",
    "poisson_deviance",
    "r_squared",
    "regularisers",
    "split_in_blocks",
    "stop_early",
]
