r"""Leaky integrate-and-fire neurons, one per channel and pixel.

.. math:: \frac{dv}{dt} = I(t) - g_L v + \text{noise}, \qquad v \ge 1: \text{ spike}, \; v \to 0
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.ops.integrate_and_fire import IntegrationMethod, leaky_integrate_and_fire
from convis_core.ops.noise import block_normal
from convis_core.ops.surrogate import Surrogate, check_surrogate
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["LeakyIntegrateAndFireNeuron", "RefractoryLeakyIntegrateAndFireNeuron"]


class LeakyIntegrateAndFireNeuron(StochasticLayer):
    r"""Leaky integrate-and-fire neuron, exact inside each step.

    .. math:: \frac{dv}{dt} = I(t) - g_L v + \sigma \sqrt{2 g_L} \, \eta(t)

    The input is a current over capacitance in Hz (thresholds per second), constant over a
    step. Threshold 1, reset and rest 0. The output is the number of spikes in each step.
    Under constant current the rate is :math:`g_L / \ln(x / (x - 1))` with
    :math:`x = I / g_L`, and 0 for :math:`x \le 1`.

    Parameters
    ----------
    method : {"exact", "euler"}
        How to integrate.
    surrogate : {"superspike", "arctan", "triangle"}, optional
        Gradient that spikes pass to the potential in training; the output is the same.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        ``g_L`` in Hz, ``noise_sigma``.

    Examples
    --------
    >>> import numpy as np
    >>> neuron = LeakyIntegrateAndFireNeuron(g_L=50.0, noise_sigma=0.0)
    >>> int(neuron.run(np.full(1000, 100.0)).array().sum())  # 50 / log(2) = 72.1 Hz
    72

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249,
    doi:10.1007/s10827-008-0108-4.
    """

    spiking = True

    g_L = parameter(
        50.0,
        unit="Hz",
        bounds=(0.0, 1e4),
        slider=(1.0, 500.0),
        scale="log",
        doc="leak conductance over capacitance, the inverse of the membrane time constant",
        citation="doi:10.1007/s10827-008-0108-4",
        key="ganglion-layer.spiking-channel.g-leak__Hz",
    )
    noise_sigma = parameter(
        0.1,
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="standard deviation that noise gives the potential where it does not spike",
        citation="doi:10.1007/s10827-008-0108-4",
        key="ganglion-layer.spiking-channel.sigma-V",
    )
    v = state_variable("membrane potential, threshold 1", shape="[batch, channel, x, y]")
    dead_time = state_variable("what is left of the refractory time, in s", shape="[batch, channel, x, y]")

    def __init__(
        self,
        *,
        method: IntegrationMethod = "exact",
        surrogate: Surrogate | None = None,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(seed=seed, resolution=resolution, **values)
        check_surrogate(surrogate)
        self.method: IntegrationMethod = method
        self.surrogate: Surrogate | None = surrogate

    def refractory_time(self) -> Tensor | nn.Parameter | float:
        """Time in s during which the potential is held at 0 after a spike."""
        return 0.0

    def forward(self, x: Tensor) -> Tensor:
        if self.v is None:
            self.v = self.dead_time = x.new_zeros(*x.shape[:2], *x.shape[3:])
        step = self.resolution.step
        noisy = float(self.noise_sigma.detach()) > 0.0
        spikes, self.v, self.dead_time = leaky_integrate_and_fire(
            x,
            self.v,
            self.dead_time,
            g=self.g_L,
            step=step,
            refractory=self.refractory_time(),
            noise=self.draw(block_normal, x) if noisy else None,
            noise_scale=self.noise_sigma * torch.sqrt(2.0 * self.g_L) / math.sqrt(step) if noisy else 0.0,
            method=self.method,
            surrogate=self.surrogate,
        )
        return spikes


class RefractoryLeakyIntegrateAndFireNeuron(LeakyIntegrateAndFireNeuron):
    r"""Leaky integrate-and-fire neuron that rests after each spike.

    As `LeakyIntegrateAndFireNeuron`, with the potential held at 0 for ``refr_mu`` seconds
    after a spike, so that the rate is :math:`1 / (t_{refr} + \ln(x / (x - 1)) / g_L)`.

    Examples
    --------
    >>> import numpy as np
    >>> neuron = RefractoryLeakyIntegrateAndFireNeuron(noise_sigma=0.0)
    >>> int(neuron.run(np.full(1000, 100.0)).array().sum())  # 1 / (0.003 + log(2) / 50) = 59.3 Hz
    59

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249,
    doi:10.1007/s10827-008-0108-4.
    """

    refr_mu = parameter(
        0.003,
        unit="s",
        bounds=(0.0, 1.0),
        slider=(0.0, 0.02),
        doc="refractory time after each spike",
        citation="doi:10.1007/s10827-008-0108-4",
        key="ganglion-layer.spiking-channel.refr-mean__sec",
    )

    def refractory_time(self) -> Tensor | nn.Parameter | float:
        return self.refr_mu
