"""Recipes that fit models to recordings."""

from convis_core.estimation.cells import UnfittedCell
from convis_core.estimation.estimate import ReceptiveField
from convis_core.estimation.estimators import ESTIMATORS, estimate_filter
from convis_core.estimation.learning_curve import LearningCurve, learning_curve
from convis_core.estimation.many import fit_many
from convis_core.estimation.nonlinearity_estimate import (
    NONLINEARITY_METHODS,
    NonlinearityEstimate,
    estimate_nonlinearity,
)
from convis_core.estimation.one_task import FittedModel
from convis_core.estimation.receptive_field import fit_receptive_field
from convis_core.estimation.recording import split_in_blocks
from convis_core.estimation.report import FitReport
from convis_core.estimation.resampling import block_bootstrap, folds
from convis_core.estimation.search import Candidate, search_settings
from convis_core.estimation.spike_distances import van_rossum_distance, victor_purpura_distance
from convis_core.loops import losses, regularisers
from convis_core.loops.bookmark import Bookmark
from convis_core.loops.bounded_lbfgs import BoundedLBFGS
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from convis_core.loops.early_stopping import stop_early
from convis_core.loops.finite_differences import FiniteDifferences
from convis_core.loops.metrics import (
    bits_per_spike,
    correlation,
    explained_variance,
    poisson_deviance,
    r_squared,
)
from convis_core.loops.trajectory import Trajectory
from convis_core.ops.kernel_bases import KernelBasis

__all__ = [
    "ESTIMATORS",
    "NONLINEARITY_METHODS",
    "Bookmark",
    "BoundedLBFGS",
    "Candidate",
    "FiniteDifferences",
    "FitReport",
    "FittedModel",
    "KernelBasis",
    "LearningCurve",
    "NonlinearityEstimate",
    "ReceptiveField",
    "Trajectory",
    "UnfittedCell",
    "bits_per_spike",
    "block_bootstrap",
    "correlation",
    "estimate_filter",
    "estimate_nonlinearity",
    "explained_variance",
    "fit_many",
    "fit_receptive_field",
    "folds",
    "learning_curve",
    "losses",
    "poisson_deviance",
    "r_squared",
    "regularisers",
    "resume_checkpoint",
    "save_checkpoint",
    "search_settings",
    "split_in_blocks",
    "stop_early",
    "van_rossum_distance",
    "victor_purpura_distance",
]
