"""The current into ganglion cells: what is transient of a potential, rectified smoothly."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.errors import ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.smooth_rectification import smooth_rectification
from convis_core.tensors import TIME, describe_shape

__all__ = ["ganglion_current"]


def ganglion_current(
    x: Tensor,
    slow: Tensor,
    *,
    keep: Tensor | float,
    weight: Tensor | float,
    gain: Tensor | float,
    threshold: Tensor | float,
    level: Tensor | float,
    compiled: bool = True,
) -> tuple[Tensor, Tensor]:
    r"""Take a slow copy of a signal away from it, amplify what is left, and rectify.

    .. math::

        z_t &= e z_{t-1} + (1 - e) x_t, \\
        I_t &= N\left( \lambda (x_t - w z_t) - \lambda_0 \right)

    with `N` the `smooth_rectification`.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        Potentials.
    slow : Tensor, shape [batch, channel, x, y]
        `z` before the chunk.
    keep : Tensor or float
        `e`, what is left of `z` after a step.
    weight : Tensor or float
        `w`; 1 leaves only what changes.
    gain : Tensor or float
        :math:`\lambda`, in Hz; negative for OFF cells.
    threshold : Tensor or float
        :math:`\lambda_0`, in Hz.
    level : Tensor or float
        :math:`i_0`, the current at threshold, in Hz.
    compiled : bool
        Allow the compiled loop; it is used on the processor where no gradient is asked for.

    Returns
    -------
    current : Tensor, shape of `x`, in Hz
    slow : Tensor
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If the shapes do not fit one another.

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.

    Examples
    --------
    >>> x = torch.tensor([0.0, 1.0, 1.0]).reshape(1, 1, 3, 1, 1)
    >>> current, _ = ganglion_current(
    ...     x, torch.zeros(1, 1, 1, 1), keep=0.5, weight=1.0, gain=100.0, threshold=0.0, level=20.0
    ... )
    >>> current.flatten().round()
    tensor([20., 70., 45.])
    """
    wanted = (*x.shape[:TIME], *x.shape[TIME + 1 :])
    if x.ndim != 5 or tuple(slow.shape) != wanted or slow.dtype != x.dtype:
        raise ShapeError(
            f"slow should be {describe_shape(wanted)} of {x.dtype} to go with x = [batch, channel, time, x, y] = "
            f"{describe_shape(x.shape)}, got {describe_shape(slow.shape)} of {slow.dtype}.",
            "Clear the state before running an input of another size, batch, channel count or precision.",
        )
    numbers = keep, weight, gain, threshold, level
    if compiled and can_run_compiled(x, slow, *(n for n in numbers if isinstance(n, Tensor))):
        from convis_core.ops.ganglion_current_compiled import ganglion_current_compiled

        return ganglion_current_compiled(x, slow, *numbers)
    changes = []
    for frame in x.unbind(TIME):
        slow = keep * slow + (1 - keep) * frame
        changes.append(frame - weight * slow)
    if not changes:
        return x, slow
    return smooth_rectification(gain * torch.stack(changes, dim=TIME) - threshold, level), slow
