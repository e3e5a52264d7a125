"""Surrogate gradients: a spike is 0 or 1, and its derivative that of something smooth."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from convis_core.errors import ParameterError

__all__ = ["Surrogate", "check_surrogate", "spike", "surrogate_slope"]

Surrogate = Literal["superspike", "arctan", "triangle"]
SURROGATES: tuple[Surrogate, ...] = ("superspike", "arctan", "triangle")


def check_surrogate(kind: str | None) -> None:
    """Refuse what is neither None nor the name of a surrogate."""
    if kind is not None and kind not in SURROGATES:
        raise ParameterError(
            f"There is no surrogate gradient {kind!r}.", f"Use None or one of: {', '.join(map(repr, SURROGATES))}."
        )


def surrogate_slope(distance: Tensor, kind: Surrogate) -> Tensor:
    r"""Derivative given to a spike, as a function of the distance `x` from the threshold.

    .. math::

        \text{superspike: } \frac{1}{(1 + |x|)^2}, \qquad
        \text{arctan: } \frac{1}{1 + (\pi x)^2}, \qquad
        \text{triangle: } \max(0, 1 - |x|)

    Each is 1 at the threshold.

    Parameters
    ----------
    distance : Tensor
        Distance from the threshold, in units of the width over which the gradient should act.
    kind : {"superspike", "arctan", "triangle"}
        Which of them.

    Examples
    --------
    >>> surrogate_slope(torch.tensor([-1.0, 0.0, 1.0]), "superspike")
    tensor([0.2500, 1.0000, 0.2500])

    References
    ----------
    Zenke F., Ganguli S. (2018), SuperSpike, Neural Comput. 30, 1514-1541, doi:10.1162/neco_a_01086.
    Fang W. et al. (2021), ICCV, 2641-2651, doi:10.1109/ICCV48922.2021.00266 (arctan).
    Esser S. K. et al. (2016), PNAS 113, 11441-11446, doi:10.1073/pnas.1604850113 (triangle).
    """
    if kind == "superspike":
        return (1 + distance.abs()).square().reciprocal()
    if kind == "arctan":
        return (1 + (torch.pi * distance).square()).reciprocal()
    return (1 - distance.abs()).clamp(min=0)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, distance: Tensor, fires: Tensor, kind: Surrogate) -> Tensor:
        ctx.save_for_backward(distance)
        ctx.kind = kind
        return fires.to(distance.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (distance,) = ctx.saved_tensors
        return gradients[0] * surrogate_slope(distance, ctx.kind), None, None


def spike(distance: Tensor, fires: Tensor, kind: Surrogate | None = None) -> Tensor:
    """Turn "it fires" into a number: 1 or 0, with the gradient of a surrogate where one is named.

    Parameters
    ----------
    distance : Tensor
        Distance of the potential from the threshold, in units of the width of the surrogate.
    fires : Tensor of bool
        Where there is a spike; usually ``distance >= 0``.
    kind : {"superspike", "arctan", "triangle"}, optional
        Derivative of the spike by the distance; None for none at all.

    Returns
    -------
    Tensor
        The same numbers whatever the surrogate.

    Raises
    ------
    ParameterError
        For another `kind`.

    Examples
    --------
    >>> x = torch.tensor([-0.5, 0.5], requires_grad=True)
    >>> y = spike(x, x >= 0, "triangle")
    >>> y.tolist(), torch.autograd.grad(y.sum(), x)[0].tolist()
    ([0.0, 1.0], [0.5, 0.5])
    """
    check_surrogate(kind)
    if kind is None:
        return fires.to(distance.dtype)
    counted: Tensor = _Spike.apply(distance, fires, kind)  # type: ignore[no-untyped-call]
    return counted
