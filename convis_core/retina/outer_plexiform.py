"""The outer plexiform layer as recursions in time, with space either recursive too or convolved."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.ops.leaky_heat import leaky_heat_equation
from convis_core.ops.recursive_time import exponential_filter
from convis_core.retina.log_polar import scale_in_pixels
from convis_core.retina.outer_plexiform_base import OuterPlexiformFilter
from convis_core.retina.stage_delay import StageDelay
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["HalfRecursiveOPLFilter", "RecursiveOPLFilter"]


class RecursiveOPLFilter(OuterPlexiformFilter):
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

    recursive_blur: ClassVar[bool] = True

    undershoot_memory = state_variable("slow copy of the centre", shape="[batch, channel, x, y]")
    surround_memory = state_variable("output of the surround's filter", shape="[batch, channel, x, y]")
    centre_memory = state_variable("outputs of the centre's filters", shape="[pole, batch, channel, x, y]")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.stage_delay:
            self.delay_undershoot, self.delay_surround = StageDelay(), StageDelay()

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        if x.shape[TIME] == 0:
            return x, x, x
        step = self.resolution.step
        x = self.gain * x
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
        return self.gain * torch.full_like(x[:, :, 0], self.adapted_to)

    @staticmethod
    def _first(frames: Tensor, rest: Tensor | None) -> Tensor:
        return frames[:, :, :1] if rest is None else rest[:, :, None]

    def _centre(self, x: Tensor, rest: Tensor | None) -> Tensor:
        n_poles = 1 if self.leaky_heat_equation else self.n_center + 1
        poles = [rest] * n_poles if self.centre_memory is None else list(self.centre_memory)
        if self.leaky_heat_equation:
            x, poles[0] = self._spread(x, self.tau_center, self.sigma_center, poles[0])
        else:
            x = self._blur(x, self.sigma_center, compiled=self.recursive_blur)
            for k, last in enumerate(poles):
                x, poles[k] = exponential_filter(x, self.tau_center / max(self.n_center, 1), self.resolution.step, last)
        self.centre_memory = torch.stack([pole for pole in poles if pole is not None])
        return x

    def _spread(self, x: Tensor, tau: Tensor, sigma: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor]:
        step = self.resolution.step
        if not self.leaky_heat_equation:
            return exponential_filter(self._blur(x, sigma, compiled=self.recursive_blur), tau, step, last)
        scale = scale_in_pixels(sigma, x, self.resolution, self.log_polar)
        return leaky_heat_equation(x, tau, scale, step, last, virtual_retina_logpolar=self._literal)


class HalfRecursiveOPLFilter(RecursiveOPLFilter):
    r"""Outer plexiform layer, recursive in time and convolved in space.

    The same as `RecursiveOPLFilter`, to rounding: its spatial kernels

    .. math:: G(n) = k \, (1 + \alpha |n|) \, e^{-\alpha |n|}, \qquad \alpha = 1.695 / \sigma

    are applied as convolutions, each a matrix product along an axis whose matrix holds the whole
    kernel with what lies beyond the border. That takes work that grows with the width of the frame
    and is the quicker way on graphics processors and for small frames. With `leaky_heat_equation`
    nothing is left of the difference.

    Parameters
    ----------
    **options
        Those of `RecursiveOPLFilter`, and initial values of the parameters below.

    Examples
    --------
    >>> import numpy as np
    >>> opl = HalfRecursiveOPLFilter(relative_weight=0.5, lambda_opl=10.0)
    >>> float(opl.run(np.ones((3, 4, 4))).array().max().round(3))  # 10 (1 - 0.8) (1 - 0.5)
    1.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    recursive_blur: ClassVar[bool] = False
