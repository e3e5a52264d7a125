"""The current that bipolar cells send into ganglion cells."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.layer import Layer
from convis_core.ops.ganglion_current import ganglion_current
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.smooth_rectification import smooth_rectification
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme, scale_in_pixels
from convis_core.state import state_variable

__all__ = ["GanglionInput"]

SOURCE = "doi:10.1007/s10827-008-0108-4"


class GanglionInput(Layer):
    r"""Current into ganglion cells: transient, rectified, pooled.

    .. math::

        T &= x - w \, E_\tau * x, \\
        I &= G_\sigma * N\left( \lambda_G (s T - v_0) \right)

    with the sign `s` 1 for ON and -1 for OFF cells, an exponential `E` and a spatial kernel `G`
    of unit sum, and

    .. math::

        N(u) = \begin{cases} i_0^2 / (i_0 - u) & u \le 0 \\ i_0 + u & u > 0 \end{cases}

    which saturates at 5e5 Hz, far above any response. The input is a bipolar potential, a pure
    number, the output a current over capacitance in Hz. A fresh start begins at rest, at a
    potential of 0. The image keeps its size: its edge is taken to go on for ever.

    Parameters
    ----------
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> current = GanglionInput(i_0=37.0).run(np.zeros((3, 2, 2)))  # at rest: i_0
    >>> float(current.array()[0, 0, -1, 0, 0])
    37.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), Virtual Retina: a biological retina model and simulator,
    with contrast gain control, J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"sigma_surround": 0.1}

    sign = parameter(
        1.0,
        bounds=(-1.0, 1.0),
        doc="1 for ON cells, which brighter light excites, -1 for OFF cells",
        citation=SOURCE,
        key="ganglion-layer.sign",
    )
    transient_tau_center = parameter(
        0.02,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.002, 0.2),
        scale="log",
        doc="time constant of the transient: how long a lasting potential goes on to excite",
        citation=SOURCE,
        key="ganglion-layer.transient-tau__sec",
    )
    transient_relative_weight_center = parameter(
        0.7,
        bounds=(0.0, 10.0),
        slider=(0.0, 1.0),
        doc="part of a lasting potential that ceases to excite; 1 leaves only what changes, 0 all",
        citation=SOURCE,
        key="ganglion-layer.transient-relative-weight",
    )
    i_0 = parameter(
        37.0,
        unit="Hz",
        bounds=(0.0, 1e5),
        slider=(0.0, 200.0),
        doc="current at the threshold, where the response becomes linear",
        citation=SOURCE,
        key="ganglion-layer.value-at-linear-threshold__Hz",
    )
    v_0 = parameter(
        0.0,
        bounds=(-1e3, 1e3),
        slider=(-1.0, 1.0),
        doc="threshold of the potential, above which the response is linear",
        citation=SOURCE,
        key="ganglion-layer.bipolar-linear-threshold",
    )
    lambda_G = parameter(
        100.0,
        unit="Hz",
        bounds=(0.0, 1e5),
        slider=(0.0, 500.0),
        doc="slope of the response, current for a potential of 1",
        citation=SOURCE,
        key="ganglion-layer.bipolar-amplification__Hz",
    )
    sigma_surround = parameter(
        0.0,
        unit="deg",
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="scale of the neighbourhood whose currents a cell pools; below 0.1 pixel none",
        citation=SOURCE,
        key="ganglion-layer.sigma-pool__deg",
    )
    slow = state_variable("slow copy of the potential, which the transient lacks", shape="[batch, channel, x, y]")

    def __init__(
        self, *, log_polar: LogPolarScheme | None = None, resolution: Resolution | None = None, **values: Any
    ) -> None:
        super().__init__(resolution=resolution, **values)
        self.log_polar = log_polar

    def forward(self, x: Tensor) -> Tensor:
        current, self.slow = ganglion_current(
            x,
            x.new_zeros(*x.shape[:2], *x.shape[3:]) if self.slow is None else self.slow,
            keep=torch.exp(-self.resolution.step / self.transient_tau_center),
            weight=self.transient_relative_weight_center,
            gain=self.lambda_G * self.sign,
            threshold=self.lambda_G * self.v_0,
            level=self.i_0,
        )
        scale = scale_in_pixels(self.sigma_surround, x, self.resolution, self.log_polar)
        literal = self.log_polar is not None and self.log_polar.virtual_retina
        return recursive_blur(current, scale, virtual_retina_logpolar=literal)

    def resting_current(self) -> Tensor:
        """Current at a potential of 0, in Hz."""
        return smooth_rectification(-self.lambda_G * self.v_0, self.i_0)
