"""The outer plexiform layer: receptors, horizontal cells, and the difference of the two."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.ops.leaky_heat import leaky_heat_equation
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.ops.recursive_time import exponential_filter
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme, scale_in_pixels
from convis_core.retina.stage_delay import StageDelay
from convis_core.state import state_variable

__all__ = ["RecursiveOPLFilter"]

SOURCE = "doi:10.1007/s10827-008-0108-4"
KERNEL_DURATION, KERNEL_EXTENT = 0.1, 0.5
"""How much of the filter `RecursiveOPLFilter.kernel` shows, in s and, to either side, in deg."""


class RecursiveOPLFilter(Layer):
    r"""Outer plexiform layer: a centre that is transient, less a surround that is later and wider.

    .. math::

        C &= \lambda \, E_{\tau_C, n} * G_{\sigma_C} * x, \\
        R &= C - w_U \, E_{\tau_U} * C, \\
        S &= w \, E_{\tau_S} * G_{\sigma_S} * R, \\
        y &= R - S

    with exponentials `E` of unit sum (a cascade of `n + 1` of :math:`\tau_C / n` each, one of
    :math:`\tau_C` for `n` = 0) and Deriche's spatial kernel `G` of unit sum. A constant and
    uniform `x` is answered by :math:`\lambda (1 - w_U) (1 - w) x`. To a fresh start the first
    frame has lasted for ever; the image keeps its size, its edge going on for ever.

    With `leaky_heat_equation` the centre and the surround are each the solution of a leaky heat
    equation of the same time constant and scale: what is older has spread further.

    Parameters
    ----------
    n_center : int
        How many exponentials follow the first one of the centre.
    undershoot : bool
        Whether the centre is transient at all.
    leaky_heat_equation : bool
        Whether space and time are coupled.
    luminosity_range : float
        Luminance that counts as 1.
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    stage_delay : int
        Steps from the centre to the undershoot and on to the surround. 0, or 1 to be equal to
        Virtual Retina step by step.
    **values
        Initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> opl = RecursiveOPLFilter(relative_weight=0.5, lambda_opl=10.0)
    >>> float(opl.run(np.ones((3, 4, 4))).array().max().round(3))  # 10 (1 - 0.8) (1 - 0.5)
    1.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), Virtual Retina: a biological retina model and simulator,
    with contrast gain control, J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"n_center": 2}

    sigma_center = parameter(
        0.05,
        unit="deg",
        bounds=(0.0, 100.0),
        slider=(0.0, 0.5),
        doc="scale of the centre; below 0.1 pixel it is a point",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.center-sigma__deg",
    )
    tau_center = parameter(
        0.01,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.001, 0.1),
        scale="log",
        doc="time constant of the centre",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.center-tau__sec",
    )
    undershoot_tau_center = parameter(
        0.1,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.005, 1.0),
        scale="log",
        doc="time constant of the undershoot that makes the centre transient",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.undershoot.tau__sec",
    )
    undershoot_relative_weight_center = parameter(
        0.8,
        bounds=(0.0, 10.0),
        slider=(0.0, 1.0),
        doc="strength of the undershoot; 1 ignores what does not change",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.undershoot.relative-weight",
    )
    sigma_surround = parameter(
        0.15,
        unit="deg",
        bounds=(0.0, 100.0),
        slider=(0.0, 1.0),
        doc="scale of the surround; below 0.1 pixel it is a point",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.surround-sigma__deg",
    )
    tau_surround = parameter(
        0.004,
        unit="s",
        bounds=(1e-5, 100.0),
        slider=(0.001, 0.1),
        scale="log",
        doc="time constant of the surround, by which it is later than the centre",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.surround-tau__sec",
    )
    relative_weight = parameter(
        1.0,
        bounds=(0.0, 10.0),
        slider=(0.0, 1.5),
        doc="strength of the surround relative to the centre; 1 ignores uniform light",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.opl-relative-weight",
    )
    lambda_opl = parameter(
        1.0,
        bounds=(0.0, 1e6),
        slider=(0.0, 50.0),
        doc="amplification of the layer",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.opl-amplification",
    )
    undershoot_memory = state_variable("slow copy of the centre", shape="[batch, channel, x, y]")
    surround_memory = state_variable("output of the surround's filter", shape="[batch, channel, x, y]")
    centre_memory = state_variable("outputs of the centre's filters", shape="[pole, batch, channel, x, y]")

    def __init__(
        self,
        *,
        n_center: int = 0,
        undershoot: bool = True,
        leaky_heat_equation: bool = False,
        luminosity_range: float = 1.0,
        log_polar: LogPolarScheme | None = None,
        stage_delay: int = 0,
        resolution: Resolution | None = None,
        **values: Any,
    ) -> None:
        super().__init__(resolution=resolution, **values)
        if isinstance(n_center, bool) or not isinstance(n_center, int) or n_center < 0:
            raise ParameterError(f"n_center is a number of filters and must be at least 0, got {n_center!r}.")
        if not luminosity_range > 0:
            raise ParameterError(f"luminosity_range must be above 0, got {luminosity_range!r}.")
        self.n_center = n_center
        self.undershoot = undershoot
        self.leaky_heat_equation = leaky_heat_equation
        self.luminosity_range = float(luminosity_range)
        self.log_polar = log_polar
        if stage_delay:
            self.delay_undershoot, self.delay_surround = StageDelay(), StageDelay()
        self.stage_delay = stage_delay
        self.adapted_to: float | None = None

    def settle(self, luminance: float | None) -> None:
        """Begin, now and after every `clear_state`, in the steady state of a uniform luminance; None: of frame 0."""
        self.adapted_to = None if luminance is None else float(luminance)
        self.clear_state()

    def kernel(self) -> Tensor:
        """Impulse response over `KERNEL_DURATION` and `KERNEL_EXTENT` around a pixel, which is the filter.

        It is a copy: no gradient leads back to the parameters.
        """
        radius = max(1, round(self.resolution.degrees_to_pixels(KERNEL_EXTENT)))
        lags = max(1, round(self.resolution.seconds_to_steps(KERNEL_DURATION)))
        return self.impulse_response(lags, (2 * radius + 1, 2 * radius + 1))[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x)[2]

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        step = self.resolution.step
        x = self.lambda_opl / self.luminosity_range * x
        rest = self._rest(x)
        receptor = self._centre(x, rest)
        if self.undershoot:
            if self.stage_delay:
                receptor = self.delay_undershoot.shift(receptor, self._first(receptor, rest))
            before = rest if self.undershoot_memory is None else self.undershoot_memory
            slow, self.undershoot_memory = exponential_filter(receptor, self.undershoot_tau_center, step, before)
            receptor = receptor - self.undershoot_relative_weight_center * slow
            rest = None if rest is None else (1 - self.undershoot_relative_weight_center) * rest
        seen = receptor
        if self.stage_delay:
            seen = self.delay_surround.shift(receptor, self._first(receptor, rest))
        before = rest if self.surround_memory is None else self.surround_memory
        surround, self.surround_memory = self._spread(seen, self.tau_surround, self.sigma_surround, before)
        horizontal = self.relative_weight * surround
        return receptor, horizontal, receptor - horizontal

    def _rest(self, x: Tensor) -> Tensor | None:
        """Response of the centre to the luminance that the layer is adapted to."""
        if self.adapted_to is None:
            return None
        return self.lambda_opl / self.luminosity_range * torch.full_like(x[:, :, 0], self.adapted_to)

    @staticmethod
    def _first(frames: Tensor, rest: Tensor | None) -> Tensor:
        return frames[:, :, :1] if rest is None else rest[:, :, None]

    def _centre(self, x: Tensor, rest: Tensor | None) -> Tensor:
        n_poles = 1 if self.leaky_heat_equation else self.n_center + 1
        poles = [rest] * n_poles if self.centre_memory is None else list(self.centre_memory)
        if self.leaky_heat_equation:
            x, poles[0] = self._spread(x, self.tau_center, self.sigma_center, poles[0])
        else:
            x = self._blur(x, self.sigma_center)
            for k, last in enumerate(poles):
                x, poles[k] = exponential_filter(x, self.tau_center / max(self.n_center, 1), self.resolution.step, last)
        self.centre_memory = torch.stack([pole for pole in poles if pole is not None])
        return x

    def _spread(self, x: Tensor, tau: Tensor, sigma: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor]:
        step = self.resolution.step
        if not self.leaky_heat_equation:
            return exponential_filter(self._blur(x, sigma), tau, step, last)
        scale = scale_in_pixels(sigma, x, self.resolution, self.log_polar)
        return leaky_heat_equation(x, tau, scale, step, last, virtual_retina_logpolar=self._literal)

    def _blur(self, x: Tensor, sigma: Tensor) -> Tensor:
        scale = scale_in_pixels(sigma, x, self.resolution, self.log_polar)
        return recursive_blur(x, scale, virtual_retina_logpolar=self._literal)

    @property
    def _literal(self) -> bool:
        return self.log_polar is not None and self.log_polar.virtual_retina
