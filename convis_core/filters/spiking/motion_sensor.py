"""A pixel that reports how far its input has moved."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.ops.change_events import change_events
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.state import state_variable

__all__ = ["IntegrativeMotionSensor"]


class IntegrativeMotionSensor(Layer):
    r"""Integrate the change of the input, and report every threshold that is crossed.

    .. math:: \frac{dV}{dt} = \frac{ds}{dt}, \qquad
        V > \theta: \text{ ON}, \; V \to V - \theta, \qquad V < -\theta: \text{ OFF}, \; V \to V + \theta

    with ``s = x`` in mode "linear" and ``s = log(max(x, darkest))`` in mode "log", where an
    event stands for a relative change. What does not change is not reported, and the first
    frame has lasted for ever. Channel 0 counts the ON events in each frame, channel 1 the OFF
    events.

    Parameters
    ----------
    mode : {"linear", "log"}
        Whether change is absolute or relative.
    **values
        Initial values of the parameters below.

    Raises
    ------
    ParameterError
        For another mode.

    Examples
    --------
    >>> import numpy as np
    >>> events = IntegrativeMotionSensor(threshold=0.1).run(np.linspace(0.0, 1.05, 200))
    >>> events.array().sum(axis=(0, 2, 3, 4))  # ON, OFF
    array([10.,  0.], dtype=float32)

    References
    ----------
    Lichtsteiner P., Posch C., Delbruck T. (2008), A 128x128 120 dB 15 us latency asynchronous temporal contrast
    vision sensor, IEEE J. Solid-State Circuits 43, 566-576, doi:10.1109/JSSC.2007.914337.
    """

    output_names = ("events",)
    differentiable: ClassVar[bool] = False
    spiking = True
    in_channels = 1
    example_arguments: ClassVar[dict[str, Any]] = {"threshold": 0.1}

    threshold = parameter(
        0.2,
        bounds=(1e-4, 1e3),
        slider=(0.01, 1.0),
        scale="log",
        doc="change of the input, or of its natural logarithm, that makes an event",
    )
    darkest = parameter(
        1e-3,
        bounds=(1e-9, 1e3),
        slider=(1e-4, 0.1),
        scale="log",
        doc="input below which mode log does not see a change",
    )
    level = state_variable("input of which the last event told", shape="[batch, 1, x, y]")

    def __init__(
        self, mode: Literal["linear", "log"] = "linear", *, resolution: Resolution | None = None, **values: Any
    ) -> None:
        super().__init__(resolution=resolution, **values)
        if mode not in ("linear", "log"):
            raise ParameterError(f"There is no mode {mode!r} of IntegrativeMotionSensor.", "Use 'linear' or 'log'.")
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        signal = torch.log(torch.maximum(x, self.darkest)) if self.mode == "log" else x
        if self.level is None:
            self.level = signal[:, :, 0].detach()
        still = torch.zeros_like(self.level)
        events, self.level, _ = change_events(
            signal, self.level, still, on=self.threshold, off=self.threshold, step=self.resolution.step
        )
        return events
