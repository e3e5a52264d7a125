"""The leaky heat equation: a low-pass filter in time whose memory spreads in space."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.deriche_recursion import Recursion, recursion
from convis_core.ops.recursive_blur import by_matrices, pixel_scale
from convis_core.ops.recursive_time import exponential_filter
from convis_core.tensors import TIME

__all__ = ["leaky_heat_equation"]

_FORGOTTEN: Final = 1e-12
"""Part of what was there that does not matter any more."""
_MOST_STEPS: Final = 10_000


def leaky_heat_equation(
    x: Tensor,
    tau: Tensor | float,
    sigma_px: Tensor | float,
    step: float,
    last: Tensor | None = None,
    *,
    virtual_retina_logpolar: bool = False,
    compiled: bool = True,
) -> tuple[Tensor, Tensor]:
    r"""Filter as leaky cells do that are coupled to their neighbours.

    .. math::

        y_t = G_h * \left( e \, y_{t-1} + (1 - e) \, x_t \right), \qquad e = e^{-\Delta t / \tau}, \quad
        h = \sigma \sqrt{\Delta t / \tau}

    with Deriche's kernel `G`: what is older has spread further, and :math:`\sigma` within
    :math:`\tau`. A scale `h` that is the same everywhere and below 0.1 pixel leaves the spreading
    out, so that the filter differs from the equation where steps are short.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        A chunk.
    tau : Tensor or float
        Time constant in s.
    sigma_px : Tensor or float, a number or shape [x, y]
        Scale in pixels.
    step : float
        Duration of a step in s.
    last : Tensor, shape [batch, channel, x, y], optional
        Output before the chunk; without it the first frame has lasted for ever.
    virtual_retina_logpolar, compiled : bool
        As for `convis_core.ops.recursive_blur.recursive_blur`.

    Returns
    -------
    y : Tensor, shape of `x`
    last : Tensor
        To give back with the next chunk.

    Raises
    ------
    ParameterError
        If `tau` is not above 0.

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.

    Examples
    --------
    >>> flash = torch.zeros(1, 1, 2, 1, 5)
    >>> flash[..., 0, 0, 2] = 1.0
    >>> leaky_heat_equation(flash, 0.002, 1.0, 0.001, torch.zeros(1, 1, 1, 5))[0][0, 0, :, 0].round(decimals=2)
    tensor([[0.0100, 0.0700, 0.2300, 0.0700, 0.0100],
            [0.0200, 0.0500, 0.1000, 0.0500, 0.0200]])
    """
    duration = torch.as_tensor(tau, dtype=x.dtype, device=x.device)
    if not float(duration.detach()) > 0:
        raise ParameterError(f"tau must be above 0 s in the leaky heat equation, got {float(duration.detach()):g}.")
    scale = pixel_scale(sigma_px, x) * torch.sqrt(step / duration)
    along = recursion(scale, virtual_retina=virtual_retina_logpolar)
    if along is None or x.shape[TIME] == 0:
        return exponential_filter(x, tau, step, last, compiled=compiled)
    keep = torch.exp(-step / duration)
    before = _steady(x[:, :, 0], keep, along) if last is None else last
    if compiled and can_run_compiled(x, before, scale):
        from convis_core.ops.leaky_heat_compiled import leaky_heat_compiled

        return leaky_heat_compiled(x, before, keep.item(), along)
    blur = by_matrices(along, x.shape[3], x.shape[4])
    frames = []
    for frame in x.unbind(TIME):
        before = blur(keep * before + (1 - keep) * frame)
        frames.append(before)
    return torch.stack(frames, dim=TIME), before


def _steady(frame: Tensor, keep: Tensor, along: tuple[Recursion, Recursion]) -> Tensor:
    r"""Return the limit for a frame that lasts for ever, :math:`(1 - e) \sum_{j \ge 1} e^{j - 1} G^j x`."""
    n, m = frame.shape[2:]
    x, e = frame.double(), keep.double()
    if along[0].alpha is None:
        return _iterated(x, e, along).to(frame.dtype)
    a, b = (r.matrix(k)[0].double() for r, k in zip(along, (n, m), strict=True))
    a, b = (matrix / matrix.sum(dim=1, keepdim=True) for matrix in (a, b))  # no light is lost to rounding
    corner = x[..., :1, :1]  # uniform frames stay uniform to the last digit
    y = (1 - e) * (a @ (x - corner) @ b.T)
    while float(e.detach()) > _FORGOTTEN:  # twice as many terms each time
        y = y + e * (a @ y @ b.T)
        a, b, e = a @ a, b @ b, e * e
    return (corner + y).to(frame.dtype)


def _iterated(x: Tensor, e: Tensor, along: tuple[Recursion, Recursion]) -> Tensor:
    """Run the recursion until it stands still, where the scale differs from pixel to pixel."""
    fine_x, fine_y = (replace(r, forth=r.forth.double(), back=r.back.double()) for r in along)
    blur = by_matrices((fine_x, fine_y), *x.shape[2:])
    close = 1e-7 * float(1 - e.detach()) * float(x.detach().abs().max())
    y = x
    for _ in range(_MOST_STEPS):
        before, y = y, blur(e * y + (1 - e) * x)
        if float((y - before).detach().abs().max()) <= close:
            break
    return y
