"""The outer plexiform layer as convolutions: with time courses and profiles, or with filters of space and time."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor

from convis_core.errors import ParameterError, ResolutionError
from convis_core.ops.causal_convolution import causal_conv3d
from convis_core.ops.separable import convolve_time
from convis_core.retina.opl_kernels import centre_surround_kernels, stage_kernels, time_courses
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
        self.n_lags_surround = surround_window(self, self.n_lags)

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        if x.shape[TIME] == 0:
            return x, x, x
        courses = time_courses(self, self.n_lags)
        seen = self._blur(x, self.sigma_center, compiled=False)
        past = settled(self, self.seen_by_center, x, self.n_lags, 1.0)
        receptor, self.seen_by_center = convolve_time(
            seen, self.gain * (courses.centre - self.weight_undershoot * courses.slow), past
        )
        seen = self._blur(receptor, self.sigma_surround, compiled=False)
        past = settled(self, self.seen_by_surround, x, self.n_lags_surround, self.gain * (1 - self.weight_undershoot))
        late = time_courses(self, self.n_lags_surround).surround
        surround, self.seen_by_surround = convolve_time(seen, late, past)
        horizontal = self.relative_weight * surround
        return receptor, horizontal, receptor - horizontal


class FullConvolutionOPLFilter(OuterPlexiformFilter):
    r"""Outer plexiform layer as convolutions with filters of space and time.

    .. math:: R = w_R * x, \qquad S = w \, w_S * R, \qquad y = R - S

    with the responses :math:`w_R` of receptors to a flash of one pixel and :math:`w_S` of the surround to
    one of the receptors; away from the border that is a single filter, its `kernel`. The same as
    `RecursiveOPLFilter` but for what length and width of the filters cut off, which is made up for by
    scaling, so that constant light is answered alike. With `leaky_heat_equation` they differ near the
    border too, which one filter for all pixels cannot know while it spreads.

    Parameters
    ----------
    duration : float, optional
        Length of the filters in s. By default six times the longest time constant that the layer is
        made with, and twelve times that of the surround for the surround. Fixed from then on.
    extent : float, optional
        Half width of the filters in deg. By default five times the scales of centre and surround that
        the layer is made with. Fixed from then on.
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
    seen_by_surround = state_variable("receptors before the chunk", shape="[batch, channel, lag - 1, x, y]")

    def __init__(self, duration: float | None = None, extent: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        if self.log_polar is not None:
            raise ParameterError(
                "With a log-polar scheme the filter differs from pixel to pixel, which one convolution cannot do.",
                "Use RecursiveOPLFilter, HalfRecursiveOPLFilter or SeparableOPLFilter.",
            )
        self.n_lags = window(self, duration)
        self.n_lags_surround = surround_window(self, self.n_lags)
        scales = self._scale(self.sigma_center, self.tau_center), self._scale(self.sigma_surround, self.tau_surround)
        self.radii = self._pixels(scales[0], extent), self._pixels(scales[1], extent)
        self.radius = self._pixels(math.hypot(*scales), extent)

    def _scale(self, sigma: Tensor, tau: Tensor) -> float:
        """Scale in deg of a filter; a leaky heat equation spreads further in a step that is longer than its memory."""
        steps = self.resolution.step / max(float(tau.detach()), 1e-9) if self.leaky_heat_equation else 0.0
        return float(sigma.detach()) * math.sqrt(max(1.0, steps))

    def _pixels(self, scale: float, extent: float | None) -> int:
        width = _SCALES * scale if extent is None else extent
        if not 0 <= width < 1000 or (extent is not None and width == 0):
            raise ResolutionError(f"extent must lie between 0 and 1000 deg, got {width}.")
        return max(1, round(self.resolution.degrees_to_pixels(width)))

    def kernels(self) -> tuple[Tensor, Tensor]:
        """Filters of receptors and of horizontal cells, ``[lag, x, y]``, differentiable in every parameter."""
        return centre_surround_kernels(self, self.n_lags, self.radius)

    def kernel(self) -> Tensor:
        """Return the whole filter ``[1, 1, lag, x, y]``, differentiable in every parameter."""
        receptor, horizontal = self.kernels()
        return (receptor - horizontal)[None, None]

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer a chunk with receptors (transient centre), horizontal cells (surround) and their difference."""
        if x.shape[TIME] == 0:
            return x, x, x
        seen_by_receptors, seen_by_surround = stage_kernels(self, (self.n_lags, self.n_lags_surround), self.radii)
        past = settled(self, self.history, x, self.n_lags, 1.0)
        receptor, self.history = _channel_by_channel(x, seen_by_receptors, past)
        past = settled(self, self.seen_by_surround, x, self.n_lags_surround, self.gain * (1 - self.weight_undershoot))
        surround, self.seen_by_surround = _channel_by_channel(receptor, seen_by_surround, past)
        horizontal = self.relative_weight * surround
        return receptor, horizontal, receptor - horizontal


def _channel_by_channel(x: Tensor, kernel: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
    """Convolve every channel by itself with one filter, and return what to remember."""
    alone = None if past is None else past.flatten(0, 1)[:, None]
    y, after = causal_conv3d(x.flatten(0, 1)[:, None], kernel[None, None], alone)
    return y.reshape(x.shape), after.reshape(*x.shape[:2], *after.shape[2:])


def settled(
    opl: OuterPlexiformFilter, history: Tensor | None, x: Tensor, n_lags: int, gain: Tensor | float
) -> Tensor | None:
    """Return what came before a chunk, also where a layer is adapted to a luminance."""
    if history is not None or opl.adapted_to is None:
        return history
    return gain * x.new_full((*x.shape[:2], n_lags - 1, *x.shape[3:]), opl.adapted_to)


def surround_window(opl: OuterPlexiformFilter, n_lags: int) -> int:
    """Length of the filter of the surround in steps, which is not longer than the others."""
    duration = 2 * _TIME_CONSTANTS * float(opl.tau_surround.detach())
    steps = max(_FEWEST_LAGS, math.ceil(opl.resolution.seconds_to_steps(duration)))
    return min(n_lags, steps + opl.stage_delay)


def window(opl: OuterPlexiformFilter, duration: float | None) -> int:
    """Length of the filters in steps: that asked for, or enough for the time constants of a layer."""
    longest = max(float(tau.detach()) for tau in (opl.tau_center, opl.tau_surround))
    if opl.undershoot:
        longest = max(longest, float(opl.undershoot_tau_center.detach()))
    length = _TIME_CONSTANTS * longest if duration is None else duration
    if not 0 <= length < 1000 or (duration is not None and length == 0):
        raise ResolutionError(f"duration must lie between 0 and 1000 s, got {length}.")
    return max(_FEWEST_LAGS, math.ceil(round(opl.resolution.seconds_to_steps(length), 6)))
