"""The input that excites a model most, found by climbing its gradient."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convis_core.analysis.gradient_explorer import LinearGradientExplorer
from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.loops.run import check_steps

__all__ = ["MaximalInput", "maximally_exciting_input"]

_STARTS = 20
_SMALLEST_STEP = 1e-4


class MaximalInput(NamedTuple):
    """The input ``[time, x, y]``, the response to its last frame, and the responses on the way there."""

    input: NDArray[np.floating[Any]]
    response: float
    climb: list[float]


def maximally_exciting_input(
    model: Layer,
    length: int = 20,
    size: tuple[int, int] = (21, 21),
    *,
    norm: float = 1.0,
    background: float = 0.0,
    steps: int = 100,
    position: tuple[int, int] | None = None,
    output: int | str = 0,
    channel: int = 0,
    seed: int = 0,
) -> MaximalInput:
    r"""Find the input of a given norm to which a model responds most.

    .. math:: \hat s = \arg\max_{\lVert s - b \rVert = c} r(s)

    It starts from noise and turns towards the gradient, by less wherever the response would
    fall, so that every step is upwards. For a linear model the result is its filter reversed in
    time, scaled to the norm; for another one it is a maximum near to where it began, so try some seeds.

    Parameters
    ----------
    model : Layer
        Takes one channel, and has a gradient in its input; left as it is.
    length : int
        Frames, the last of which is that of the response.
    size : tuple of int
        Size of the image.
    norm : float
        Root of the summed squares of the input without the background.
    background : float
        Mean luminance that the input is added to.
    steps : int
        Most steps to take; it ends before where no step leads further up.
    position, output, channel
        Which response, as of `LinearGradientExplorer.explore`.
    seed : int
        Of the noise it starts from.

    Returns
    -------
    MaximalInput

    Raises
    ------
    ParameterError
        If `norm` is not above 0, or the response depends on none of the inputs to start from.
    ShapeError
        If the response does not exist or has no gradient.

    Examples
    --------
    >>> from convis_core import filters
    >>> conv = filters.Conv3d(kernel_dim=(3, 1, 1), bias=False)
    >>> conv.set_weight(np.array([3.0, 0.0, 4.0])[:, None, None])
    >>> best = maximally_exciting_input(conv, 3, (1, 1))
    >>> best.input.ravel().round(3) + 0.0, round(best.response, 3)
    (array([0.8, 0. , 0.6], dtype=float32), 5.0)

    References
    ----------
    Walker E. Y. et al. (2019), Inception loops discover what excites neurons most using deep predictive
    models, Nat. Neurosci. 22, 2060-2065, doi:10.1038/s41593-019-0517-x.
    """
    if not (0.0 < norm < math.inf):
        raise ParameterError(f"The norm of an input is a number above 0, got {norm}.")
    shape = (check_steps(length, "length"), *size)
    explorer, where = LinearGradientExplorer(model), {"position": position, "output": output, "channel": channel}
    random = np.random.default_rng(seed)
    for _ in range(_STARTS):  # to many a start a rectified response is silent
        direction = _unit(random.standard_normal(shape))
        here = explorer.explore(background + norm * direction, **where)  # type: ignore[arg-type]
        if np.any(here.kernel):
            break
    else:
        raise ParameterError(
            f"The response depends on none of {_STARTS} inputs that were tried to start from.",
            "Choose another norm or background, or a response of the model before its rectification.",
        )
    climb, stride = [here.response], 1.0
    for _ in range(check_steps(steps, "steps", "steps")):
        if not np.any(here.kernel):
            break
        turned = _unit(direction + stride * _unit(here.kernel[0, ::-1]))
        there = explorer.explore(background + norm * turned, **where)  # type: ignore[arg-type]
        if there.response > climb[-1]:
            direction, here = turned, there
            climb.append(there.response)
        elif stride > _SMALLEST_STEP:
            stride /= 2.0
        else:
            break
    best = (background + norm * direction).astype(here.kernel.dtype)
    return MaximalInput(best, climb[-1], climb)


def _unit(array: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return array / np.linalg.norm(array)
