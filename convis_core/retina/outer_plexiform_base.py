"""What all implementations of the outer plexiform layer have in common: parameters, options and a rest."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, UnknownNameError
from convis_core.layer import Layer
from convis_core.ops.recursive_blur import recursive_blur
from convis_core.parameters import parameter
from convis_core.resolution import Resolution
from convis_core.retina.log_polar import LogPolarScheme, scale_in_pixels

__all__ = ["OuterPlexiformFilter"]

SOURCE = "doi:10.1007/s10827-008-0108-4"
KERNEL_DURATION, KERNEL_EXTENT = 0.1, 0.5
"""How much of the filter `OuterPlexiformFilter.kernel` shows, in s and, to either side, in deg."""


class OuterPlexiformFilter(Layer, register=False):
    r"""Outer plexiform layer, however it is computed.

    .. math::

        C &= \lambda \, E_{\tau_C, n} * G_{\sigma_C} * x, \\
        R &= C - w_U \, E_{\tau_U} * C, \\
        S &= w \, E_{\tau_S} * G_{\sigma_S} * R, \\
        y &= R - S

    with exponentials `E` of unit sum (a cascade of `n + 1` of :math:`\tau_C / n` each, one of
    :math:`\tau_C` for `n` = 0) and Deriche's spatial kernel `G` of unit sum. A constant and
    uniform `x` is answered by :math:`\lambda (1 - w_U) (1 - w) x`. To a fresh start the first
    frame has lasted for ever; the image keeps its size, its edge going on for ever.

    A subclass implements `stages`. All subclasses agree with one another but for what is said
    in their documentation, and can take one another's place.

    Parameters
    ----------
    n_center : int
        How many exponentials follow the first one of the centre.
    undershoot : bool
        Whether the centre is transient at all.
    leaky_heat_equation : bool
        Whether space and time are coupled: the centre and the surround are then each the solution
        of a leaky heat equation of the same time constant and scale (what is older has spread
        further), and `n_center` is ignored.
    luminosity_range : float
        Luminance that counts as 1.
    log_polar : LogPolarScheme, optional
        How scales grow from the fovea to the periphery.
    stage_delay : int
        Steps from the centre to the undershoot and on to the surround. 0, or 1 to be equal to
        Virtual Retina step by step.
    **values
        Initial values of the parameters below.

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
        bounds=(0.0, 100.0),
        slider=(0.001, 0.1),
        scale="log",
        doc="time constant of the centre",
        citation=SOURCE,
        key="outer-plexiform-layer.linear-version.center-tau__sec",
    )
    undershoot_tau_center = parameter(
        0.1,
        unit="s",
        bounds=(0.0, 100.0),
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
        bounds=(0.0, 100.0),
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
        if stage_delay not in (0, 1):
            raise ParameterError(f"stage_delay must be 0 or 1 step, got {stage_delay!r}.")
        self.n_center = n_center
        self.undershoot = undershoot
        self.leaky_heat_equation = leaky_heat_equation
        self.luminosity_range = float(luminosity_range)
        self.log_polar = log_polar
        self.stage_delay = stage_delay
        self.adapted_to: float | None = None

    def settle(self, luminance: float | None) -> None:
        """Begin, now and after every `clear_state`, in the steady state of a uniform luminance; None: of frame 0."""
        if luminance is not None and not math.isfinite(luminance):
            raise ParameterError(f"A luminance to be adapted to must be a finite number, got {luminance!r}.")
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
        raise UnknownNameError(f"{type(self).__name__} does not define stages(x).")

    @property
    def gain(self) -> Tensor:
        """What a unit of luminance is multiplied by."""
        return self.lambda_opl / self.luminosity_range

    @property
    def weight_undershoot(self) -> Tensor:
        """Strength of the undershoot, 0 where there is none."""
        weight = self.undershoot_relative_weight_center
        return weight if self.undershoot else torch.zeros_like(weight)

    def _blur(self, x: Tensor, sigma: Tensor, *, compiled: bool = True) -> Tensor:
        scale = scale_in_pixels(sigma, x, self.resolution, self.log_polar)
        return recursive_blur(x, scale, virtual_retina_logpolar=self._literal, compiled=compiled)

    @property
    def _literal(self) -> bool:
        return self.log_polar is not None and self.log_polar.virtual_retina
