"""A small ON/OFF model of retinal ganglion cells, from luminance to spikes."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.centre_surround import CentreSurroundFilter
from convis_core.filters.spiking.integrate_and_fire import RefractoryLeakyIntegrateAndFireNeuron
from convis_core.layer import Layer
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.tensors import CHANNEL

__all__ = ["CentreSurround"]


class CentreSurround(Layer):
    r"""ON and OFF cells with centre-surround receptive fields, one of each per pixel.

    .. math:: I_{ON, OFF} = \max(0, \; b \pm a \, (w * x))

    where `w` is the `CentreSurroundFilter`, and integrate-and-fire neurons turn the currents
    into spikes. The input is luminance from 0 to 1.

    Parameters
    ----------
    duration, extent : float
        Length of the filter in s and its half width in deg.
    seed : int, optional
        With a seed every fresh start repeats the same noise.

    Examples
    --------
    >>> import convis_core as convis
    >>> o = CentreSurround().run(convis.samples.moving_bar(200))
    >>> o.names, o.ganglion_spikes_ON.shape
    (('ganglion_spikes_ON', 'ganglion_spikes_OFF'), torch.Size([1, 1, 200, 20, 20]))

    References
    ----------
    Rodieck R. W. (1965), Vision Res. 5, 583-601, doi:10.1016/0042-6989(65)90033-7.
    """

    output_names = ("ganglion_spikes_ON", "ganglion_spikes_OFF")
    stochastic: ClassVar[bool] = True
    differentiable: ClassVar[bool] = False
    spiking: bool = True
    kernel_unit: ClassVar[str] = "Hz"
    example_arguments: ClassVar[dict[str, Any]] = {"duration": 0.02, "extent": 0.3, "seed": 1}
    in_channels = 1

    amplification = parameter(
        1500.0,
        unit="Hz",
        bounds=(0.0, 1e5),
        slider=(10.0, 5000.0),
        scale="log",
        doc="current per unit of filtered contrast",
        citation="doi:10.1016/0042-6989(65)90033-7",
        key="ganglion-layer.bipolar-amplification__Hz",
    )
    baseline = parameter(
        40.0,
        unit="Hz",
        bounds=(-1e4, 1e4),
        slider=(-50.0, 150.0),
        doc="current without a stimulus; spikes start where it exceeds the leak",
        citation="doi:10.1016/0042-6989(65)90033-7",
    )

    def __init__(
        self,
        duration: float = 0.1,
        extent: float = 0.5,
        *,
        seed: int | None = None,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(resolution=resolution, **values)
        self.receptive_field = CentreSurroundFilter(duration, extent, resolution=self.resolution)
        self.ganglion = RefractoryLeakyIntegrateAndFireNeuron(seed=seed, resolution=self.resolution)

    def kernel(self) -> Tensor:
        """Return the filters from luminance to the currents of ON and OFF cells, ``[2, 1, lag, x, y]`` in Hz."""
        filter_on = self.amplification * self.receptive_field.kernel()
        return torch.cat([filter_on, -filter_on])

    def currents(self, x: Tensor) -> Tensor:
        """Rectified input of the ON (channel 0) and OFF cells (channel 1), in Hz."""
        drive = self.amplification * self.receptive_field(x)
        return torch.relu(self.baseline + torch.cat([drive, -drive], dim=CHANNEL))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        spikes: Tensor = self.ganglion(self.currents(x))
        return spikes[:, :1], spikes[:, 1:]
