"""The outer plexiform layer as convolutions: with time courses and profiles, or with one filter of space and time."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ResolutionError
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.separable import convolve_time
from convis_core.retina.opl_kernels import centre_surround_kernels, time_courses
from convis_core.retina.outer_plexiform_base import OuterPlexiformFilter
from convis_core.state import state_variable
from convis_core.tensors import TIME

__all__ = ["FullConvolutionOPLFilter", "SeparableOPLFilter"]

_TIME_CONSTANTS = 6.0
"""Length of the filters in time constants, unless it is given: of the slowest one no more than 0.3 % is cut off."""
_SCALES = 5.0
"""Half width of the filter in scales, unless it is given."""
_FEWEST_LAGS = 4


class SeparableOPLFilter(OuterPlexiformFilter):
    r"""Outer plexiform layer, convolved in space and in time one after the other.

    The same as `RecursiveOPLFilter` but for what the length of its time courses cuts off, which is
    made up for by scaling, so that constant light is answered alike:

    .. math::

        R = \lambda \, (E_{\tau_C, n} - w_U \, E_{\tau_C, n} * E_{\tau_U}) * G_{\sigma_C} * x, \qquad
        S = w \, E_{\tau_S} * G_{\sigma_S} * R, \qquad y = R - S

    Parameters
    ----------
    duration : float, optional
        Length of the time courses in s. By default six times the longest time constant that the
        layer is made with, and twelve times that of the surround for the surround. Fixed from
        then on: make the layer anew for much longer time constants.
    **options
        Those of `RecursiveOPLFilter`, but for `leaky_heat_equation`, in which space and time do
        not separate; and initial values of the parameters below.

    Raises
    ------
    ParameterError
        With `leaky_heat_equation`.

    Examples
    --------
    >>> import numpy as np
    >>> opl = SeparableOPLFilter(relative_weight=0.5, lambda_opl=10.0)
    >>> float(opl.run(np.ones((3, 4, 4))).array().max().round(3))  # 10 (1 - 0.8) (1 - 0.5)
    1.0

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"n_center": 2, "duration": 0.02}

    seen_by_center = state_variable("blurred frames before the chunk", shape="[batch, channel, lag - 1, x, y]")
    seen_by_surround = state_variable("blurred receptors before the chunk", shape="[batch, channel, lag - 1, x, y]")

    def __init__(self, duration: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        if self.leaky_heat_equation:
            raise ParameterError(
                "A leaky heat equation does not separate into space and time.",
                "Use RecursiveOPLFilter or FullConvolutionOPLFilter(leaky_heat_equation=True).",
            )
        self.n_lags = window(self, duration)
        surround = 2 * _TIME_CONSTANTS * float(self.tau_surround.detach())
        self.n_lags_surround = min(self.n_lags, self._lags(surround) + self.stage_delay)

    def _lags(self, duration: float) -> int:
        return max(_FEWEST_LAGS, math.ceil(self.resolution.seconds_to_steps(duration)))

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        if x.shape[TIME] == 0:
            return x, x, x
        courses = time_courses(self, self.n_lags)
        seen = self._blur(x, self.sigma_center, compiled=False)
        past = self._past(self.seen_by_center, x, self.n_lags, 1.0)
        receptor, self.seen_by_center = convolve_time(
            seen, self.gain * (courses.centre - self.weight_undershoot * courses.slow), past
        )
        seen = self._blur(receptor, self.sigma_surround, compiled=False)
        past = self._past(self.seen_by_surround, x, self.n_lags_surround, self.gain * (1 - self.weight_undershoot))
        late = time_courses(self, self.n_lags_surround).surround
        surround, self.seen_by_surround = convolve_time(seen, late, past)
        horizontal = self.relative_weight * surround
        return receptor, horizontal, receptor - horizontal

    def _past(self, history: Tensor | None, x: Tensor, n_lags: int, gain: Tensor | float) -> Tensor | None:
        if history is not None or self.adapted_to is None:
            return history
        return gain * x.new_full((*x.shape[:2], n_lags - 1, *x.shape[3:]), self.adapted_to)


class FullConvolutionOPLFilter(OuterPlexiformFilter):
    r"""Outer plexiform layer as a convolution with a single filter of space and time.

    .. math:: y = w * x, \qquad w = R_\delta - S_\delta

    with the responses :math:`R_\delta` of receptors and :math:`S_\delta` of horizontal cells to an
    impulse. The same as `RecursiveOPLFilter` but for what length and width of the filter cut off,
    which is made up for by scaling, so that constant light is answered alike; and near the
    border, beyond which it is the image that goes on for ever, not the signal of the receptors.

    Parameters
    ----------
    duration : float, optional
        Length of the filter in s. By default six times the longest time constant that the layer is
        made with. Fixed from then on.
    extent : float, optional
        Half width of the filter in deg. By default five times the scale of centre and surround
        together that the layer is made with. Fixed from then on.
    **options
        Those of `RecursiveOPLFilter`, but for `log_polar`, with which the filter is not the same
        everywhere; and initial values of the parameters below.

    Raises
    ------
    ParameterError
        With `log_polar`.
    ResolutionError
        If the filter would be of no length or width.

    Examples
    --------
    >>> FullConvolutionOPLFilter(duration=0.1, extent=0.5).kernel().shape
    torch.Size([1, 1, 100, 11, 11])

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    example_arguments: ClassVar[dict[str, Any]] = {"n_center": 2, "duration": 0.02, "extent": 0.2}

    history = state_variable("frames before the chunk", shape="[batch, channel, lag - 1, x, y]")

    def __init__(self, duration: float | None = None, extent: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        if self.log_polar is not None:
            raise ParameterError(
                "With a log-polar scheme the filter differs from pixel to pixel, which one convolution cannot do.",
                "Use RecursiveOPLFilter, HalfRecursiveOPLFilter or SeparableOPLFilter.",
            )
        self.n_lags = window(self, duration)
        scale = math.hypot(float(self.sigma_center.detach()), float(self.sigma_surround.detach()))
        width = _SCALES * scale if extent is None else extent
        if not 0 <= width < 1000 or (extent is not None and width == 0):
            raise ResolutionError(f"extent must lie between 0 and 1000 deg, got {width}.")
        self.radius = max(1, round(self.resolution.degrees_to_pixels(width)))

    def kernels(self) -> tuple[Tensor, Tensor]:
        """Filters of receptors and of horizontal cells, ``[lag, x, y]``, differentiable in every parameter."""
        return centre_surround_kernels(self, self.n_lags, self.radius)

    def kernel(self) -> Tensor:
        """Return the whole filter ``[1, 1, lag, x, y]``, differentiable in every parameter."""
        receptor, horizontal = self.kernels()
        return (receptor - horizontal)[None, None]

    def forward(self, x: Tensor) -> Tensor:
        return x if x.shape[TIME] == 0 else self._convolve(x, self.kernel())[:, :, 0]

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        if x.shape[TIME] == 0:
            return x, x, x
        receptor, horizontal = self._convolve(x, torch.stack(self.kernels())[:, None]).unbind(2)
        return receptor, horizontal, receptor - horizontal

    def _convolve(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Convolve every channel by itself; ``[batch, channel, filter, time, x, y]``."""
        past = self.history
        if past is None and self.adapted_to is not None:
            past = x.new_full((*x.shape[:2], self.n_lags - 1, *x.shape[3:]), self.adapted_to)
        alone = None if past is None else past.flatten(0, 1)[:, None]
        y, after = causal_conv3d(x.flatten(0, 1)[:, None], kernel, alone)
        self.history = after.reshape(*x.shape[:2], *after.shape[2:])
        return y.reshape(*x.shape[:2], *y.shape[1:])


def window(opl: OuterPlexiformFilter, duration: float | None) -> int:
    """Length of the filters in steps: that asked for, or enough for the time constants of a layer."""
    longest = max(float(tau.detach()) for tau in (opl.tau_center, opl.tau_surround))
    if opl.undershoot:
        longest = max(longest, float(opl.undershoot_tau_center.detach()))
    length = _TIME_CONSTANTS * longest if duration is None else duration
    if not 0 <= length < 1000 or (duration is not None and length == 0):
        raise ResolutionError(f"duration must lie between 0 and 1000 s, got {length}.")
    return max(_FEWEST_LAGS, math.ceil(round(opl.resolution.seconds_to_steps(length), 6)))
