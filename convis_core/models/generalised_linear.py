"""Generalised linear model: cells driven by a stimulus, by their own spikes, and by those of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import Self

from convis_core.errors import ParameterError, ShapeError, StateError
from convis_core.loops.losses import check_counts
from convis_core.loops.pairs import is_list_of_trials
from convis_core.loops.run import check_steps
from convis_core.models.linear_nonlinear_poisson import LNP
from convis_core.ops.kernel_bases import KernelBasis
from convis_core.ops.lags import raised_cosines
from convis_core.ops.output_nonlinearity import output_nonlinearity
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable
from convis_core.tensors import TIME, cells_as_channels, check_finite, describe_shape

__all__ = ["GLM"]


class GLM(LNP):
    r"""Generalised linear model with spike history and coupling between cells.

    .. math::

        \lambda_c(t) = g\Big(b_c + \sum_{l, p} w_c(l, p) \, x(t - l, p) + \sum_{j \ge 1} h_c(j) \, y_c(t - j)
        + \sum_{d \ne c} \sum_{j \ge 1} k_{cd}(j) \, y_d(t - j)\Big), \qquad
        y_c(t) \sim \mathrm{Poisson}(\lambda_c(t))

    The filters :math:`h` and :math:`k` after a spike are sums of raised cosines. The response is
    the conditional intensity :math:`\lambda` in spikes a frame *given the recorded spikes*, which `given`
    sets: the likelihood needs no simulation, and all frames are computed at once. `simulate` lets
    the cells run freely, each hearing the spikes that they fire themselves.

    Parameters
    ----------
    kernel_dim : sequence of int
        ``(lag, x, y)``. Each cell sees the whole image, as in `convis_core.filters.RF`.
    n_cells : int
        Cells that share the stimulus; they are the channels of the response.
    n_history : int
        Frames after a spike that it acts in, the next one being the first.
    n_basis : int
        Raised cosines that describe a filter after a spike, at least 2.
    coupling : bool
        Whether cells also hear one another.
    nonlinearity : str
        :math:`g`: ``"exponential"``, ``"softplus"``, ``"sigmoid"`` (with one spike in a frame or none),
        ``"rectified"`` or ``"linear"``.
    spikes : array, shape [time], [time, cell] or [trial, time, cell], or list of arrays, optional
        See `given`.
    basis : KernelBasis or str, optional
        What the stimulus filter is a sum of, ``"raised_cosine"``, ``"spline"`` or a basis of your own; the
        weights of its functions are then what is fitted (`convis_core.filters.BasisRF`).

    Raises
    ------
    ShapeError, ParameterError, UnknownNameError
        For sizes and counts below 1, a coupling of one cell, or another nonlinearity.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> movie = rng.standard_normal((3000, 4, 4)).astype("float32")
    >>> cell = GLM(kernel_dim=(1, 4, 4), n_history=10, n_basis=4)
    >>> cell.history = -1.0  # refractory
    >>> spikes = cell.simulate(movie, seed=1).spikes.flatten()
    >>> fitted = GLM(kernel_dim=(1, 4, 4), n_history=10, n_basis=4).given(spikes)
    >>> _ = fitted.set_optimizer.LBFGS()
    >>> losses = fitted.optimize(movie, spikes, loss_fn=fitted.likelihood, epochs=3)
    >>> [round(model.history_filters().mean().item()) for model in (cell, fitted)]
    [-2, -2]

    References
    ----------
    Truccolo W. et al. (2005), A point process framework for relating neural spiking activity to spiking
    history, neural ensemble, and extrinsic covariate effects, J. Neurophysiol. 93, 1074-1089,
    doi:10.1152/jn.00697.2004. Pillow J. W. et al. (2008), Spatio-temporal correlations and visual signalling
    in a complete neuronal population, Nature 454, 995-999, doi:10.1038/nature07140.
    """

    example_arguments: ClassVar[dict[str, Any]] = {
        "kernel_dim": (3, 4, 3),
        "n_cells": 2,
        "n_history": 5,
        "n_basis": 3,
        "coupling": True,
        "spikes": np.arange(240).reshape(120, 2) % 5 % 3,
    }

    history = parameter(doc="weight of each raised cosine after a spike of the cell itself, [cell, cosine]")
    coupling = parameter(doc="the same after a spike of another cell, [to, from, cosine]; the diagonal is not used")
    clock = state_variable("frames since the fresh start")
    trial = state_variable("number of the trial whose spikes are heard, of those in a list")

    _basis: Tensor
    _recorded: Tensor | None

    def __init__(
        self,
        kernel_dim: Sequence[int] = (1, 1, 1),
        n_cells: int = 1,
        n_history: int = 20,
        n_basis: int = 8,
        coupling: bool = False,
        nonlinearity: str = "exponential",
        spikes: Any = None,
        *,
        basis: KernelBasis | str | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(kernel_dim, n_cells, nonlinearity, basis=basis, resolution=resolution)
        if check_steps(n_basis, "n_basis", "raised cosines") < 2:
            raise ParameterError("A filter after a spike is described by at least 2 raised cosines, got 1.")
        if coupling and n_cells < 2:
            raise ParameterError("Coupling needs at least 2 cells, got 1.", "Give n_cells, or coupling=False.")
        bumps = raised_cosines(check_steps(n_history, "n_history"), n_basis, dtype=torch.float64)
        self.register_buffer("_basis", bumps.to(self.dtype), persistent=False)
        self.register_buffer("_recorded", None, persistent=False)
        self._lengths: tuple[int, ...] | None = None
        self.history = torch.zeros(n_cells, n_basis)
        if coupling:
            self.coupling = torch.zeros(n_cells, n_cells, n_basis)
        if spikes is not None:
            self.given(spikes)

    @property
    def is_coupled(self) -> bool:
        """Whether cells hear one another."""
        return "coupling" in self._parameters

    def given(self, spikes: Any) -> Self:
        """Set the recorded spikes that the intensity is conditional on; frame 0 is that after a fresh start.

        Parameters
        ----------
        spikes : array, shape [time], [time, cell] or [trial, time, cell], or a list of arrays
            Counts in each frame of the stimulus. Trials in an array are those of a batch of stimuli, or of
            one stimulus shown to all. Trials in a list, ``[time]`` or ``[time, cell]`` each, may differ in
            length, and come one after the other: a fit to lists of trials turns to each, and
            ``start_trial(k)`` does before a run.

        Returns
        -------
        GLM
            The model itself.
        """
        if not is_list_of_trials(spikes):
            self._recorded, self._lengths = self._checked(spikes), None
            return self
        trials = [self._checked(trial) for trial in spikes]
        if any(len(trial) != 1 for trial in trials):
            raise ShapeError(
                "Each trial in a list is [time] or [time, cell], got one that holds several trials itself.",
                "Give a flat list.",
            )
        self._lengths = tuple(trial.shape[2] for trial in trials)
        self._recorded = torch.cat([functional.pad(t, (0, max(self._lengths) - t.shape[2])) for t in trials])
        return self

    def _checked(self, spikes: Any) -> Tensor:
        """Spikes of this model's cells, ``[trial, cell, time]``."""
        recorded = cells_as_channels(spikes, dtype=self.dtype, device=self.device).detach()
        if recorded.shape[1] != self.n_cells or recorded.shape[3:] != (1, 1):
            raise ShapeError(
                f"The spikes of {self.n_cells} cell(s) are [time, {self.n_cells}], got "
                f"{describe_shape(recorded.shape)} as [trial, cell, time, x, y].",
                "Build the model with n_cells=..., and put the time first and the cells last.",
            )
        check_finite(recorded, "The spike count")
        check_counts(recorded)
        return recorded[..., 0, 0].clone()

    def forget_spikes(self) -> None:
        """Take back what `given` did."""
        self._recorded, self._lengths = None, None

    def enter_trial(self, trial: int) -> None:
        known = 1 if self._lengths is None else len(self._lengths)
        if self._recorded is not None and not 0 <= trial < known:
            raise StateError(
                f"The GLM was given the spikes of {known} trial(s) and is to start trial {trial}, counted from 0.",
                "Call model.given([...]) with an array for each trial.",
            )
        self.trial = trial

    def history_filters(self) -> Tensor:
        """Drive that a cell's own spike adds in the frames after it, ``[cell, lag]``; the first is the next frame."""
        return self.history @ self._basis.T

    def coupling_filters(self) -> Tensor:
        """Drive that a spike adds in the frames after it, ``[to, from, lag]``, a cell's own on the diagonal."""
        own = torch.diag_embed(self.history_filters().T, dim1=0, dim2=1).movedim(2, -1)
        return own + self._between_cells() @ self._basis.T if self.is_coupled else own

    def feedback_filters(self) -> Tensor:
        """What past spikes add to the drive: ``[to, from, lag]`` where cells are coupled, else ``[cell, lag]``."""
        return self.coupling_filters() if self.is_coupled else self.history_filters()

    def forward(self, x: Tensor) -> Tensor:
        start = 0 if self.clock is None else self.clock
        past = self._past_drive(start, x.shape[TIME], x.shape[0])
        self.clock, self.trial = start + x.shape[TIME], self.trial or 0
        return output_nonlinearity(self.nonlinearity)(self.drive(x) + past[..., None, None])

    def _between_cells(self) -> Tensor:
        """Coupling without that of a cell with itself."""
        other = 1.0 - torch.eye(self.n_cells, dtype=self.dtype, device=self.device)
        return self.coupling * other[..., None]

    def _past_drive(self, start: int, n_steps: int, batch: int) -> Tensor:
        """What spikes before each frame add to its drive, ``[batch, cell, time]``."""
        n_lags = self._basis.shape[0]
        recorded = self._spikes_until(start + n_steps, batch)[:, :, max(0, start - n_lags) : start + n_steps - 1]
        padded = functional.pad(recorded, (n_lags + n_steps - 1 - recorded.shape[2], 0))
        bumps = functional.conv1d(padded.flatten(0, 1)[:, None], self._basis.T.flip(1)[:, None])
        bumps = bumps.reshape(-1, self.n_cells, *bumps.shape[1:])  # [batch, cell, cosine, time]
        drive = torch.einsum("bckt,ck->bct", bumps, self.history)
        if self.is_coupled:
            drive = drive + self._between_cells().flatten(1) @ bumps.flatten(1, 2)
        return drive

    def _spikes_until(self, stop: int, batch: int) -> Tensor:
        recorded = self._recorded
        if recorded is None:
            raise StateError(
                "The intensity of a GLM depends on the spikes before, and none were given.",
                "Call model.given(spikes), or model.simulate(stimulus) for spikes of its own.",
            )
        if self._lengths is not None:
            trial = self.trial or 0
            recorded = recorded[trial : trial + 1, :, : self._lengths[trial]]
        if recorded.shape[2] < stop or recorded.shape[0] not in (1, batch):
            raise StateError(
                f"The GLM was given {recorded.shape[0]} trial(s) of {recorded.shape[2]} frames of spikes, "
                f"and is asked for {batch} of at least {stop}.",
                "Call model.given(spikes) with those of this stimulus, or clear_state() to start again.",
            )
        return recorded
