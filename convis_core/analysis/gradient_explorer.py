"""The linear filter that a model is, for small changes around some input."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convis_core.errors import ShapeError
from convis_core.layer import Layer
from convis_core.tensors import TIME, X, Y, describe_shape, lift

__all__ = ["LinearGradientExplorer", "LocalFilter"]


class LocalFilter(NamedTuple):
    """Response of a model to an input, and the gradient of it.

    ``response`` is a number, ``kernel [in_channel, lag, x, y]`` the gradient by the input
    so many frames before, and ``parameters`` the gradients by the parameters, by name.
    """

    response: float
    kernel: NDArray[np.floating[Any]]
    parameters: dict[str, NDArray[np.floating[Any]]]


class LinearGradientExplorer:
    r"""Linearise a model around an input.

    .. math:: w[k, i, j] = \frac{\partial r(t)}{\partial s(t - k, i, j)}

    For a linear model this is its filter, whatever the input; for another one it shows how the
    filter changes with the input.

    Parameters
    ----------
    model : Layer
        Its state and its parameters are left as they are.

    Examples
    --------
    >>> from convis_core import filters
    >>> conv = filters.Conv3d(kernel_dim=(3, 1, 1), bias=False)
    >>> conv.set_weight(np.array([3.0, 2.0, 1.0])[:, None, None])
    >>> LinearGradientExplorer(conv).explore(np.zeros((10, 1, 1))).kernel.ravel()[:4]
    array([3., 2., 1., 0.], dtype=float32)

    References
    ----------
    Real E. et al. (2017), Neural circuit inference from function to structure, Curr. Biol. 27, 189-198,
    doi:10.1016/j.cub.2016.11.040.
    """

    def __init__(self, model: Layer) -> None:
        self.model = model

    def explore(
        self,
        frames: Any,
        *,
        time: int = -1,
        position: tuple[int, int] | None = None,
        output: int | str = 0,
        channel: int = 0,
    ) -> LocalFilter:
        """Differentiate one response by all of the input before it, and by the parameters.

        Parameters
        ----------
        frames : array
            The input ``[time, x, y]`` around which to linearise, seen by a model without a past.
        time : int
            Frame of the response; the last if not given.
        position : tuple of int, optional
            Row and column of the response; the middle if not given.
        output : int or str
            Which output of the model.
        channel : int
            Which channel of it.

        Returns
        -------
        LocalFilter

        Raises
        ------
        ShapeError
            If the response does not exist or has no gradient.
        """
        model = self.model
        x = lift(frames, dtype=model.dtype, device=model.device).detach().clone().requires_grad_()
        if x.shape[0] != 1:
            raise ShapeError(f"Explore one input at a time, got a batch of {x.shape[0]}.", "Pass frames[k : k + 1].")
        known = {name: p for name, p in model.named_parameters() if p.requires_grad}
        kept = model.get_state()
        try:
            model.clear_state()
            with torch.enable_grad():
                response = self._one(model.as_output(model(x))[output], time, position, channel)
                if not response.requires_grad:
                    raise ShapeError(
                        f"This response of {type(model).__name__} has no gradient.",
                        "Choose a continuous output, or build its neurons with surrogate='superspike'.",
                    )
                found = torch.autograd.grad(response, [x, *known.values()], allow_unused=True)
        finally:
            model.set_state(kept)
        by_input, *by_parameter = (
            torch.zeros_like(of) if g is None else g for g, of in zip(found, [x, *known.values()], strict=True)
        )
        last = range(x.shape[TIME])[time]
        kernel = by_input[0, :, : last + 1].flip(1).cpu().numpy()
        gradients = {name: g.cpu().numpy() for name, g in zip(known, by_parameter, strict=True)}
        return LocalFilter(float(response.detach()), kernel, gradients)

    def _one(self, response: Tensor, time: int, position: tuple[int, int] | None, channel: int) -> Tensor:
        x, y = position if position is not None else ((response.shape[X] - 1) // 2, (response.shape[Y] - 1) // 2)
        try:
            return response[0, channel, time, x, y]
        except IndexError:
            raise ShapeError(
                f"There is no response in channel {channel}, frame {time}, pixel {(x, y)} of "
                f"{describe_shape(response.shape)}."
            ) from None
