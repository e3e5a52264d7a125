"""Contrast gain control: a leak that grows with the contrast around a cell, as one loop over time."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.deriche_recursion import recursion
from convis_core.ops.gain_control_torch import SATURATION, CustomLaw, Law, Memory, gain_control_torch
from convis_core.ops.recursive_blur import pixel_scale
from convis_core.tensors import TIME, describe_shape

__all__ = ["CustomLaw", "Memory", "contrast_gain_control"]


def contrast_gain_control(
    drive: Tensor,
    memory: Memory,
    *,
    step: float,
    leak: Tensor | float,
    feedback: Tensor | float,
    tau: Tensor | float,
    sigma_px: Tensor | float,
    amplification: Tensor | float = 1.0,
    custom: CustomLaw | None = None,
    saturation: Tensor | float = SATURATION,
    virtual_retina_logpolar: bool = False,
    record: bool = False,
    compiled: bool = True,
) -> tuple[Tensor, Tensor | None, Memory]:
    r"""Leaky integration of a current whose leak follows the potentials around.

    .. math::

        \frac{dV}{dt} &= A \, I(t) - (g_L + a) \, V, \\
        a &= E_\tau * G_\sigma * Q(V), \qquad Q(V) = \lambda V^2

    with an exponential `E` and Deriche's spatial kernel `G`, both of unit sum; `Q` saturates
    far above any response. A step is exact for `I` and `a` held over it:

    .. math:: V_t = V_\infty + (V_{t-1} - V_\infty) \, e^{-\Delta t (g_L + a_{t-1})}, \qquad
        V_\infty = \frac{A I_t}{g_L + a_{t-1}}

    and :math:`a_t = e a_{t-1} + (1 - e) \, G_\sigma Q(V_{t-1})` with :math:`e = e^{-\Delta t / \tau}`.

    A `CustomLaw` replaces `Q` by :math:`\lambda (V - v_0)^p` above a threshold `v_0`, and
    :math:`\lambda (-V - v_0)^p` below `-v_0` if it is symmetric; adds
    :math:`a E` to the current, `E` being the potential that the growing leak pulls to; and adds
    a slow copy of the potential with a weight.

    Parameters
    ----------
    drive : Tensor, shape [batch, channel, time, x, y]
        `I`, the output of the outer plexiform layer.
    memory : Memory
        `V`, `a` and the slow copy of `V` before the chunk, each ``[batch, channel, x, y]``.
    step : float
        Duration of a step in s.
    leak, feedback, amplification : Tensor or float
        :math:`g_L`, :math:`\lambda` and `A`, in Hz.
    tau : Tensor or float
        Time constant of `a`, in s.
    sigma_px : Tensor or float, a number or shape [x, y]
        Scale of the blur in pixels, the same everywhere or at each pixel. One that is the same
        everywhere and below 0.1 leaves the blur out.
    custom : CustomLaw, optional
        Another law for `a`.
    saturation : Tensor or float
        What `a` saturates at, in Hz.
    virtual_retina_logpolar : bool
        Where the scale differs from pixel to pixel, blur as Virtual Retina does: skewed by a
        fraction of a pixel, and darker at the border.
    record : bool
        Whether to return `a` at every step as well.
    compiled : bool
        Allow the compiled loop; it is used on the processor where no gradient is asked for. The
        other loop is plain torch: any device, differentiable in all tensors.

    Returns
    -------
    potential : Tensor, shape of `drive`
    adaptation : Tensor, shape of `drive`, in Hz; or None if `record` is False
    memory : Memory
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If the shapes do not fit one another.
    ParameterError
        If `step`, `leak` or `tau` is not above 0.

    References
    ----------
    Wohrer A., Kornprobst P. (2009), Virtual Retina: a biological retina model and simulator,
    with contrast gain control, J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.

    Examples
    --------
    A constant current settles where 50 I = (50 + 100 V^2) V:

    >>> rest = torch.zeros(1, 1, 1, 1)
    >>> v, _, _ = contrast_gain_control(
    ...     torch.full((1, 1, 1000, 1, 1), 3.0), Memory(rest, rest, rest),
    ...     step=0.001, leak=50.0, feedback=100.0, tau=0.005, sigma_px=0.0, amplification=50.0,
    ... )
    >>> round(float(v[0, 0, -1]), 3)
    1.0
    """
    _check(drive, memory, step, leak, tau)
    if drive.shape[TIME] == 0:
        return drive, drive if record else None, memory
    scale = pixel_scale(sigma_px, drive)
    duration = torch.as_tensor(tau, dtype=drive.dtype, device=drive.device)
    law = Law(
        amplification=amplification,
        leak=leak,
        step=step,
        feedback=feedback,
        keep=torch.exp(-step / duration),
        blur=recursion(scale, virtual_retina=virtual_retina_logpolar),
        custom=custom,
        saturation=saturation,
    )
    numbers = [amplification, leak, feedback, saturation, law.keep, scale]
    if custom is not None:
        numbers += [custom.exponent, custom.threshold, custom.reversal, custom.slow_weight, custom.slow_keep]
    if compiled and can_run_compiled(drive, *memory, *(n for n in numbers if isinstance(n, Tensor))):
        from convis_core.ops.gain_control_compiled import gain_control_compiled

        return gain_control_compiled(drive, memory, law, record)
    return gain_control_torch(drive, memory, law, record)


def _check(drive: Tensor, memory: Memory, step: float, leak: Tensor | float, tau: Tensor | float) -> None:
    if drive.ndim != 5:
        raise ShapeError(
            f"The drive must be [batch, channel, time, x, y], got {describe_shape(drive.shape)}.",
            "Use convis_core.tensors.lift on an array with fewer axes.",
        )
    wanted = (*drive.shape[:2], *drive.shape[3:])
    for name, part in zip(memory._fields, memory, strict=True):
        if tuple(part.shape) != wanted or part.dtype != drive.dtype:
            raise ShapeError(
                f"{name} should be {describe_shape(wanted)} of {drive.dtype} to go with a drive "
                f"{describe_shape(drive.shape)}, got {describe_shape(part.shape)} of {part.dtype}.",
                "Clear the state before running an input of another size, batch, channel count or precision.",
            )
    for name, value, unit in (("step", step, "s"), ("leak", leak, "Hz"), ("tau", tau, "s")):
        number = float(value.detach()) if isinstance(value, Tensor) else value
        if not number > 0:
            raise ParameterError(f"{name} must be above 0 {unit}, got {number:g}.")
