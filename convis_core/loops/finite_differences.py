"""An optimiser for what has no gradient: spikes, delays, thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from convis_core.errors import FitError
from convis_core.loops.parameter_vector import Bounds, bounds_by_identity

__all__ = ["FiniteDifferences"]

AT_MOST: Final = 200
"""Numbers that are worth it: each costs two evaluations of the loss an update."""


class FiniteDifferences(Optimizer):
    r"""Adam with slopes that are measured: the loss is evaluated a little above and below each number.

    .. math:: \frac{\partial f}{\partial x_i} \approx \frac{f(x + h_i e_i) - f(x - h_i e_i)}{2 h_i}, \qquad
        h_i = \text{distance} \cdot \max(|x_i|, \text{smallest})

    The model needs no gradient, so that neurons that spike can be fitted as they are, in their compiled loops. All
    evaluations of an update see the same state and the same random numbers. Spike counts change in jumps: a distance
    of some per cent averages over them. Steps are relative, as parameters of one model go from 0.01 s to 1000 Hz.

    Parameters
    ----------
    params : iterable of Tensor
        At most 200 numbers in all, for one update takes two evaluations for each and one more.
    lr : float
        Size of a step, relative to that of the number.
    distance : float
        How far from a number the loss is looked at, relative to its size.
    smallest : float
        What counts as the size of numbers nearer to 0.
    betas : (float, float)
        How long slopes, and their squares, are remembered, as by ``torch.optim.Adam``.
    bounds : sequence of (Tensor, float, float)
        Parameters with their lowest and highest value, at which differences become one-sided;
        ``model.set_optimizer.FiniteDifferences()`` gives those declared.

    Raises
    ------
    FitError
        For more numbers, or options out of their range.

    References
    ----------
    Kiefer J., Wolfowitz J. (1952), Stochastic estimation of the maximum of a regression function, Ann. Math. Statist.
    23, 462-466, doi:10.1214/aoms/1177729392. Kingma D. P., Ba J. (2015), Adam: a method for stochastic optimization,
    ICLR, arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> import convis_core as convis
    >>> neuron = convis.filters.spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0)
    >>> current = np.random.default_rng(0).uniform(0, 300, (400, 6, 6)).astype("float32")
    >>> spikes = neuron.run(current)  # made with g_L = 50 Hz
    >>> fitted = convis.filters.spiking.LeakyIntegrateAndFireNeuron(noise_sigma=0.0, g_L=100.0)
    >>> fitted.noise_sigma.requires_grad_(False).item()
    0.0
    >>> _ = fitted.set_optimizer.FiniteDifferences()
    >>> def rates(response, target):
    ...     return (response.sum(2) - target.sum(2)).square().sum()
    >>> losses = fitted.optimize(current, spikes, dt=400, epochs=30, loss_fn=rates)
    >>> bool(abs(fitted.g_L.item() - 50.0) < 2.0)
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.05,
        distance: float = 0.05,
        smallest: float = 1e-3,
        betas: tuple[float, float] = (0.7, 0.95),
        *,
        bounds: Bounds = (),
    ) -> None:
        for name, value in {"lr": lr, "distance": distance, "smallest": smallest}.items():
            if not 0 < value < math.inf:
                raise FitError(f"{name} of FiniteDifferences must be above 0, got {value}.")
        if not all(0 <= beta < 1 for beta in betas):
            raise FitError(f"betas of FiniteDifferences must be at least 0 and below 1, got {betas}.")
        super().__init__(params, {"lr": lr, "distance": distance, "smallest": smallest, "betas": betas})
        numbers = sum(p.numel() for group in self.param_groups for p in group["params"])
        if numbers > AT_MOST:
            raise FitError(
                f"FiniteDifferences evaluates the loss twice for each number, and these are {numbers} of them; "
                f"at most {AT_MOST} are worth it.",
                "Freeze what needs no fit with requires_grad_(False), or use an optimiser with gradients, e.g. Adam.",
            )
        self._within = bounds_by_identity(bounds)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Measure the slope of every number, then move all of them; return the loss before."""
        if closure is None:
            raise FitError("FiniteDifferences needs a function that evaluates the loss.", "Call step(closure).")
        loss = closure()
        slopes = {p: self._slopes(p, group, closure) for group in self.param_groups for p in group["params"]}
        for group in self.param_groups:
            for parameter in group["params"]:
                self._move(parameter, slopes[parameter], group)
        return loss

    def _slopes(self, parameter: Tensor, group: dict[str, Any], closure: Callable[[], Any]) -> Tensor:
        """Change of the loss for a change of each number by its own size."""
        low, high = self._within.get(id(parameter), (-math.inf, math.inf))
        sizes = _sizes(parameter, group)
        slopes = torch.zeros_like(parameter)
        for where in np.ndindex(*parameter.shape):
            value, size = float(parameter[where]), float(sizes[where])
            ends, losses = [], []
            for end in (value - group["distance"] * size, value + group["distance"] * size):
                parameter[where] = min(max(end, low), high)
                ends.append(float(parameter[where]))  # as it is kept in its precision
                losses.append(float(closure()))
            parameter[where] = value
            if ends[1] > ends[0]:
                slopes[where] = (losses[1] - losses[0]) / (ends[1] - ends[0]) * size
        return slopes

    def _move(self, parameter: Tensor, slopes: Tensor, group: dict[str, Any]) -> None:
        kept = self.state[parameter]
        if not kept:
            kept["step"], kept["mean"], kept["square"] = 0, torch.zeros_like(slopes), torch.zeros_like(slopes)
        kept["step"] += 1
        for name, value, beta in (("mean", slopes, group["betas"][0]), ("square", slopes.square(), group["betas"][1])):
            kept[name].lerp_(value, 1.0 - beta)
        mean, square = (
            kept[n] / (1.0 - b ** kept["step"]) for n, b in zip(("mean", "square"), group["betas"], strict=True)
        )
        parameter -= group["lr"] * _sizes(parameter, group) * mean / (square.sqrt() + torch.finfo(square.dtype).tiny)


def _sizes(parameter: Tensor, group: dict[str, Any]) -> Tensor:
    return parameter.detach().abs().clamp(min=group["smallest"])
