"""Ganglion cells: where they are, and when they spike."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.ops.ganglion_spikes import CellMemory, CellNumbers, ganglion_spikes
from convis_core.ops.noise import block_normal, block_uniform
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.cell_array import sample_map
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["AdaptiveGanglionSpiking", "GanglionSpiking"]

SOURCE = "doi:10.1007/s10827-008-0108-4"
CHANNEL = "ganglion-layer.spiking-channel"
ADAPTIVE = "ganglion-layer.spiking-channel-adap"


class GanglionSpiking(StochasticLayer):
    r"""Spiking ganglion cells: leaky integrate and fire, with the exact time of each spike.

    .. math:: \frac{dv}{dt} = I(t) - g_L v + \sigma \sqrt{2 g_L} \, \eta(t), \qquad v \ge 1: \text{ spike}, \; v \to 0

    The input is a current over capacitance in Hz, constant over a step. After a spike the
    potential is held at 0 for a refractory time, drawn for each spike from a normal
    distribution and not negative. The output is the number of spikes in each step; `events` has
    the cells and times of those of the last chunk.

    Parameters
    ----------
    positions : array, shape [cell, 2], optional
        Where the cells are, in deg from the centre to the right and down; the map is read there
        between its pixels, and the output is ``[batch, channel, time, cell, 1]``. Without it there
        is a cell at each pixel.
    random_start : bool
        Whether the potentials of a fresh start are spread evenly between 0 and 1; otherwise 0.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> cells = GanglionSpiking(noise_sigma=0.0, refr_sigma=0.0)
    >>> int(cells.run(np.full(1000, 100.0)).array().sum())  # 1 / (0.003 + log(2) / 50) = 59.3 Hz
    59
    >>> cells.events[1][:2].round(4)  # the times, in s
    array([0.0139, 0.0307])

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249,
    doi:10.1007/s10827-008-0108-4.
    """

    spiking = True
    example_arguments: ClassVar[dict[str, Any]] = {"refr_sigma": 0.002}

    g_L = parameter(
        50.0,
        unit="Hz",
        bounds=(0.0, 1e4),
        slider=(1.0, 500.0),
        scale="log",
        doc="leak conductance over capacitance, the inverse of the membrane time constant",
        citation=SOURCE,
        key=f"{CHANNEL}.g-leak__Hz",
    )
    refr_mu = parameter(
        0.003,
        unit="s",
        bounds=(0.0, 1.0),
        slider=(0.0, 0.02),
        doc="mean of the refractory time after each spike",
        citation=SOURCE,
        key=f"{CHANNEL}.refr-mean__sec",
    )
    refr_sigma = parameter(
        0.001,
        unit="s",
        bounds=(0.0, 1.0),
        slider=(0.0, 0.01),
        doc="standard deviation of the refractory time",
        citation=SOURCE,
        key=f"{CHANNEL}.refr-stdev__sec",
    )
    noise_sigma = parameter(
        0.1,
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="standard deviation that noise gives the potential where it does not spike",
        citation=SOURCE,
        key=f"{CHANNEL}.sigma-V",
    )
    v = state_variable("membrane potential, threshold 1", shape="[batch, channel, x, y]")
    dead_time = state_variable("what is left of the refractory time, in s", shape="[batch, channel, x, y]")
    adaptation = state_variable("conductance added by spikes, in Hz", shape="[batch, channel, x, y]")
    count = state_variable("spikes since the fresh start", shape="[batch, channel, x, y]")

    def __init__(
        self,
        positions: Any = None,
        *,
        random_start: bool = False,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(seed=seed, resolution=resolution, **values)
        self.positions = None if positions is None else np.asarray(positions, dtype=np.float64).reshape(-1, 2)
        self.random_start = random_start
        self.events: tuple[NDArray[np.int64], NDArray[np.float64]] = (np.empty(0, np.int64), np.empty(0))

    def numbers(self) -> CellNumbers:
        """Numbers of the cells as the loop takes them."""
        return CellNumbers(self.g_L.item(), self.refr_mu.item(), self.refr_sigma.item())

    def forward(self, x: Tensor) -> Tensor:
        if self.positions is not None:
            x = sample_map(x, self.positions, self.resolution.pixel_per_degree)
        if x.shape[TIME] == 0:
            self.events = np.empty(0, np.int64), np.empty(0)
            return x
        start = self.clock or 0
        step = self.resolution.step
        sigma = self.noise_sigma.item()
        noise = self.draw(block_normal if sigma > 0 else _no_numbers, x)
        if self.v is None:
            self._begin(x)
        memory = CellMemory(self.v, self.dead_time, self.adaptation, self.count)
        spikes, self.events, after = ganglion_spikes(
            x,
            memory,
            self.numbers(),
            step,
            noise=noise if sigma > 0 else None,
            noise_scale=sigma * math.sqrt(2.0 * self.g_L.item() / step),
            seed=self.noise_seed,
            first=start,
        )
        self.v, self.dead_time, self.adaptation, self.count = after
        return spikes

    def _begin(self, x: Tensor) -> None:
        rest = x.new_zeros(*x.shape[:TIME], *x.shape[TIME + 1 :])
        self.v = self.dead_time = self.adaptation = rest
        self.count = torch.zeros_like(rest, dtype=torch.int64)
        if self.random_start:
            batch, channels, rows, columns = rest.shape
            shape = batch, channels, rows, columns
            self.v = block_uniform(self.noise_seed + 1, 0, 1, shape, dtype=x.dtype, device=x.device)[:, :, 0]


def _no_numbers(*_: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Draw nothing, while time goes on."""
    return torch.empty(0, dtype=dtype, device=device)


class AdaptiveGanglionSpiking(GanglionSpiking):
    r"""Spiking ganglion cells that tire: every spike opens a conductance that closes slowly.

    As `GanglionSpiking`, with

    .. math:: \frac{dv}{dt} = I(t) + g_a E - (g_L + g_a) v + \text{noise}, \qquad \tau \frac{dg_a}{dt} = -g_a

    and :math:`g_a \to g_a + \delta` at a spike; between spikes :math:`g_a` is constant over a step.

    Parameters
    ----------
    positions : array, shape [cell, 2], optional
        Where the cells are; see `GanglionSpiking`.
    random_start : bool
        Whether the potentials of a fresh start are spread evenly between 0 and 1; otherwise 0.
    seed : int, optional
        With a seed every fresh start repeats the same noise.
    **values
        Initial values of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> quiet = {"noise_sigma": 0.0, "refr_sigma": 0.0}
    >>> fresh, tired = (AdaptiveGanglionSpiking(delta_g=delta, **quiet) for delta in (0.0, 20.0))
    >>> fresh, tired = (int(cells.run(np.full(1000, 200.0)).array().sum()) for cells in (fresh, tired))
    >>> tired < 0.7 * fresh
    True

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249,
    doi:10.1007/s10827-008-0108-4.
    """

    delta_g = parameter(
        10.0,
        unit="Hz",
        bounds=(0.0, 1e4),
        slider=(0.0, 100.0),
        doc="conductance that each spike adds",
        citation=SOURCE,
        key=f"{ADAPTIVE}.delta-g-adap__Hz",
    )
    tau_g = parameter(
        0.1,
        unit="s",
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="time constant with which the added conductance closes; 0 at the next step",
        citation=SOURCE,
        key=f"{ADAPTIVE}.tau-g-adap__sec",
    )
    E_adap = parameter(
        0.0,
        bounds=(-1e3, 1e3),
        slider=(-1.0, 1.0),
        doc="potential that the added conductance pulls to",
        citation=SOURCE,
        key=f"{ADAPTIVE}.E-adap",
    )

    def numbers(self) -> CellNumbers:
        tau = self.tau_g.item()
        keep = math.exp(-self.resolution.step / tau) if tau > 0 else 0.0
        return super().numbers()._replace(delta=self.delta_g.item(), keep=keep, reversal=self.E_adap.item())
