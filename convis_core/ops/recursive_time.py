"""Exponential low-pass filter in time, exact for an input held over each step."""

from __future__ import annotations

import torch
from torch import Tensor

from convis_core.errors import ParameterError, ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.tensors import TIME, describe_shape

__all__ = ["exponential_filter"]

BLOCK = 128
"""Steps a matrix spans; the work grows with it, the number of products falls."""


def exponential_filter(
    x: Tensor, tau: Tensor | float, step: float, last: Tensor | None = None, *, compiled: bool = True
) -> tuple[Tensor, Tensor]:
    r"""Low-pass every pixel, :math:`\tau \, dy/dt = x - y`.

    .. math:: y_t = e \, y_{t-1} + (1 - e) \, x_t, \qquad e = e^{-\Delta t / \tau}

    which is exact for an `x` held over each step and has a gain of 1 for a constant input.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        A chunk.
    tau : Tensor or float
        Time constant in s; 0 leaves the frames as they are.
    step : float
        Duration of a step in s.
    last : Tensor, shape [batch, channel, x, y], optional
        Output before the chunk; without it the first frame is taken to have lasted for ever.
    compiled : bool
        Allow the compiled loop; it is used on the processor where no gradient is asked for. The
        other way is a matrix product: any device, differentiable in all tensors.

    Returns
    -------
    y : Tensor, shape of `x`
    last : Tensor
        To give back with the next chunk.

    Raises
    ------
    ShapeError
        If `last` does not fit `x`.
    ParameterError
        If `tau` is negative.

    Examples
    --------
    >>> x = torch.tensor([1.0, 1.0, 0.0]).reshape(1, 1, 3, 1, 1)
    >>> exponential_filter(x, 0.001, 0.001)[0].flatten()
    tensor([1.0000, 1.0000, 0.3679])
    """
    wanted = (*x.shape[:TIME], *x.shape[TIME + 1 :])
    if x.ndim != 5 or (last is not None and (tuple(last.shape) != wanted or last.dtype != x.dtype)):
        got = "none" if last is None else f"{describe_shape(last.shape)} of {last.dtype}"
        raise ShapeError(
            f"The last output should be {describe_shape(wanted)} of {x.dtype} to go with x = "
            f"[batch, channel, time, x, y] = {describe_shape(x.shape)}, got {got}.",
            "Clear the state before running an input of another size, batch, channel count or precision.",
        )
    duration = torch.as_tensor(tau, dtype=x.dtype, device=x.device)
    if not float(duration.detach()) >= 0:
        raise ParameterError(f"tau must be at least 0 s, got {float(duration.detach()):g}.")
    if x.shape[TIME] == 0:
        return x, x.new_zeros(wanted) if last is None else last
    if float(duration.detach()) == 0:
        return x + 0 * duration, x[:, :, -1].clone()
    before = x[:, :, 0] if last is None else last
    if compiled and can_run_compiled(x, before, duration):
        from convis_core.ops.recursive_time_compiled import exponential_compiled

        return exponential_compiled(x, before, torch.exp(-step / duration).item())
    return _by_matrices(x, before, step / duration)


def _by_matrices(x: Tensor, last: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
    n_steps = x.shape[TIME]
    size = min(BLOCK, n_steps)
    lags = torch.arange(size, dtype=x.dtype, device=x.device)
    distance = lags[:, None] - lags
    matrix = -torch.expm1(-rate) * torch.exp(-rate * distance.clamp(min=0)) * (distance >= 0)
    decay = torch.exp(-rate * (lags + 1))[:, None]
    frames, before = x.flatten(3), last.flatten(2)[:, :, None]
    blocks = []
    for start in range(0, n_steps, size):
        part = frames[:, :, start : start + size]
        n = part.shape[TIME]
        blocks.append(matrix[:n, :n] @ part + decay[:n] * before)
        before = blocks[-1][:, :, -1:]
    y = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=TIME)
    return y.reshape(x.shape), before.reshape(last.shape)
