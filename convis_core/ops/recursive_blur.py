"""Deriche's blur of whole frames: as matrix products for small frames and gradients, else as a recursion."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from convis_core.errors import ShapeError
from convis_core.ops.compiled_choice import can_run_compiled
from convis_core.ops.deriche_recursion import Recursion, recursion
from convis_core.tensors import describe_shape

__all__ = ["by_matrices", "pixel_scale", "recursive_blur"]

_SMALL = 80
"""Pixels along an axis up to which a matrix product is quicker than the compiled recursion."""


def recursive_blur(
    x: Tensor, sigma_px: Tensor | float, *, virtual_retina_logpolar: bool = False, compiled: bool = True
) -> Tensor:
    r"""Blur every frame with Deriche's kernel, its edge repeated for ever.

    .. math:: k \, (1 + \alpha |n|) \, e^{-\alpha |n|}, \qquad \alpha = 1.695 / \sigma

    along either axis, of unit sum and standard deviation of about :math:`1.18 \, \sigma`.

    Parameters
    ----------
    x : Tensor, shape [batch, channel, time, x, y]
        Frames.
    sigma_px : Tensor or float, a number or shape [x, y]
        Scale in pixels, the same everywhere or at each pixel. One that is the same everywhere
        and below 0.1 leaves the frames as they are.
    virtual_retina_logpolar : bool
        Where the scale differs from pixel to pixel, blur as Virtual Retina does: skewed by a
        fraction of a pixel, and darker at the border.
    compiled : bool
        Allow the compiled loop; it is used on the processor for frames of more than 80 pixels along
        an axis, or of different scales, where no gradient is asked for.

    Returns
    -------
    Tensor, shape of `x`

    Raises
    ------
    ShapeError
        If there is not one scale for each pixel.

    References
    ----------
    Deriche R. (1993), Recursively implementing the Gaussian and its derivatives, INRIA
    research report 1893.

    Examples
    --------
    >>> frame = torch.zeros(1, 1, 1, 1, 5)
    >>> frame[..., 2] = 1.0
    >>> recursive_blur(frame, 0.5).flatten().round(decimals=3)
    tensor([0.0070, 0.1130, 0.7610, 0.1130, 0.0070])
    """
    scale = pixel_scale(sigma_px, x)
    along = recursion(scale, virtual_retina=virtual_retina_logpolar)
    if along is None:
        return x
    is_small = not scale.ndim and max(x.shape[3:]) <= _SMALL
    if compiled and not is_small and can_run_compiled(x, scale):
        from convis_core.ops.deriche_compiled import blur_frames

        return blur_frames(x, along)
    return by_matrices(along, x.shape[3], x.shape[4])(x)


def pixel_scale(sigma_px: Tensor | float, x: Tensor) -> Tensor:
    """Check a scale against the frames that it is for."""
    scale = torch.as_tensor(sigma_px, dtype=x.dtype, device=x.device)
    if scale.ndim and scale.shape != x.shape[3:]:
        raise ShapeError(
            f"sigma_px must be a number or have one value for each of {describe_shape(x.shape[3:])} pixels, "
            f"got {describe_shape(scale.shape)}."
        )
    return scale


def by_matrices(along: tuple[Recursion, Recursion], n: int, m: int) -> Callable[[Tensor], Tensor]:
    """Blur as a function of frames ``[..., n, m]``, differentiable; worth keeping for many frames."""
    along_x, along_y = along[0].matrix(n), along[1].matrix(m)
    if along_x.shape[0] == 1 and along_y.shape[0] == 1:
        turned = along_y[0].T

        def from_the_corner(q: Tensor) -> Tensor:
            corner = q[..., :1, :1]  # uniform frames stay uniform to the last digit, and bright ones lose none
            return (along_x[0] @ ((q - corner) @ turned)).add_(corner)

        return from_the_corner

    def line_by_line(q: Tensor) -> Tensor:
        q = torch.einsum("xij,...xj->...xi", along_y, q)
        return torch.einsum("yij,...jy->...iy", along_x, q)

    if not along[0].keeps_sums:
        return line_by_line
    total = line_by_line(along_x.new_ones(n, m))
    return lambda q: line_by_line(q) / total
