"""An event camera: a dynamic vision sensor with the imperfections of a real one."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.ops.change_events import change_events
from convis_core.ops.noise import block_normal, block_uniform
from convis_core.parameters import parameter
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["EventCamera"]

SOURCE = "doi:10.1109/JSSC.2007.914337"
LOWEST_THRESHOLD = 0.01
"""Smallest threshold that mismatch leaves a pixel, in units of log intensity."""
_PATTERN = 0x5EED
"""Tells the seed of the fixed pattern from that of the noise."""


class EventCamera(StochasticLayer):
    r"""Dynamic vision sensor: events of change of the logarithm of a luminance.

    .. math::

        \frac{1}{2 \pi f} \frac{ds}{dt} = \log(\max(x, x_{min})) - s, \qquad
        s - l > \theta_{on}: \text{ ON}, \; l \to l + \theta_{on}, \qquad
        s - l < -\theta_{off}: \text{ OFF}, \; l \to l - \theta_{off}

    with a level `l` in each pixel. The input is a luminance. Channel 0 counts the ON events in
    each frame, channel 1 the OFF events. As in a camera, thresholds differ between pixels, a
    pixel rests after an event, leaks make ON events, and noise makes both.

    Parameters
    ----------
    seed : int, optional
        With a seed every fresh start repeats the same noise and the same pattern of thresholds.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> camera = EventCamera(threshold_mismatch=0.0, noise_rate=0.0, leak_rate=0.0)
    >>> events = camera.run(np.exp(np.linspace(0.0, 2.0, 500)))
    >>> events.array().sum(axis=(0, 2, 3, 4))  # one for each 20 % of change
    array([9., 0.], dtype=float32)

    References
    ----------
    Lichtsteiner P., Posch C., Delbruck T. (2008), A 128x128 120 dB 15 us latency asynchronous temporal contrast
    vision sensor, IEEE J. Solid-State Circuits 43, 566-576, doi:10.1109/JSSC.2007.914337.
    """

    output_names = ("events",)
    spiking = True
    in_channels = 1
    example_arguments: ClassVar[dict[str, Any]] = {"noise_rate": 50.0}

    threshold_on = parameter(
        0.2,
        bounds=(0.01, 5.0),
        slider=(0.05, 1.0),
        doc="rise of the log luminance that makes an event",
        citation=SOURCE,
    )
    threshold_off = parameter(
        0.2,
        bounds=(0.01, 5.0),
        slider=(0.05, 1.0),
        doc="fall of the log luminance that makes an event",
        citation=SOURCE,
    )
    threshold_mismatch = parameter(
        0.02,
        bounds=(0.0, 1.0),
        slider=(0.0, 0.1),
        doc="standard deviation of the thresholds over pixels",
        citation=SOURCE,
    )
    cutoff = parameter(
        300.0,
        unit="Hz",
        bounds=(0.1, 1e5),
        slider=(10.0, 3000.0),
        scale="log",
        doc="bandwidth of the photoreceptor",
        citation=SOURCE,
    )
    refractory = parameter(
        0.0005, unit="s", bounds=(0.0, 1.0), slider=(0.0, 0.02), doc="rest of a pixel after an event", citation=SOURCE
    )
    leak_rate = parameter(
        0.1, unit="Hz", bounds=(0.0, 1e3), slider=(0.0, 1.0), doc="ON events that a leak makes", citation=SOURCE
    )
    noise_rate = parameter(
        1.0,
        unit="Hz",
        bounds=(0.0, 1e3),
        slider=(0.0, 10.0),
        doc="events of each kind that noise makes",
        citation=SOURCE,
    )
    darkest = parameter(
        1e-3, bounds=(1e-9, 1e3), slider=(1e-4, 0.1), scale="log", doc="luminance below which all is dark"
    )
    photoreceptor = state_variable("log luminance after the photoreceptor", shape="[batch, 1, x, y]")
    level = state_variable("log luminance of which the last event told", shape="[batch, 1, x, y]")
    dead_time = state_variable("what is left of the refractory time, in s", shape="[batch, 1, x, y]")
    pattern = state_variable("threshold of each pixel in standard deviations", shape="[batch, 1, x, y]")

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        uniform = self.draw(block_uniform, x)
        signal = torch.log(torch.maximum(x, self.darkest))
        if self.level is None:
            self.photoreceptor = self.level = signal[:, :, 0].clone()
            self.dead_time = torch.zeros_like(self.level)
            shape = (*x.shape[:TIME], *x.shape[TIME + 1 :])
            drawn = block_normal(self.noise_seed ^ _PATTERN, 0, 1, shape, dtype=x.dtype, device=x.device)
            self.pattern = drawn[:, :, 0].clone()
        step = self.resolution.step
        spread = self.threshold_mismatch * self.pattern
        events, self.level, self.dead_time = change_events(
            self._seen(signal),
            self.level,
            self.dead_time,
            on=(self.threshold_on + spread).clamp(min=LOWEST_THRESHOLD),
            off=(self.threshold_off + spread).clamp(min=LOWEST_THRESHOLD),
            step=step,
            refractory=float(self.refractory),
            drift=float(self.leak_rate * self.threshold_on),
        )
        chance = self.noise_rate * step
        return events + torch.cat([uniform < chance, uniform >= 1 - chance], dim=1)

    def _seen(self, signal: Tensor) -> Tensor:
        """Low-pass the signal as the photoreceptor does."""
        keep = math.exp(-2 * math.pi * float(self.cutoff) * self.resolution.step)
        last: Tensor = self.photoreceptor
        seen = []
        for frame in signal.unbind(TIME):
            last = keep * last + (1 - keep) * frame
            seen.append(last)
        self.photoreceptor = last
        return torch.stack(seen, dim=TIME) if seen else signal
