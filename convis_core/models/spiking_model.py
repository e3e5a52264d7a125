"""Spikes of a model of recorded cells, with its own spikes fed back."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.models.generalised_linear import GLM
from convis_core.models.linear_nonlinear_poisson import LNP
from convis_core.ops.noise import block_uniform
from convis_core.ops.spike_feedback import feed_spikes_back
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["SpikingModel"]


def _pair() -> GLM:
    """Two coupled cells that fire now and then."""
    model = GLM(kernel_dim=(3, 4, 3), n_cells=2, n_history=5, n_basis=3, coupling=True)
    model.set_parameters(
        {
            "filter.weight": torch.linspace(-0.02, 0.03, 72).reshape(2, 1, 3, 4, 3),
            "history": torch.full((2, 3), -0.5),
            "coupling": torch.full((2, 2, 3), 0.05),
            "offset": torch.zeros(2),
        }
    )
    return model


class SpikingModel(StochasticLayer):
    r"""A `convis_core.models.LNP` or `convis_core.models.GLM` that runs freely.

    Where the model has a spike history or coupling, each frame hears the spikes that were drawn in
    those before it, not recorded ones.

    Parameters
    ----------
    model : LNP or GLM
        It is copied; change the parameters of the copy, ``layer.p.model``.
    seed : int, optional
        With a seed every fresh start repeats the same spikes.

    Raises
    ------
    ParameterError
        If `model` is something else, or, while running, if its cells excite themselves without bound.

    Examples
    --------
    >>> import numpy as np
    >>> cell = GLM(n_history=3, n_basis=2)
    >>> cell.history = -50.0  # no spike within three frames after one
    >>> spikes = SpikingModel(cell, seed=1).run(np.zeros((500, 1, 1))).spikes.flatten()
    >>> int(torch.diff(spikes.nonzero().flatten()).min())
    4
    """

    output_names = ("spikes", "rate")
    spiking = True
    in_channels = 1

    past_spikes = state_variable("spikes before the chunk, the last one last", shape="[batch, cell, lag]")

    def __init__(self, model: LNP, *, seed: int | None = None, resolution: Resolution | None = None) -> None:
        if not isinstance(model, LNP):
            raise ParameterError(
                f"Spikes are drawn from an LNP or a GLM, got {type(model).__name__}.",
                "Use convis_core.filters.spiking.Poisson on what other models answer.",
            )
        super().__init__(seed=seed, resolution=resolution or model.resolution)
        self.model = copy.deepcopy(model)
        self.model.clear_state()
        if isinstance(self.model, GLM):
            self.model.forget_spikes()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        drive = self.model.drive(x)
        filters = self.model.feedback_filters()
        if filters is None:
            filters = drive.new_zeros(drive.shape[1], 1)
        past = self.past_spikes
        if past is None:
            past = drive.new_zeros(*drive.shape[:2], filters.shape[-1])
        uniform = self.draw(block_uniform, drive)
        spikes, rate, self.past_spikes = feed_spikes_back(
            drive[..., 0, 0], uniform[..., 0, 0], filters, past, self.model.nonlinearity
        )
        if isinstance(self.model, GLM):
            self.model.clock, self.model.trial = self.clock, 0
        return spikes[..., None, None], rate[..., None, None]


with torch.random.fork_rng(devices=[]):  # importing the package rolls no dice
    SpikingModel.example_arguments = {"model": _pair(), "seed": 1}
