"""Penalties on the parameters of a model, to be added to a loss. They combine: give a fit several.

A fit adds each of them once an epoch, spread over its chunks by their length.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from convis_core.errors import FitError
from convis_core.scalars import is_number

__all__ = ["L1", "L2", "GroupSparsity", "Locality", "LowRank", "Regulariser", "Smoothness"]

CORNER: Final = 1e-12
"""Added below square roots, whose slope at 0 would be infinite."""


class Regulariser(ABC):
    """A penalty on parameters.

    Parameters
    ----------
    strength : float
        Factor of the penalty, at least 0.
    names : iterable of str, optional
        Parameters it applies to, as in ``model.named_parameters()``; by default all that are fitted, or,
        where it is about kernels, all with five axes.
    """

    kernels_only = True

    def __init__(self, strength: float, names: Iterable[str] | None = None) -> None:
        if not (is_number(strength) and 0 <= strength < math.inf):
            raise FitError(
                f"The strength of a penalty must be a finite number of at least 0, got {strength!r:.80}.",
                "Give e.g. 0.01.",
            )
        self.strength = strength
        self.names = None if names is None else tuple(names)

    def __call__(self, model: Any) -> Tensor:
        """Penalty of a model, a scalar."""
        return self.strength * torch.stack([self.of(parameter) for parameter in self._chosen(model)]).sum()

    @abstractmethod
    def of(self, weights: Tensor) -> Tensor:
        """Penalty of one parameter, at strength 1."""

    def _chosen(self, model: nn.Module) -> Iterator[Tensor]:
        known = dict(model.named_parameters())
        if self.names is None:
            chosen = {n: p for n, p in known.items() if p.requires_grad and (p.ndim == 5 or not self.kernels_only)}
        else:
            chosen = {name: known[name] for name in self.names if name in known}
            if len(chosen) < len(self.names):
                missing = ", ".join(sorted(set(self.names) - set(chosen)))
                raise FitError(f"There is no parameter {missing} to be regularised.", f"There are: {', '.join(known)}.")
        if not chosen:
            raise FitError(
                f"{type(self).__name__} finds no parameter to regularise in {type(model).__name__}.",
                "Name those it is meant for with names=[...].",
            )
        return iter(chosen.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.strength:g})"


class L1(Regulariser):
    r"""Sparsity, :math:`\lambda \sum |w|`.

    Examples
    --------
    >>> float(L1(0.5).of(torch.tensor([1.0, -3.0])))  # the strength is applied to a whole model
    4.0
    """

    kernels_only = False

    def of(self, weights: Tensor) -> Tensor:
        return weights.abs().sum()


class L2(Regulariser):
    r"""Shrinkage (ridge), :math:`\lambda \sum w^2`."""

    kernels_only = False

    def of(self, weights: Tensor) -> Tensor:
        return weights.square().sum()


class Smoothness(Regulariser):
    r"""Small second differences in time and in space.

    .. math:: \lambda \sum \tau (\Delta_t^2 w)^2 + \sigma (\Delta_x^2 w)^2 + \sigma (\Delta_y^2 w)^2

    Parameters
    ----------
    strength : float
    time, space : float
        Weights :math:`\tau` and :math:`\sigma` of the two, at least 0; 0 leaves one out.
    names : iterable of str, optional

    Examples
    --------
    >>> kernel = torch.zeros(1, 1, 3, 1, 1)
    >>> kernel[0, 0, 1] = 1.0
    >>> float(Smoothness(1.0, space=0.0).of(kernel))  # 1 - 2 + 1
    4.0
    """

    def __init__(
        self, strength: float, *, time: float = 1.0, space: float = 1.0, names: Iterable[str] | None = None
    ) -> None:
        super().__init__(strength, names)
        self.axes = {-3: time, -2: space, -1: space}

    def of(self, weights: Tensor) -> Tensor:
        total = weights.new_zeros(())
        for axis, weight in self.axes.items():
            if weight and weights.shape[axis] > 2:
                total = total + weight * weights.diff(n=2, dim=axis).square().sum()
        return total


class Locality(Regulariser):
    r"""Weights near their own centre of mass, :math:`\lambda \sum w^2 |x - \bar x|^2 / \sum w^2`.

    The spread in pixels squared of each kernel's energy in space, summed over kernels.

    Examples
    --------
    >>> kernel = torch.zeros(1, 1, 1, 1, 5)
    >>> kernel[..., 0] = kernel[..., 4] = 1.0
    >>> float(Locality(1.0).of(kernel))  # both 2 pixels off the centre
    4.0
    """

    def of(self, weights: Tensor) -> Tensor:
        energy = weights.square().sum(dim=2)
        share = energy / energy.sum(dim=(-2, -1), keepdim=True).clamp_min(CORNER)
        total = weights.new_zeros(())
        for axis in (-2, -1):
            shape = [1, 1, 1, 1]
            shape[axis] = -1
            place = torch.arange(weights.shape[axis], dtype=weights.dtype, device=weights.device).reshape(shape)
            centre = (share * place).sum(dim=(-2, -1), keepdim=True)
            total = total + (share * (place - centre).square()).sum()
        return total


class LowRank(Regulariser):
    r"""Space-time kernels of few separable parts: their nuclear norm, :math:`\lambda \sum_i s_i`.

    Examples
    --------
    >>> kernel = torch.ones(1, 1, 2, 2, 2)  # rank 1, of norm sqrt(8)
    >>> round(float(LowRank(1.0).of(kernel)), 3)
    2.828
    """

    def of(self, weights: Tensor) -> Tensor:
        matrices = weights.reshape(-1, weights.shape[2], weights.shape[3] * weights.shape[4])
        norms: Tensor = torch.linalg.matrix_norm(matrices, ord="nuc")
        return norms.sum()


class GroupSparsity(Regulariser):
    r"""Few channels in use: :math:`\lambda \sum_c \lVert w_c \rVert` over the kernels of every channel.

    Examples
    --------
    >>> kernel = torch.zeros(1, 3, 1, 2, 2)
    >>> kernel[0, 0] = 1.0
    >>> round(float(GroupSparsity(1.0).of(kernel)), 3)
    2.0
    """

    def of(self, weights: Tensor) -> Tensor:
        return (weights.square().sum(dim=(2, 3, 4)) + CORNER).sqrt().sum()
