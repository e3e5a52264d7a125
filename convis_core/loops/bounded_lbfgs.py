"""A quasi-Newton optimiser that searches within the bounds of the parameters and never makes a loss larger."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import FitError, ParameterError
from convis_core.loops.divergence import DivergedError
from convis_core.loops.parameter_vector import Bounds, ParameterVector, bounds_by_identity, sizes_of

__all__ = ["BoundedLBFGS"]

DESCENT: Final = 1e-4
"""Share of the fall that the slope promises which a step must bring (Armijo's condition)."""
AT_MOST: Final = 20
"""Evaluations in one line search."""
SLOPE_LEFT: Final = 0.9
"""Share of the slope that may be left after the first step of all, before one twice as long is tried."""


class BoundedLBFGS(Optimizer):
    r"""Limited-memory BFGS with bounds and a line search that goes downhill only.

    Each iteration goes along :math:`d = -H g`, with :math:`H` the inverse Hessian that the last steps and
    gradients imply, and projects onto the bounds :math:`P`,

    .. math:: x_{k+1} = P(x_k + t \, d), \qquad f(x_{k+1}) \le f(x_k) + 10^{-4} \; g \cdot (x_{k+1} - x_k).

    Numbers at a bound that the gradient holds there take no part in :math:`H`. A step is shortened until the loss
    falls; where it is not finite, to a tenth. Steps along which the loss does not curve upwards are not remembered.
    Parameters of one number are measured by the size they have at first, for those of one model go from 0.005 s to
    1000 Hz. ``torch.optim.LBFGS`` takes whole steps unseen, and knows neither bounds nor sizes.

    Parameters
    ----------
    params : iterable of Tensor
        A single group.
    lr : float
        Length of the first step of all, as the largest change of a number, relative to its size where it is the only
        one of its parameter; later ones are found.
    max_iter, max_eval : int
        Iterations, and evaluations of the loss, in one call of `step`. By default twice as many evaluations.
    history_size : int
        Steps that are remembered.
    tolerance_grad, tolerance_change : float
        Largest slope, and relative fall of the loss, with which an iteration is the last.
    bounds : sequence of (Tensor, float, float)
        Parameters with their lowest and highest value; ``model.set_optimizer.BoundedLBFGS()`` gives those declared.

    Raises
    ------
    FitError
        For several groups of parameters, or options that are not above 0.

    References
    ----------
    Nocedal J. (1980), Updating quasi-Newton matrices with limited storage, Math. Comp. 35, 773-782,
    doi:10.1090/S0025-5718-1980-0572855-7. Bertsekas D. P. (1982), Projected Newton methods for optimization problems
    with simple constraints, SIAM J. Control Optim. 20, 221-246, doi:10.1137/0320018. Li D.-H., Fukushima M. (2001), On
    the global convergence of the BFGS method for nonconvex unconstrained optimization problems, SIAM J. Optim. 11,
    1054-1064, doi:10.1137/S1052623499354242.

    Examples
    --------
    >>> x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    >>> search = BoundedLBFGS([x], max_iter=100, bounds=[(x, -2.0, 0.5)])
    >>> def rosenbrock():
    ...     search.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = search.step(rosenbrock)
    >>> [round(v, 4) for v in x.tolist()]  # free it would be [1, 1]
    [0.5, 0.25]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.1,
        max_iter: int = 20,
        max_eval: int | None = None,
        history_size: int = 20,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        *,
        bounds: Bounds = (),
    ) -> None:
        options = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": 2 * max_iter if max_eval is None else max_eval,
            "history_size": history_size,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
        }
        for name, value in options.items():
            if not 0 < value < math.inf:
                raise FitError(f"{name} of BoundedLBFGS must be above 0, got {value}.")
        super().__init__(params, options)
        if len(self.param_groups) != 1:
            raise FitError("BoundedLBFGS takes one group of parameters.", "Give model.parameters().")
        self._within = bounds_by_identity(bounds)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Search on; return the loss before it."""
        if closure is None:
            raise FitError("BoundedLBFGS needs a function that evaluates the loss.", "Call step(closure).")
        group = self.param_groups[0]
        loss_of = torch.enable_grad()(closure)
        memory = self.state[group["params"][0]]
        if not memory:
            memory.update(moves=[], changes=[], sizes=sizes_of(group["params"]))
        place = ParameterVector(group["params"], self._within, memory["sizes"])
        place.enter_bounds()
        first = loss_of()
        loss, gradient, evaluations = float(torch.as_tensor(first).detach()), place.gradient(), 1
        moves, changes = memory["moves"], memory["changes"]
        for _ in range(group["max_iter"]):
            here = place.read()
            free = ~(((here <= place.low) & (gradient > 0)) | ((here >= place.high) & (gradient < 0)))
            held = torch.where(free, gradient, 0.0)
            if not bool(held.isfinite().all()):
                raise DivergedError("The gradient is not finite where the loss is.", "Scale the input to order 1.")
            if float(held.abs().max()) <= group["tolerance_grad"]:
                break
            direction = _newton(held, moves, changes, free)
            if not float(direction @ held) < 0.0:
                moves.clear(), changes.clear()
                direction = -held
            length = 1.0 if moves else group["lr"] / float(held.abs().max())
            found, used = _search(loss_of, place, loss, gradient, direction, length, lengthen=not moves)
            evaluations += used
            if found is None and moves:  # what is remembered misleads: once more along the slope alone
                moves.clear(), changes.clear()
                continue
            if found is None:
                break
            (new_loss, new_gradient), fell = found, loss - found[0]
            move, change = place.read() - here, new_gradient - gradient
            if _curves_upwards(move, change):
                moves.append(move), changes.append(change)
                del moves[: -group["history_size"]], changes[: -group["history_size"]]
            loss, gradient = new_loss, new_gradient
            if fell <= group["tolerance_change"] * max(abs(loss), 1e-30) or evaluations >= group["max_eval"]:
                break
        return first


def _search(
    loss_of: Callable[[], Any],
    place: ParameterVector,
    loss: float,
    gradient: Tensor,
    direction: Tensor,
    length: float,
    lengthen: bool,
) -> tuple[tuple[float, Tensor] | None, int]:
    """Go to where the loss is lower; if there is no such place, back. Loss and gradient there, and evaluations used."""
    here = place.read()
    best: tuple[float, float, Tensor] | None = None
    used = 0
    while used < AT_MOST:
        there = (here + length * direction).clamp(place.low, place.high)
        if torch.equal(there, here):
            break
        place.write(there)
        value, used = _value(loss_of), used + 1
        promised = min(float(gradient @ (there - here)), 0.0)
        if value <= loss + DESCENT * promised and value < (loss if best is None else best[0]):
            best = value, length, place.gradient()
            if not lengthen or float(best[2] @ direction) > SLOPE_LEFT * float(gradient @ direction):
                return (value, best[2]), used
            length *= 2.0
        elif best is not None:
            break
        else:
            length *= 0.1 if not math.isfinite(value) else _shorter(loss, promised, value)
    if best is None:
        place.write(here)
        return None, used
    place.write((here + best[1] * direction).clamp(place.low, place.high))
    return (best[0], best[2]), used


def _value(loss_of: Callable[[], Any]) -> float:
    try:
        return float(torch.as_tensor(loss_of()).detach())
    except (DivergedError, ParameterError):  # too far: a shorter step may be fine
        return math.inf


def _curves_upwards(move: Tensor, change: Tensor) -> bool:
    return float(move @ change) > 1e-8 * float(move.norm() * change.norm())


def _newton(gradient: Tensor, moves: list[Tensor], changes: list[Tensor], free: Tensor) -> Tensor:
    """Direction ``-H g`` among the free numbers, by the two loops of Nocedal (1980)."""
    pairs = [(move * free, change * free) for move, change in zip(moves, changes, strict=True)]
    pairs = [pair for pair in pairs if _curves_upwards(*pair)]
    direction, shares = -gradient, []
    for move, change in reversed(pairs):
        share = (move @ direction) / (move @ change)
        direction = direction - share * change
        shares.append(share)
    if pairs:
        move, change = pairs[-1]
        direction = direction * ((move @ change) / (change @ change))
    for (move, change), share in zip(pairs, reversed(shares), strict=True):
        direction = direction + (share - (change @ direction) / (move @ change)) * move
    return direction


def _shorter(loss: float, promised: float, value: float) -> float:
    """Factor to the lowest point of the parabola through the loss, its slope and the loss at the end of a step."""
    factor = -promised / (2.0 * (value - loss - promised)) if promised < 0.0 < value - loss - promised else 0.5
    return min(max(factor, 0.1), 0.5)
